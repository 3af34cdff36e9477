"""The rules that managers edit, read once and kept in the process for five seconds: a report costs no extra query."""

from __future__ import annotations

import logging
import time as stopwatch
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from tickets.sla import rules
from tickets.sla.models import Calendar, CalendarDay, Clock, PriorityRule, Rung, Target

logger = logging.getLogger(__name__)
KEPT_SECONDS = 5.0
Day = tuple[date, str, bool, int]


@dataclass(frozen=True)
class Rulebook:
    """All SLA rules as of one moment. Calendars are shared between rulebooks as long as their rows do not change."""

    calendars: dict[int, rules.WorkCalendar]
    calendar_names: dict[int, str]
    targets: dict[tuple[int, str], Target]
    rungs: dict[tuple[int, str], tuple[Rung, ...]]
    matrix: dict[tuple[str, str], int]
    known_days: tuple[date, ...]

    def calendar(self, pk: int | None) -> rules.WorkCalendar:
        """The calendar of a row; 24x7, the stricter promise, for one that was deleted meanwhile."""
        return self.calendars.get(pk or 0, rules.ALWAYS)

    def targets_of(self, priority: int) -> dict[str, Target]:
        """Targets of a priority by metric. P4 has none for restoration."""
        return {metric: target for (level, metric), target in self.targets.items() if level == priority}

    def minutes_for(self, target: Target, reported_at: datetime) -> int:
        """The target in minutes: the off-hours one when the report came outside the office calendar."""
        if target.off_hours_minutes is None or target.office_calendar_id is None:
            return target.minutes
        office = self.calendar(target.office_calendar_id)
        return target.minutes if office.is_working(reported_at) else target.off_hours_minutes

    def is_off_hours(self, clock: Clock) -> bool:
        """Whether a clock runs by the off-hours target, as far as today's rows tell."""
        target = self.targets.get((clock.priority, clock.metric))
        if target is None or target.office_calendar_id is None or clock.target_minutes != target.off_hours_minutes:
            return False
        return not self.calendar(target.office_calendar_id).is_working(clock.started_at)

    def ladder(self, priority: int, metric: str) -> list[rules.Rung]:
        """The active rungs of a clock, in the form that `rules.schedule` takes."""
        return [_rung(row) for row in self.rungs.get((priority, metric), ())]

    def rung(self, priority: int, metric: str, pk: int) -> Rung | None:
        """The row of a rung, as long as it is active."""
        return next((row for row in self.rungs.get((priority, metric), ()) if row.pk == pk), None)


_kept: tuple[float, Rulebook] | None = None


def rulebook() -> Rulebook:
    """The rules, at most five seconds old in this process."""
    global _kept
    now = stopwatch.monotonic()
    if _kept is None or now - _kept[0] > KEPT_SECONDS:
        _kept = (now, _read())
    return _kept[1]


def forget_rulebook() -> None:
    """Read the rules anew at the next use: after an edit in this process, and between tests."""
    global _kept
    _kept = None


def missing_years(at: datetime, *, ahead: timedelta = timedelta(days=60)) -> tuple[int, ...]:
    """Years that working calendars reach within `ahead` although no holiday of them was entered; empty is good."""
    book = rulebook()
    if all(calendar.is_always for calendar in book.calendars.values()):
        return ()
    reach = (at + ahead).date()
    return tuple(year for year in rules.missing_years(book.known_days, reach) if year >= at.year)


def _read() -> Rulebook:
    calendars = list(Calendar.objects.prefetch_related("windows", "days"))
    rungs: dict[tuple[int, str], list[Rung]] = defaultdict(list)
    for rung in Rung.objects.filter(active=True).order_by("pk"):
        rungs[rung.priority, rung.metric].append(rung)
    return Rulebook(
        calendars={row.pk: _work_calendar(row) for row in calendars},
        calendar_names={row.pk: row.name for row in calendars},
        targets={(row.priority, row.metric): row for row in Target.objects.all()},
        rungs={key: tuple(rows) for key, rows in rungs.items()},
        matrix={(row.impact, row.criticality): row.priority for row in PriorityRule.objects.all()},
        known_days=tuple(sorted(day.day for row in calendars for day in row.days.all())),
    )


def _rung(row: Rung) -> rules.Rung:
    if row.at_percent is not None:
        return rules.Rung(str(row.pk), "percent", row.at_percent)
    if row.past_due_minutes is not None:
        return rules.Rung(str(row.pk), "after_due", row.past_due_minutes)
    return rules.Rung(str(row.pk), "after_start", row.after_minutes or 0)


def _work_calendar(row: Calendar) -> rules.WorkCalendar:
    windows = tuple((window.weekday, window.starts, window.ends) for window in row.windows.all())
    return _built(row.timezone, row.always, windows, tuple(_day(day) for day in row.days.all()))


def _day(row: CalendarDay) -> Day:
    return row.day, row.name, row.works, row.like or 0


@lru_cache(maxsize=64)
def _built(
    zone: str, always: bool, windows: tuple[tuple[int, time, time], ...], days: tuple[Day, ...]
) -> rules.WorkCalendar:
    """One object per content, so that the instants it has worked out survive the next reading of the same rows.

    A calendar that cannot be counted must not stop a ward from reporting: it is repaired or taken as 24x7, and logged.
    """
    week = {weekday: _tidy((a, b) for day, a, b in windows if day == weekday) for weekday in range(7)}
    if always or not any(week.values()):
        if not always:
            logger.error("a work calendar has no window on any weekday and is taken as 24x7")
        return rules.WorkCalendar(_zone(zone), rules.ALWAYS.windows)
    return rules.WorkCalendar(
        _zone(zone),
        week,
        {day: week[like] if works else () for day, _, works, like in days},
        {day: name for day, name, _, _ in days},
    )


def _tidy(windows: Iterable[rules.Window]) -> tuple[rules.Window, ...]:
    """In order, overlaps joined, windows that run backwards left out."""
    day_end = time.max
    joined: list[tuple[time, time]] = []
    for opens, closes in sorted((a, b if b != time(0) else day_end) for a, b in windows):
        if closes <= opens:
            logger.error("a window from %s to %s runs backwards and is left out", opens, closes)
        elif joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return tuple((opens, time(0) if closes == day_end else closes) for opens, closes in joined)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        logger.exception("no time zone %s, the hospital's own is used", name)
        return ZoneInfo(settings.TIME_ZONE)
