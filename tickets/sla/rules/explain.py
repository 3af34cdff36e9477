"""The arithmetic behind one due time, step by step. Codes and values only: the words live in the templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from tickets.sla.rules.calendar import Span, WorkCalendar, merged, settled
from tickets.sla.rules.clock import Pause, due, pauses_apply

NOTHING = timedelta(0)


@dataclass(frozen=True)
class Rebase:
    """The priority was changed at `at`: the target counts from the report again."""

    at: datetime
    old: int
    new: int
    reason: str = ""


@dataclass(frozen=True)
class Promise:
    """Everything one due time depends on. `target` is working time of `calendar`."""

    metric: str
    priority: int
    reported_at: datetime
    target: timedelta
    calendar: WorkCalendar
    calendar_name: str = ""
    pauses: tuple[Pause, ...] = ()
    rebases: tuple[Rebase, ...] = ()
    pausable: bool | None = None
    off_hours: bool = False  # the target is the one for reports outside the office

    @property
    def stops(self) -> bool:
        """Whether pauses count: what the target says, otherwise what its metric says."""
        return pauses_apply(self.metric) if self.pausable is None else self.pausable


@dataclass(frozen=True)
class Line:
    """One line of the panel.

    | kind | amount | params |
    | --- | --- | --- |
    | reported | - | - |
    | rebase | - | old, new, reason (`at`: when) |
    | target | the target | metric, priority, calendar, always |
    | day | working time used | date, windows (clipped wall times), paused, name, makeup |
    | after_hours | 0 | date: reported when nothing was open any more |
    | break | length on the wall | date, start, end: lunch and the like, not counted |
    | off | 0 | date, until, name, holiday: free days in a row under one name |
    | held | 0 | date, until, paused: working days in a row that lie wholly in a pause |
    | pause | working time it added | reason, started_at, ended_at (None while it runs), on_wall |
    | pauses | sum of the above | count |
    | never_pauses | 0 | count: pauses that this metric ignores |
    | due | - | open (True: as if work resumed now) (`at`: the due time) |

    Day lines add up to the target. On a 24x7 calendar there are none: report + target + pauses = due.
    """

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    amount: timedelta | None = None
    at: datetime | None = None


def explain(promise: Promise, at: datetime) -> tuple[Line, ...]:
    """The lines of "why this due time?" from the report to the due time.

    `at` is the moment of asking: a pause that still runs counts up to it, and the last line then says `open`.
    """
    stopping = promise.pauses if promise.stops else ()
    ended = settled(((pause.started_at, pause.ended_at) for pause in stopping), at)
    due_at = due(promise.calendar, promise.reported_at, promise.target, ended)
    is_open = any(pause.ended_at is None and pause.started_at < due_at for pause in stopping)
    return (
        Line("reported", at=promise.reported_at),
        *(Line("rebase", {"old": r.old, "new": r.new, "reason": r.reason}, at=r.at) for r in promise.rebases),
        _target(promise),
        *([] if promise.calendar.is_always else _days(promise, due_at, ended)),
        *_pauses(promise, stopping, at, due_at),
        Line("due", {"open": is_open}, at=due_at),
    )


def _target(promise: Promise) -> Line:
    params = {"metric": promise.metric, "priority": promise.priority, "calendar": promise.calendar_name}
    return Line("target", {**params, "always": promise.calendar.is_always}, promise.target)


def _pauses(promise: Promise, stopping: tuple[Pause, ...], at: datetime, due_at: datetime) -> Iterator[Line]:
    if not promise.stops:
        if promise.pauses:
            yield Line("never_pauses", {"count": len(promise.pauses)}, NOTHING)
        return
    counted: list[Span] = []
    total = NOTHING
    for pause in sorted(stopping, key=lambda pause: pause.started_at):
        start, end = max(pause.started_at, promise.reported_at), pause.ended_at or max(at, pause.started_at)
        added = promise.calendar.working_between(start, end, counted) if start < due_at else NOTHING
        counted.append((start, end))
        total += added
        span = {"started_at": pause.started_at, "ended_at": pause.ended_at, "on_wall": end - pause.started_at}
        yield Line("pause", {"reason": pause.reason, **span}, added)
    yield Line("pauses", {"count": len(stopping)}, total)


def _days(promise: Promise, due_at: datetime, ended: list[Span]) -> list[Line]:
    calendar, lines = promise.calendar, list[Line]()
    day, last = calendar.local_date(promise.reported_at), calendar.local_date(due_at)
    while day <= last:
        for line in _day(calendar, day, (promise.reported_at, due_at), ended):
            if lines and _continues(lines[-1], line):
                lines[-1] = _joined(lines[-1], line)
            else:
                lines.append(line)
        day += timedelta(days=1)
    return lines


def _day(calendar: WorkCalendar, day: date, within: Span, ended: list[Span]) -> Iterator[Line]:
    named = {"date": day, "name": calendar.names.get(day, "")}
    if not calendar.windows_on(day):
        yield Line("off", {**named, "until": day, "holiday": day in calendar.days}, NOTHING)
        return
    start, end = within
    live = [(max(opens, start), min(closes, end)) for opens, closes in calendar.spans_on(day)]
    live = [(opens, closes) for opens, closes in live if opens < closes]
    if not live:
        if day == calendar.local_date(start):
            yield Line("after_hours", {"date": day}, NOTHING)
        return
    opened = sum((closes - opens for opens, closes in live), NOTHING)
    used = sum((calendar.working_between(opens, closes, ended) for opens, closes in live), NOTHING)
    if not used and any(hole[0] <= live[0][0] and live[-1][1] <= hole[1] for hole in merged(ended)):
        yield Line("held", {**named, "until": day, "paused": opened}, NOTHING)
        return
    windows = tuple((_wall(calendar, opens), _wall(calendar, closes)) for opens, closes in live)
    makeup = day in calendar.days and not calendar.windows.get(day.weekday())
    params = {**named, "windows": windows, "paused": opened - used, "makeup": makeup}
    yield Line("day", params, used, live[-1][1])
    for (_, closes), (opens, _) in pairwise(live):
        if closes < opens:
            gap = {"date": day, "start": _wall(calendar, closes), "end": _wall(calendar, opens)}
            yield Line("break", gap, opens - closes)


def _continues(before: Line, line: Line) -> bool:
    same = before.kind == line.kind and line.kind in {"off", "held"}
    return same and before.params["name"] == line.params["name"]


def _joined(before: Line, line: Line) -> Line:
    params = {**before.params, "until": line.params["until"]}
    if line.kind == "held":
        params["paused"] = _amount(before) + _amount(line)
    return replace(before, params=params)


def _amount(line: Line) -> timedelta:
    paused = line.params["paused"]
    return paused if isinstance(paused, timedelta) else NOTHING


def _wall(calendar: WorkCalendar, at: datetime) -> time:
    return at.astimezone(calendar.tz).time()
