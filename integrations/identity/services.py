"""API tokens: issued once in clear, kept as a hash, dead after 12 hours or on revocation."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from assets.places.models import User
from config.kernel.errors import Refused
from integrations.identity.models import ApiToken
from integrations.policies import can_get_token_by_password

TOKEN_LIFE = timedelta(hours=12)


def issue_token(user: User, *, at: datetime) -> tuple[ApiToken, str]:
    """A new token of `user` and its clear text, which nobody can read again. Refuses administrators and MFA accounts."""
    if not can_get_token_by_password(user):
        raise Refused(_("管理员和开了两步验证的账号不能用密码换令牌。请登录网页。"), code="token_door_closed")
    secret = secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user, prefix=secrets.token_hex(6), digest=digest(secret, user), created_at=at, expires_at=at + TOKEN_LIFE
    )
    return row, f"{row.prefix}.{secret}"


def digest(secret: str, user: User) -> str:
    """What is kept of a token. A new password makes another digest, so it ends every token as it ends every session."""
    return hashlib.sha256(f"{secret}.{user.get_session_auth_hash()}".encode()).hexdigest()


def revoke(token: ApiToken, *, at: datetime) -> None:
    """Dead from now on; again is harmless."""
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=at)


def forget_sign_ins(*, at: datetime) -> dict[str, int]:
    """Nobody's sign-ins of `KEEP_SIGN_INS` ago are known, no dead token or session is left; how many went."""
    old = at - settings.KEEP_SIGN_INS
    kept = (AccessAttempt, AccessFailureLog, AccessLog)
    return {
        "sign_ins": sum(model.objects.filter(attempt_time__lt=old).delete()[0] for model in kept),
        "tokens": ApiToken.objects.filter(expires_at__lt=at - timedelta(days=30)).delete()[0],
        "sessions": Session.objects.filter(expire_date__lt=at).delete()[0],
    }
