"""Who may see and do what with engineers, roster and decisions."""

from __future__ import annotations

from typing import Any

from assets.places.models import User
from assets.policies import is_house_staff

Role = User.Role
_PEOPLE = ("engineer", "engineerskill", "engineerqualification", "shift", "leave")
_RULES = ("departmentmode", "weights")
_OWNED = ("decision", "exclusion", "trackrecord")
ADMIN_RIGHTS: dict[str, dict[str, str]] = {
    Role.ADMIN: dict.fromkeys(_PEOPLE, "vacd") | dict.fromkeys(_RULES, "vac") | dict.fromkeys(_OWNED, "v"),
    Role.MANAGER: dict.fromkeys(_PEOPLE, "vacd") | dict.fromkeys(_RULES, "vac") | dict.fromkeys(_OWNED, "v"),
    Role.DISPATCHER: dict.fromkeys(_PEOPLE, "vac") | dict.fromkeys(_RULES, "v") | dict.fromkeys(_OWNED, "v"),
}


def can_see_roster(user: Any) -> bool:
    return is_house_staff(user)


def can_edit_roster(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.role in (Role.DISPATCHER, Role.MANAGER, Role.ADMIN))


def can_see_explanation(user: Any) -> bool:
    """Candidates' figures are about colleagues: the equipment department only."""
    return is_house_staff(user)


def can_decide(user: Any) -> bool:
    """Confirm or override a suggestion."""
    return can_edit_roster(user)
