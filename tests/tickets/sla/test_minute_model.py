"""The rules against a second opinion: a model that counts minute by minute and shares no code with them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.sla.rules import (
    Pause,
    Promise,
    Rung,
    WorkCalendar,
    explain,
    net,
    schedule,
)

Case = tuple[WorkCalendar, datetime, int, list[tuple[datetime, datetime]]]
MINUTE = timedelta(minutes=1)
EXAMPLES = settings(max_examples=200, deadline=None)
ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "America/New_York", "UTC"]
# Weeks in which one of the zones changes its clock, and two in which none does.
DAYS = [date(2026, 3, 7), date(2026, 3, 28), date(2026, 4, 3), date(2026, 9, 4), date(2026, 10, 3), date(2026, 10, 24)]
DAYS += [date(2026, 10, 31), date(2026, 6, 15), date(2027, 1, 1)]


# The model. -----------------------------------------------------------------------------------------------------------


class Model:
    """Walks over UTC minutes. The wall clock counts as what it has reached: it never runs backwards."""

    def __init__(self, calendar: WorkCalendar) -> None:
        self.zone = calendar.tz
        self.weekdays = {day: self._numbers(windows) for day, windows in calendar.windows.items()}
        self.dates = {day: self._numbers(windows) for day, windows in calendar.days.items()}

    @staticmethod
    def _numbers(windows: tuple[tuple[time, time], ...]) -> list[range]:
        def number(at: time) -> int:
            return at.hour * 60 + at.minute

        return [range(number(opens), number(closes) or 24 * 60) for opens, closes in windows]

    def minutes(self, start: datetime, pauses: list[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, bool]]:
        """Every minute from `start` on, and whether it counts."""
        now, reached = start - timedelta(hours=6), datetime(1, 1, 1)  # noqa: DTZ001 - a wall time
        while True:
            reached = max(reached, now.astimezone(self.zone).replace(tzinfo=None))
            if now >= start:
                yield now, self._is_open(reached) and not any(a <= now < b for a, b in pauses)
            now += MINUTE

    def _is_open(self, wall: datetime) -> bool:
        ranges = self.dates.get(wall.date(), self.weekdays.get(wall.weekday(), []))
        return any(wall.hour * 60 + wall.minute in one for one in ranges)

    def due(self, start: datetime, target: int, pauses: list[tuple[datetime, datetime]]) -> datetime:
        if not target:
            return start
        for now, counts in self.minutes(start, pauses):
            target -= counts
            if not target:
                return now + MINUTE
        raise AssertionError

    def used(self, start: datetime, end: datetime, pauses: list[tuple[datetime, datetime]]) -> int:
        total = 0
        for now, counts in self.minutes(start, pauses):
            if now >= end:
                return total
            total += counts
        raise AssertionError


# Random hospitals. ----------------------------------------------------------------------------------------------------


@st.composite
def windows(draw: st.DrawFn) -> tuple[tuple[time, time], ...]:
    edges = sorted(draw(st.sets(st.integers(0, 48), min_size=2, max_size=6)))
    clock = [time(edge // 2 % 24, edge % 2 * 30) for edge in edges]
    return tuple(zip(clock[::2], clock[1::2], strict=False))


def near_edges(lowest: int, highest: int) -> st.SearchStrategy[int]:
    """Minutes that meet the half-hours on which windows open and close, or miss them by one."""
    halves = st.integers(lowest // 30, highest // 30)
    return st.builds(lambda half, off: max(lowest, half * 30 + off), halves, st.sampled_from([0, 0, -1, 1, 7]))


@st.composite
def calendars(draw: st.DrawFn, around: date) -> WorkCalendar:
    weekdays = draw(st.sets(st.integers(0, 6), min_size=2))
    near = st.integers(-1, 9).map(lambda n: around + timedelta(days=n))
    special = draw(st.dictionaries(near, st.one_of(st.just(()), windows()), max_size=4))
    return WorkCalendar(ZoneInfo(draw(st.sampled_from(ZONES))), {day: draw(windows()) for day in weekdays}, special)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    around = draw(st.sampled_from(DAYS))
    midnight = datetime.combine(around, time(0), UTC)
    start = midnight + MINUTE * draw(near_edges(0, 3 * 1440))
    span = st.tuples(near_edges(-600, 4000), near_edges(1, 2000))
    pauses = [(midnight + MINUTE * a, midnight + MINUTE * (a + n)) for a, n in draw(st.lists(span, max_size=3))]
    return draw(calendars(around)), start, draw(near_edges(0, 900)), pauses


# The comparison. ------------------------------------------------------------------------------------------------------


@EXAMPLES
@given(cases())
def test_the_due_time_is_the_minute_at_which_the_model_runs_out(case: Case) -> None:
    calendar, start, target, pauses = case

    due = calendar.add_working(start, MINUTE * target, pauses)

    assert due == Model(calendar).due(start, target, pauses)


@EXAMPLES
@given(cases(), st.integers(0, 9000))
def test_the_time_used_is_the_number_of_minutes_the_model_counts(case: Case, length: int) -> None:
    calendar, start, _, pauses = case
    end = start + MINUTE * length

    assert net(calendar, start, end, pauses) == MINUTE * Model(calendar).used(start, end, pauses)


@EXAMPLES
@given(cases())
def test_open_or_closed_is_the_same_at_every_edge(case: Case) -> None:
    calendar, start, _, _ = case

    for (now, counts), _ in zip(Model(calendar).minutes(start, []), range(600), strict=False):
        assert calendar.is_working(now) == counts, now


@EXAMPLES
@given(cases(), st.integers(1, 100), st.integers(1, 600))
def test_every_step_comes_at_the_minute_of_the_model(case: Case, percent: int, late: int) -> None:
    calendar, start, target, pauses = case
    model, target = Model(calendar), target // 5 * 5
    rungs = [Rung("share", "percent", percent), Rung("start", "after_start", late), Rung("late", "after_due", late)]

    steps = {step.key: step.at for step in schedule(calendar, MINUTE * target, start, rungs, pauses)}

    due = model.due(start, target, pauses)
    assert steps["breach"] == due
    assert steps["warning"] == model.due(start, target * 4 // 5, pauses)
    assert steps["rung:start"] == model.due(start, late, pauses)
    assert steps["rung:late"] == model.due(due, late, pauses)
    assert start <= steps["rung:share"] <= due


@EXAMPLES
@given(cases())
def test_the_explanation_adds_up(case: Case) -> None:
    calendar, start, target, spans = case
    pauses = tuple(Pause(began, ended, "parts") for began, ended in spans)

    lines = explain(Promise("fix", 3, start, MINUTE * target, calendar, "work", pauses), start)

    due = Model(calendar).due(start, target, spans)
    assert lines[-1].at == due
    zero = timedelta(0)
    assert sum((line.amount for line in lines if line.kind == "day"), zero) == MINUTE * target
    held = sum((line.params["paused"] for line in lines if line.kind in {"day", "held"}), zero)
    before_due = [(max(a, start), min(b, due)) for a, b in spans if max(a, start) < due]
    free = Model(calendar)
    assert held == MINUTE * (free.used(start, due, []) - free.used(start, due, before_due))
    assert held == next(line.amount for line in lines if line.kind == "pauses")
