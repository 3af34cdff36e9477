"""API sign-in: hashed, expiring tokens. The clear text is shown once and stored nowhere."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

USER = settings.AUTH_USER_MODEL


class ApiToken(models.Model):
    """Header `Authorization: Token <prefix>.<secret>`; only the SHA-256 of the secret is kept."""

    user = models.ForeignKey(USER, models.CASCADE, related_name="api_tokens", verbose_name=_("账号"))
    prefix = models.CharField(_("前缀"), max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("签发"))
    expires_at = models.DateTimeField(_("到期"))
    last_used_at = models.DateTimeField(_("最近使用"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("吊销"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "接口令牌")
        verbose_name_plural = pgettext_lazy("plural", "接口令牌")
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.prefix
