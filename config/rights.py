"""Which admin screens a role may open: one backend over the `ADMIN_RIGHTS` tables of the apps' policies."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.utils.module_loading import import_string

_APPS = ("assets", "tickets", "dispatch", "integrations")
_ACTIONS = {"v": "view", "a": "add", "c": "change", "d": "delete"}


@cache
def permissions_of(role: str) -> frozenset[str]:
    """`app.action_model` strings of a role, from tables such as `{"manager": {"device": "vac"}}`."""
    found = set()
    for app in _APPS:
        for model, letters in import_string(f"{app}.policies.ADMIN_RIGHTS").get(role, {}).items():
            found |= {f"{app}.{_ACTIONS[letter]}_{model}" for letter in letters}
    return frozenset(found)


class RoleBackend(ModelBackend):
    """Signs in by password; rights follow from `User.role`, so there are no permission rows to drift."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active) and perm in permissions_of(getattr(user_obj, "role", ""))

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set(permissions_of(getattr(user_obj, "role", ""))) if user_obj.is_active else set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return bool(user_obj.is_active) and any(
            p.startswith(f"{app_label}.") for p in permissions_of(getattr(user_obj, "role", ""))
        )
