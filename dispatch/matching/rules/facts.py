"""What matching may know about people and tickets, and what it says about a pair. No names: people are ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from dispatch.engineers.rules import UNKNOWN_CHANCE, Chance, Position
from dispatch.roster.rules import Presence
from dispatch.triage.rules import ClassGuess


@dataclass(frozen=True)
class Work:
    """What an engineer has in hand."""

    ticket: int
    priority: int
    interruptible: bool = True


@dataclass(frozen=True)
class Engineer:
    """Everything that matching may know about one person. No name: people are looked up when shown."""

    id: int
    position: Position | None = None
    presence: Presence = Presence.ON_SITE
    shift_end: datetime | None = None
    rest_until: datetime | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    qualifications: Mapping[str, date | None] = field(default_factory=dict)  # code -> last valid day
    sites: frozenset[str] = frozenset()  # empty: every campus
    open_count: int = 0
    max_open: int = 5
    busy_until: datetime | None = None
    busy_minutes: float = 0.0
    current: Work | None = None
    chances: Mapping[str, Chance] = field(default_factory=dict)
    usual_chance: Chance = UNKNOWN_CHANCE
    paces: Mapping[str, float] = field(default_factory=dict)
    usual_pace: float = 1.0

    def chance(self, fault_class: str) -> Chance:
        return self.chances.get(fault_class, self.usual_chance)

    def pace(self, fault_class: str) -> float:
        return self.paces.get(fault_class, self.usual_pace)

    def can_be_called_off(self) -> bool:
        """For a P1: from lesser work, never from another P1."""
        return self.current is not None and self.current.interruptible and self.current.priority > 1

    def idle(self, now: datetime) -> bool:
        """Nothing in hand: the only kind of engineer who is given work without interrupting other work."""
        return self.current is None and (self.busy_until is None or self.busy_until <= now)


@dataclass(frozen=True)
class Job:
    """Everything that matching may know about one ticket."""

    id: int
    priority: int
    created: datetime
    classes: tuple[ClassGuess, ...]
    position: Position | None = None
    skill: str = ""
    skill_level: int = 1
    qualifications: frozenset[str] = frozenset()
    rework: bool = False
    repeat: bool = False
    last_engineer: int | None = None
    failed_engineer: int | None = None
    refused: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()  # did not answer in time
    respond_by: datetime | None = None  # what its running clocks promise: they know nights and holidays
    arrive_by: datetime | None = None

    @property
    def confidence(self) -> float:
        return max((guess.probability for guess in self.classes), default=0.0)


@dataclass(frozen=True)
class Rejection:
    """Which hard constraint a candidate broke. `params` are plain values for the sentence."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CostTerms:
    """One candidate's cost in points, with the minutes and the probability behind them. Less is better."""

    wait: float
    quality: float
    travel: float
    load: float
    continuity: float
    fail_again: float
    wait_minutes: float  # report to arrival
    travel_minutes: float
    free_minutes: float  # until the work in hand is done
    work_minutes: float
    chance: Chance

    @property
    def total(self) -> float:
        return self.wait + self.quality + self.travel + self.load + self.continuity + self.fail_again
