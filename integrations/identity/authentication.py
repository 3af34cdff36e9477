"""Reads `Authorization: Token <prefix>.<secret>`."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from integrations.identity.models import ApiToken
from integrations.identity.services import digest

_NOTE_USE_EVERY = timedelta(minutes=5)


class HashedTokenAuthentication(BaseAuthentication):
    """Signs a request in by a token that is neither expired nor revoked and whose account is active."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"token":
            return None
        prefix, _dot, secret = parts[1].decode("latin-1").partition(".") if len(parts) == 2 else ("", "", "")
        now = timezone.now()
        token = (
            ApiToken.objects.filter(prefix=prefix[:12], expires_at__gt=now, revoked_at__isnull=True)
            .select_related("user__department", "user__person")
            .first()
        )
        if (
            token is None
            or not hmac.compare_digest(token.digest, digest(secret, token.user))
            or not token.user.is_active
        ):
            raise AuthenticationFailed(_("令牌无效或已过期，重新获取。"))
        if token.last_used_at is None or now - token.last_used_at > _NOTE_USE_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself on definition
    """How the API description names the header."""

    target_class = "integrations.identity.authentication.HashedTokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Token <token>`"}
