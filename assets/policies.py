"""Who may see and do what with places and devices."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from assets.places.models import User

Role = User.Role
_MASTER = ("location", "department", "devicegroup", "faultpreset", "devicetype", "device", "skill", "qualification")
ADMIN_RIGHTS: dict[str, dict[str, str]] = {
    Role.ADMIN: dict.fromkeys(_MASTER, "vac") | {"user": "vac", "person": "v"},
    Role.MANAGER: dict.fromkeys(_MASTER, "vac") | {"user": "v"},
    Role.DISPATCHER: dict.fromkeys(_MASTER, "v"),
}
STAFF_ROLES = (Role.ENGINEER, Role.DISPATCHER, Role.MANAGER, Role.ADMIN)


def is_house_staff(user: Any) -> bool:
    """Equipment department: sees every ward. Ward accounts see their own department only."""
    return bool(user.is_authenticated and user.is_active and user.role in STAFF_ROLES)


def is_ward(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.role == Role.NURSE)


def visible_devices(user: Any, devices: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of the register this person may read; none for strangers."""
    if is_house_staff(user):
        return devices
    if is_ward(user) and user.department_id:
        return devices.filter(department_id=user.department_id)
    return devices.none()


def can_see_device(user: Any, device: Any) -> bool:
    """The same rule for one row in hand."""
    return is_house_staff(user) or bool(is_ward(user) and device.department_id == user.department_id)


def can_manage_register(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.role in (Role.MANAGER, Role.ADMIN))
