"""What people were told: one row per person and message, one per delivery attempt of an outside channel."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

USER = settings.AUTH_USER_MODEL


class Notification(models.Model):
    """An in-app message. `template` + `params` are rendered in the reader's language at display time.

    `dedup` makes one fact tell one person once, however often its reader runs.
    """

    class Level(models.TextChoices):
        INFO = "info", _("消息")
        WARNING = "warning", _("提醒")
        URGENT = "urgent", _("紧急")

    user = models.ForeignKey(USER, models.CASCADE, related_name="notifications", verbose_name=_("收件人"))
    level = models.CharField(_("级别"), max_length=8, choices=Level.choices, default=Level.INFO)
    template = models.CharField(_("模板"), max_length=60)
    params = models.JSONField(_("参数"), default=dict)
    subject = models.CharField(_("对象"), max_length=60, blank=True)
    url = models.CharField(_("链接"), max_length=200, blank=True)
    sound = models.BooleanField(_("响铃"), default=False)
    dedup = models.CharField(max_length=120, unique=True)
    at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("已读"), null=True, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("one", "消息")
        verbose_name_plural = pgettext_lazy("plural", "消息")
        ordering: ClassVar = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="notification_unread", condition=Q(read_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class Delivery(models.Model):
    """One message on one outside channel: waiting, sent, or failed with a reason."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="deliveries", verbose_name=_("消息"))
    channel = models.CharField(_("渠道"), max_length=10, choices=[("email", _("邮件"))])
    state = models.CharField(
        _("状态"),
        max_length=8,
        choices=[("waiting", _("等待")), ("sent", _("已发出")), ("failed", _("失败"))],
        default="waiting",
    )
    attempts = models.PositiveSmallIntegerField(_("次数"), default=0)
    last_error = models.CharField(_("原因"), max_length=200, blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        verbose_name = pgettext_lazy("one", "投递")
        verbose_name_plural = pgettext_lazy("plural", "投递")
        constraints = [models.UniqueConstraint(fields=["notification", "channel"], name="delivery_once")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.get_state_display()}"
