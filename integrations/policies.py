"""Who may see and do what with messages, tokens and the log."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from assets.places.models import User
from tickets.policies import is_desk

Role = User.Role
ADMIN_RIGHTS: dict[str, dict[str, str]] = {
    Role.ADMIN: {"notification": "v", "delivery": "v", "apitoken": "v"},
    Role.MANAGER: {"notification": "v", "delivery": "v"},
}


def own_notifications(user: Any, notifications: QuerySet[Any]) -> QuerySet[Any]:
    return notifications.filter(user=user) if user.is_authenticated else notifications.none()


def can_call(user: Any) -> bool:
    """Call people together: the desk."""
    return is_desk(user)


def can_get_token_by_password(user: Any) -> bool:
    """The password door is closed to administrators and to accounts with a second factor (security.md X4)."""
    from allauth.mfa.utils import is_mfa_enabled

    return bool(user.is_active and user.role != Role.ADMIN and not user.is_superuser and not is_mfa_enabled(user))
