"""Working time, case by case. 2026-11-16 is a Monday."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.tickets.sla.calendars import HOSPITAL, SHANGHAI, WORKDAY, hours, minutes, shanghai
from tickets.sla.rules import (
    ALWAYS,
    BadCalendarError,
    NoWorkingTimeError,
    WorkCalendar,
    merged,
    missing_years,
    settled,
)

BERLIN = ZoneInfo("Europe/Berlin")


def test_lunch_is_not_counted() -> None:
    assert HOSPITAL.working_between(shanghai(11, 16, 11), shanghai(11, 16, 14)) == hours(1.5)
    assert HOSPITAL.add_working(shanghai(11, 16, 11), hours(2)) == shanghai(11, 16, 14, 30)
    assert not HOSPITAL.is_working(shanghai(11, 16, 12))
    assert HOSPITAL.is_working(shanghai(11, 16, 13, 30))


def test_a_weekend_is_stepped_over() -> None:
    assert HOSPITAL.add_working(shanghai(11, 20, 17), hours(1)) == shanghai(11, 23, 8, 30)
    assert HOSPITAL.working_between(shanghai(11, 21), shanghai(11, 23)) == timedelta(0)


def test_a_holiday_week_is_stepped_over_and_the_make_up_saturday_is_worked() -> None:
    reported = shanghai(9, 30, 16)

    due = HOSPITAL.add_working(reported, hours(24))

    # 1.5 h on 30 September, 8 h on Thursday 8 and Friday 9 October, 6.5 h on the make-up Saturday.
    assert due == shanghai(10, 10, 16)


def test_an_ordinary_saturday_is_free_when_the_make_up_saturday_is_not() -> None:
    assert HOSPITAL.is_working(shanghai(10, 10, 9))
    assert not HOSPITAL.is_working(shanghai(10, 17, 9))


def test_a_report_at_night_starts_with_the_next_opening() -> None:
    assert HOSPITAL.add_working(shanghai(11, 16, 23, 10), minutes(30)) == shanghai(11, 17, 8, 30)


def test_a_report_before_opening_starts_with_that_days_opening() -> None:
    assert HOSPITAL.add_working(shanghai(11, 16, 6), minutes(30)) == shanghai(11, 16, 8, 30)


def test_an_amount_used_up_at_closing_time_is_due_at_closing_time() -> None:
    assert HOSPITAL.add_working(shanghai(11, 16, 8), hours(4)) == shanghai(11, 16, 12)
    assert HOSPITAL.add_working(shanghai(11, 16, 8), hours(8)) == shanghai(11, 16, 17, 30)


def test_no_amount_is_due_at_once_even_at_night() -> None:
    assert HOSPITAL.add_working(shanghai(11, 16, 23), timedelta(0)) == shanghai(11, 16, 23)


def test_three_windows_a_day_are_counted_in_order() -> None:
    busy = ((time(7), time(9)), (time(10), time(12)), (time(20), time(0)))
    calendar = WorkCalendar(SHANGHAI, dict.fromkeys(range(7), busy))

    assert calendar.add_working(shanghai(11, 16, 8), hours(4)) == shanghai(11, 16, 21)
    assert calendar.working_between(shanghai(11, 16), shanghai(11, 17)) == hours(8)


def test_a_window_may_end_at_midnight_and_the_next_begin_there() -> None:
    evening, night = ((time(22), time(0)),), ((time(0), time(2)),)
    calendar = WorkCalendar(SHANGHAI, {0: evening, 1: night})

    assert calendar.working_between(shanghai(11, 16, 21), shanghai(11, 17, 3)) == hours(4)
    assert calendar.add_working(shanghai(11, 16, 21), hours(3)) == shanghai(11, 17, 1)


def test_seconds_are_kept() -> None:
    assert HOSPITAL.add_working(shanghai(11, 16, 11, 59, 50), minutes(1)) == shanghai(11, 16, 13, 30, 50)


def test_round_the_clock_counts_every_minute() -> None:
    assert ALWAYS.is_always
    assert ALWAYS.add_working(shanghai(11, 21, 3), hours(4)) == shanghai(11, 21, 7)
    assert ALWAYS.working_between(shanghai(1, 1), shanghai(11, 21)) == timedelta(days=324)


def test_a_round_the_clock_calendar_with_a_holiday_is_not_round_the_clock() -> None:
    calendar = WorkCalendar(SHANGHAI, ALWAYS.windows, {date(2026, 11, 17): ()})

    assert not calendar.is_always
    assert calendar.add_working(shanghai(11, 16, 23), hours(2)) == shanghai(11, 18, 1)


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    assert HOSPITAL.is_working(datetime(2026, 11, 16, 1, tzinfo=UTC))
    assert HOSPITAL.add_working(datetime(2026, 11, 16, 1, tzinfo=UTC), hours(1)) == shanghai(11, 16, 10)


def test_a_pause_over_lunch_adds_only_its_working_time() -> None:
    pause = (shanghai(11, 16, 11, 30), shanghai(11, 16, 14))

    due = HOSPITAL.add_working(shanghai(11, 16, 9), hours(4), [pause])

    # 2.5 h before the pause, 1.5 h after it: half an hour of morning and half an hour of afternoon were lost.
    assert due == shanghai(11, 16, 15, 30)


def test_two_pauses_add_up_and_overlapping_ones_count_once() -> None:
    first, second = (shanghai(11, 16, 9), shanghai(11, 16, 10)), (shanghai(11, 16, 14), shanghai(11, 16, 15))
    overlapping = (shanghai(11, 16, 9, 30), shanghai(11, 16, 10, 30))

    assert HOSPITAL.add_working(shanghai(11, 16, 8), hours(5), [second, first]) == shanghai(11, 16, 16, 30)
    assert HOSPITAL.add_working(shanghai(11, 16, 8), hours(2), [first, overlapping]) == shanghai(11, 16, 11, 30)
    assert merged([overlapping, first]) == [(shanghai(11, 16, 9), shanghai(11, 16, 10, 30))]


def test_a_pause_over_the_weekend_adds_only_its_working_time() -> None:
    pause = (shanghai(11, 20, 17), shanghai(11, 23, 9))

    assert HOSPITAL.add_working(shanghai(11, 20, 16), hours(2), [pause]) == shanghai(11, 23, 10)


def test_a_pause_after_the_due_time_changes_nothing() -> None:
    pause = (shanghai(11, 16, 10), shanghai(11, 16, 11))

    assert HOSPITAL.add_working(shanghai(11, 16, 8), hours(2), [pause]) == shanghai(11, 16, 10)


def test_an_open_pause_moves_the_due_time_as_time_goes_by() -> None:
    pauses = [(shanghai(11, 16, 9), None)]

    def due_as_of(at: datetime) -> datetime:
        return HOSPITAL.add_working(shanghai(11, 16, 8), hours(2), settled(pauses, at))

    assert due_as_of(shanghai(11, 16, 10)) == shanghai(11, 16, 11)
    assert due_as_of(shanghai(11, 16, 12, 30)) == due_as_of(shanghai(11, 16, 13)) == shanghai(11, 16, 14, 30)


def test_spring_forward_takes_an_hour_from_the_night() -> None:
    # Berlin, Sunday 29 March 2026: 02:00 jumps to 03:00.
    nights = WorkCalendar(BERLIN, dict.fromkeys(range(7), ((time(0), time(6)),)))
    start = datetime(2026, 3, 29, tzinfo=BERLIN)

    assert nights.working_between(start, datetime(2026, 3, 29, 12, tzinfo=BERLIN)) == hours(5)
    assert nights.add_working(start, hours(4)) == datetime(2026, 3, 29, 5, tzinfo=BERLIN)


def test_fall_back_gives_the_night_an_hour() -> None:
    # Berlin, Sunday 25 October 2026: 03:00 falls back to 02:00.
    nights = WorkCalendar(BERLIN, dict.fromkeys(range(7), ((time(0), time(6)),)))
    start = datetime(2026, 10, 25, tzinfo=BERLIN)

    assert nights.working_between(start, datetime(2026, 10, 25, 12, tzinfo=BERLIN)) == hours(7)


def test_an_edge_in_the_skipped_hour_falls_on_the_jump() -> None:
    early = WorkCalendar(BERLIN, dict.fromkeys(range(7), ((time(2, 30), time(6)),)))
    late = WorkCalendar(BERLIN, dict.fromkeys(range(7), ((time(1), time(2, 30)),)))
    night = (datetime(2026, 3, 29, tzinfo=BERLIN), datetime(2026, 3, 29, 12, tzinfo=BERLIN))

    assert early.spans_on(date(2026, 3, 29))[0][0] == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert early.working_between(*night) == hours(3)
    assert late.working_between(*night) == hours(1)


def test_a_window_inside_the_skipped_hour_does_not_exist_that_day() -> None:
    calendar = WorkCalendar(BERLIN, dict.fromkeys(range(7), ((time(2, 10), time(2, 50)),)))

    assert calendar.spans_on(date(2026, 3, 29)) == ()
    assert calendar.add_working(datetime(2026, 3, 29, tzinfo=BERLIN), minutes(40)) == datetime(
        2026, 3, 30, 2, 50, tzinfo=BERLIN
    )


def test_touching_windows_in_the_repeated_hour_are_not_counted_twice() -> None:
    windows = ((time(0), time(2, 30)), (time(2, 30), time(6)))
    calendar = WorkCalendar(BERLIN, dict.fromkeys(range(7), windows))
    night = (datetime(2026, 10, 25, tzinfo=BERLIN), datetime(2026, 10, 25, 12, tzinfo=BERLIN))

    assert calendar.working_between(*night) == hours(7)


def test_a_calendar_without_working_time_says_so() -> None:
    with pytest.raises(NoWorkingTimeError):
        WorkCalendar(SHANGHAI, {}).add_working(shanghai(11, 16), minutes(1))


@pytest.mark.parametrize(
    "windows",
    [
        ((time(12), time(8)),),
        ((time(8), time(8)),),
        ((time(8), time(12)), (time(11), time(13))),
        ((time(13), time(17)), (time(8), time(12))),
        ((time(8), time(0)), (time(9), time(10))),
    ],
)
def test_windows_that_nobody_can_mean_are_refused(windows: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(BadCalendarError):
        WorkCalendar(SHANGHAI, {0: windows})


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        HOSPITAL.add_working(datetime(2026, 11, 16), minutes(1))  # noqa: DTZ001 - the refusal is the point


def test_years_without_any_holiday_are_reported() -> None:
    days = [date(2025, 1, 1), date(2026, 10, 1)]

    assert missing_years(days, date(2026, 12, 31)) == ()
    assert missing_years(days, date(2027, 1, 4)) == (2027,)
    assert missing_years([date(2025, 1, 1)], date(2027, 1, 4)) == (2026, 2027)
    assert missing_years([], date(2027, 1, 4)) == (2027,)


def test_a_target_a_century_of_windows_away_is_still_cheap() -> None:
    calendar = WorkCalendar(SHANGHAI, {0: WORKDAY})

    assert calendar.add_working(shanghai(11, 16, 8), hours(8 * 52)) == datetime(2027, 11, 8, 17, 30, tzinfo=SHANGHAI)
