"""One clock of a ticket: what it measures, whether it may pause, when it is due and which steps it takes on the way."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tickets.sla.rules.calendar import Span, WorkCalendar, settled


class Metric(StrEnum):
    """The four stops of the line, in the order in which they are drawn."""

    RESPONSE = "response"
    ARRIVAL = "arrival"
    RESTORATION = "restoration"
    FIX = "fix"


PAUSABLE = frozenset({Metric.FIX})
"""A ward without its device is without it, whatever we wait for: only the fix may pause."""

WARNING_SHARE = 0.8
"""Share of the working time at which people are warned, unless the policy says otherwise."""


def pauses_apply(metric: str) -> bool:
    """True when waiting for parts, the maker, the room, cleaning or an approval stops this clock."""
    return metric in PAUSABLE


@dataclass(frozen=True)
class Pause:
    """One row of the append-only pauses: `ended_at` is None while it runs; `reason` is a code, not words."""

    started_at: datetime
    ended_at: datetime | None
    reason: str = ""


@dataclass(frozen=True)
class Rung:
    """One rung of the escalation ladder, as a manager entered it.

    `basis` says what `value` counts: `after_start` minutes of the calendar after the report, `percent` of the
    target, `after_due` minutes of the calendar after the due time.
    """

    id: str
    basis: str
    value: float


@dataclass(frozen=True)
class Step:
    """Something that happens at an exact moment unless the clock is met before. `key` is unique within the clock."""

    at: datetime
    kind: str
    key: str
    rung_id: str = ""


_ORDER = {"warning": 0, "breach": 1, "rung": 2}


def due(calendar: WorkCalendar, reported_at: datetime, target: timedelta, pauses: Iterable[Span] = ()) -> datetime:
    """When `target` of working time after the report is used up, in UTC.

    This is also the whole of re-basing: a changed priority brings a new target and perhaps a new calendar, the report
    time and the pauses stay as they are. Pauses that still run are first closed with `settled(pauses, at)`.
    """
    return calendar.add_working(reported_at, target, pauses)


def schedule(
    calendar: WorkCalendar,
    target: timedelta,
    started_at: datetime,
    rungs: Iterable[Rung] = (),
    pauses: Collection[Span] = (),
    warning_share: float = WARNING_SHARE,
) -> list[Step]:
    """Every step of one clock in the order in which it happens: warning, breach and the rungs of the ladder.

    At the same moment the warning comes before the breach and the breach before the rungs. `pauses` must have ended
    and must be empty for a metric that never pauses.
    """
    due_at = due(calendar, started_at, target, pauses)

    def at_share(share: float) -> datetime:
        return calendar.add_working(started_at, target * share, pauses)

    def at_rung(rung: Rung) -> datetime:
        if rung.basis == "percent":
            return at_share(rung.value / 100)
        origin = due_at if rung.basis == "after_due" else started_at
        return calendar.add_working(origin, timedelta(minutes=rung.value), pauses)

    steps = [Step(at_share(warning_share), "warning", "warning"), Step(due_at, "breach", "breach")]
    steps += [Step(at_rung(rung), "rung", f"rung:{rung.id}", rung.id) for rung in rungs]
    return sorted(steps, key=lambda step: (step.at, _ORDER[step.kind]))


def next_step(steps: Sequence[Step], fired_keys: Collection[str]) -> Step | None:
    """The earliest step that has not fired yet; None when the clock has nothing left to say."""
    return next((step for step in steps if step.key not in fired_keys), None)


def gross(started_at: datetime, ended_at: datetime) -> timedelta:
    """Time on the wall from start to end, nights, holidays and pauses included (停机 = 验收时间 − 报修时间)."""
    return ended_at - started_at


def net(
    calendar: WorkCalendar,
    started_at: datetime,
    ended_at: datetime,
    pauses: Iterable[tuple[datetime, datetime | None]] = (),
) -> timedelta:
    """Working time from start to end outside pauses: what is held against the target. Open pauses run to the end."""
    return calendar.working_between(started_at, ended_at, settled(pauses, ended_at))


def share_used(used: timedelta, target: timedelta) -> float:
    """Net time over target: 0 at the start, 1 at the due time, above 1 when late. A target of zero is used at once."""
    return used / target if target else 1.0
