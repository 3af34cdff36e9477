"""Working time: which instants count, how much of them lies between two moments, and when an amount is used up.

No database, no clock: a calendar is built from rows by `tickets.sla.queries` and handed in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

Window = tuple[time, time]
"""Opening and closing wall time of one day. A closing time of 00:00 means the end of that day (24:00)."""

Span = tuple[datetime, datetime]
"""A half-open stretch of time in UTC, start included, end excluded."""

MIDNIGHT = time(0)
WHOLE_DAY: tuple[Window, ...] = ((MIDNIGHT, MIDNIGHT),)
LONGEST_GAP_DAYS = 5 * 366
"""A calendar that offers nothing for five years is a typing mistake, not a long holiday."""


class NoWorkingTimeError(ValueError):
    """The calendar has no working time in the five years after the given moment."""


class BadCalendarError(ValueError):
    """The windows of a day overlap, run backwards or are out of order."""


@dataclass(frozen=True, eq=False)
class WorkCalendar:
    """The working hours of one campus.

    `windows` maps a weekday (0 Monday to 6 Sunday) to its windows; a missing weekday is free. `days` overrides single
    dates: no windows for a holiday, explicit windows for a make-up workday (调休). `names` says what an overridden
    date is called, for the explanation only.

    Windows are wall times in `tz`. All arithmetic is done on instants in UTC: an edge is the first instant at which
    the wall clock reaches it. So an edge inside a skipped hour falls on the moment of the jump, an edge inside a
    repeated hour counts once, the first time, and two windows that touch keep touching.
    """

    tz: tzinfo
    windows: Mapping[int, tuple[Window, ...]]
    days: Mapping[date, tuple[Window, ...]] = field(default_factory=dict)
    names: Mapping[date, str] = field(default_factory=dict)
    _spans: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse windows that nobody can mean; `BadCalendarError` names the day."""
        for key, windows in (*self.windows.items(), *self.days.items()):
            _check_windows(key, windows)

    @property
    def is_always(self) -> bool:
        """True when every minute of every day counts (24x7)."""
        return not self.days and all(self.windows.get(weekday) == WHOLE_DAY for weekday in range(7))

    def windows_on(self, day: date) -> tuple[Window, ...]:
        """The windows of a date, in wall time: the override if there is one, otherwise those of its weekday."""
        override = self.days.get(day)
        return self.windows.get(day.weekday(), ()) if override is None else override

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The windows of a date as instants in UTC, in order. A window swallowed by a clock change is left out."""
        if day not in self._spans:
            edges = [(self._instant(day, opens), self._close(day, closes)) for opens, closes in self.windows_on(day)]
            self._spans[day] = tuple((start, end) for start, end in edges if start < end)
        return self._spans[day]

    def local_date(self, at: datetime) -> date:
        """The date that the wall shows at an instant."""
        return at.astimezone(self.tz).date()

    def is_working(self, at: datetime) -> bool:
        """True when the instant lies in a window (opening included, closing excluded)."""
        at = _utc(at)
        return any(start <= at < end for start, end in self.spans(at, at + timedelta(microseconds=1)))

    def spans(self, start: datetime, end: datetime | None = None, pauses: Iterable[Span] = ()) -> Iterator[Span]:
        """Working stretches from `start` up to `end`, in order, without those inside `pauses`.

        Without `end` it never stops by itself; `NoWorkingTimeError` after five years in which nothing counts.
        """
        start, end = _utc(start), None if end is None else _utc(end)
        holes = merged(pauses)
        for open_at, close_at in self._open_spans(start, end):
            yield from _without((max(open_at, start), close_at if end is None else min(close_at, end)), holes)

    def working_between(self, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> timedelta:
        """Working time in [start, end) outside `pauses`; zero when `end` is not after `start`."""
        if end <= start:
            return timedelta(0)
        return sum((close - begin for begin, close in self.spans(start, end, pauses)), timedelta(0))

    def add_working(self, start: datetime, amount: timedelta, pauses: Iterable[Span] = ()) -> datetime:
        """The earliest instant (UTC) at which `amount` of working time outside `pauses` has passed since `start`.

        An amount that is used up exactly at closing time falls on closing time, not on the next opening. Pauses may
        overlap, nest, or begin before `start`. They must have ended: close a pause that still runs with
        `settled(pauses, at)`, which gives the instant as it would be if work resumed at `at`.
        Raises `NoWorkingTimeError` when the calendar offers nothing for five years.
        """
        if amount < timedelta(0):
            raise ValueError("A target cannot be negative")
        left = amount
        if not left:
            return _utc(start)
        for begin, close in self.spans(start, None, pauses):
            if close - begin >= left:
                return begin + left
            left -= close - begin
        raise NoWorkingTimeError(start)

    def _open_spans(self, start: datetime, end: datetime | None) -> Iterator[Span]:
        if self.is_always:
            yield start, end or datetime.max.replace(tzinfo=UTC)
            return
        day, idle = self.local_date(start), 0
        # One day more: where the clock falls back across midnight, tomorrow's windows open on today's date.
        last = None if end is None else self.local_date(end) + timedelta(days=1)
        while last is None or day <= last:
            live = [span for span in self.spans_on(day) if span[1] > start and (end is None or span[0] < end)]
            yield from live
            idle = 0 if live else idle + 1
            if end is None and idle > LONGEST_GAP_DAYS:
                raise NoWorkingTimeError(start)
            day += timedelta(days=1)

    def _close(self, day: date, at: time) -> datetime:
        return self._instant(day + timedelta(days=1) if at == MIDNIGHT else day, at)

    def _instant(self, day: date, at: time) -> datetime:
        """The first instant at which the wall clock reads `at` on `day` or has jumped past it."""
        wall = datetime.combine(day, at)
        later = wall.replace(tzinfo=self.tz, fold=0).astimezone(UTC)
        if later.astimezone(self.tz).replace(tzinfo=None) == wall:
            return later
        # The wall skips this time. `later` lies after the jump, the other fold before it: halve until they meet.
        earlier = wall.replace(tzinfo=self.tz, fold=1).astimezone(UTC)
        while later - earlier > timedelta(seconds=1):
            middle = earlier + timedelta(seconds=int((later - earlier).total_seconds()) // 2)
            if middle.astimezone(self.tz).replace(tzinfo=None) >= wall:
                later = middle
            else:
                earlier = middle
        return later


def settled(pauses: Iterable[tuple[datetime, datetime | None]], at: datetime) -> list[Span]:
    """The same pauses with those still open ended at `at`; one that is open but begins after `at` is left out."""
    return [(start, at if end is None else end) for start, end in pauses if end is not None or start < at]


def merged(pauses: Iterable[Span]) -> list[Span]:
    """Pauses in order, overlaps and touching ones joined, empty ones dropped."""
    joined: list[Span] = []
    for start, end in sorted((_utc(start), _utc(end)) for start, end in pauses if start < end):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def missing_years(days: Iterable[date], upto: date) -> tuple[int, ...]:
    """Years without a single holiday or make-up day, from the first known year to the year of `upto`.

    A year in this list is computed as if it had no holidays, so whoever shows or promises times must warn. Without
    any day at all, only the year of `upto` is reported.
    """
    known = {day.year for day in days}
    first = min(known, default=upto.year)
    return tuple(year for year in range(first, upto.year + 1) if year not in known)


def _without(span: Span, holes: list[Span]) -> Iterator[Span]:
    start, end = span
    for hole_start, hole_end in holes:
        if hole_end <= start:
            continue
        if hole_start >= end:
            break
        if start < hole_start:
            yield start, hole_start
        start = hole_end
    if start < end:
        yield start, end


def _check_windows(key: object, windows: tuple[Window, ...]) -> None:
    previous = MIDNIGHT
    for index, (opens, closes) in enumerate(windows):
        if closes != MIDNIGHT and closes <= opens:
            raise BadCalendarError(f"{key}: {opens:%H:%M} to {closes:%H:%M} runs backwards")
        if index and (opens < previous or previous == MIDNIGHT):
            raise BadCalendarError(f"{key}: {opens:%H:%M} begins before the window ahead of it has ended")
        previous = closes


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("A moment without a time zone cannot be counted")
    return at.astimezone(UTC)


ALWAYS = WorkCalendar(ZoneInfo("UTC"), dict.fromkeys(range(7), WHOLE_DAY))
"""24x7: every minute counts."""
