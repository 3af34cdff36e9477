"""When a step is allowed, from plain facts: no database, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

AUTO_CLOSE_AFTER = timedelta(hours=48)
REMIND_WARD_AFTER = timedelta(hours=24)
REOPEN_WITHIN = timedelta(days=7)
UNDO_WITHIN = timedelta(seconds=10)
BEFORE_ACCEPTANCE = frozenset({"new", "triaged", "assigned"})


def impact_of(*, in_use: bool | None, default: str, danger: Iterable[str]) -> str:
    """Domain 2.1: a device on a patient, or danger, is I1; otherwise the symptom's own default."""
    return "I1" if in_use or list(danger) else default or "I3"


def with_usual(ticked: Iterable[str], usual: Iterable[str]) -> list[str]:
    """Domain 3.3: a fault may imply a danger that nobody ticked, such as water on the floor."""
    return sorted({*ticked, *usual})


def takes_out_of_use(*, priority: int, danger: Iterable[str]) -> bool:
    """Domain 1.2: any danger flag on a P1 or P2 fault stops the device at once."""
    return priority <= 2 and bool(list(danger))


def closes_by_itself(*, priority: int, life_support: bool) -> bool:
    """Domain 2.6: silence of the ward closes P3 and P4 after 48 h, a life-support device never."""
    return priority >= 3 and not life_support


def decon_allows_start(*, decon: str, priority: int, note: str) -> bool:
    """Infection control: declared first; what cannot be cleaned names its danger, an uncleaned device only for a P1 and
    with a stated protection (PPE)."""
    if decon in {"not_needed", "cleaned"}:
        return True
    return (decon == "impossible" or (decon == "dirty" and priority == 1)) and bool(note.strip())


def failed_tests(tests: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of post-repair tests beyond their limit."""
    return [str(t.get("name") or t.get("code")) for t in tests if t.get("passed") is False]


def function_checked(tests: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the function check of the finish sheet was done and passed."""
    return any(t.get("code") == "function" and t.get("passed") for t in tests)
