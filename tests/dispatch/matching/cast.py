"""Named people and tickets for the pure matching tests; every builder takes only what the test is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dispatch.engineers.rules import Chance, Position
from dispatch.matching.rules import Engineer, Job, Work
from dispatch.triage.rules import ClassGuess

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ICU = Position(site="main", building="surgery", floor=5)
WORKSHOP = Position(site="main", building="surgery", floor=2)
ONE_CLASS = (ClassGuess("flow", 1.0, 45.0),)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def ahead(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def chance(p: float, spread: float = 0.1) -> Chance:
    return Chance(p=p, n=20, low=p - 1.6449 * spread, high=p + 1.6449 * spread)


def engineer(number: int, **known: Any) -> Engineer:
    defaults: dict[str, Any] = {
        "position": WORKSHOP,
        "shift_end": ahead(240),
        "skills": {"respiratory": 2},
        "chances": {"flow": chance(0.8)},
    }
    return Engineer(id=number, **(defaults | known))


def job(number: int, priority: int = 2, **known: Any) -> Job:
    defaults: dict[str, Any] = {
        "created": ago(0),
        "classes": ONE_CLASS,
        "position": ICU,
        "skill": "respiratory",
    }
    return Job(id=number, priority=priority, **(defaults | known))


def busy_with(priority: int, left: float = 60, ticket: int = 900, interruptible: bool = True) -> dict[str, Any]:
    return {"busy_until": ahead(left), "current": Work(ticket, priority, interruptible), "open_count": 1}
