"""Rules as managers edit them: what is refused, what is survived, and how often they are read."""

from __future__ import annotations

from datetime import date, time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from tests.tickets.sla.calendars import hours, minutes, shanghai
from tests.tickets.sla.conftest import Make
from tickets.sla import queries
from tickets.sla.models import Calendar, CalendarDay, CalendarWindow, Rung, Target

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


@pytest.fixture
def office() -> Calendar:
    return Calendar.objects.get(code="office")


def counted(calendar: Calendar) -> Any:
    queries.forget_rulebook()
    return queries.rulebook().calendar(calendar.pk)


def test_the_rules_are_read_once_for_five_seconds(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = import_module("tickets.sla.queries.rulebook")
    shows = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(reading, "stopwatch", shows)
    queries.rulebook()

    shows.monotonic = lambda: 105.0
    with django_assert_num_queries(0):
        queries.rulebook()
    shows.monotonic = lambda: 105.1
    with django_assert_num_queries(6):
        queries.rulebook()


def test_an_unchanged_calendar_keeps_what_it_worked_out(office: Calendar) -> None:
    assert counted(office) is counted(office)


def test_a_new_holiday_counts_from_the_next_reading(office: Calendar) -> None:
    CalendarDay.objects.create(calendar=office, day=date(2026, 11, 19), name="院庆")

    assert counted(office).add_working(shanghai(11, 18, 17), hours(1)) == shanghai(11, 20, 8, 30)


def test_a_make_up_day_works_like_the_weekday_it_names(office: Calendar) -> None:
    office.windows.filter(weekday=4).delete()
    office.windows.create(weekday=4, starts=time(8), ends=time(12))
    CalendarDay.objects.create(calendar=office, day=date(2026, 11, 21), name="调休", works=True, like=4)

    assert counted(office).working_between(shanghai(11, 21), shanghai(11, 22)) == hours(4)


def test_windows_that_overlap_are_joined_and_backward_ones_left_out(office: Calendar) -> None:
    office.windows.create(weekday=0, starts=time(11), ends=time(14))
    office.windows.create(weekday=0, starts=time(20), ends=time(19))

    assert counted(office).windows_on(date(2026, 11, 16)) == ((time(8), time(17, 30)),)


def test_a_window_to_midnight_reaches_the_end_of_the_day(office: Calendar) -> None:
    office.windows.create(weekday=0, starts=time(22), ends=time(0))

    assert counted(office).working_between(shanghai(11, 16, 21), shanghai(11, 17, 3)) == hours(2)


def test_a_calendar_without_windows_never_stops_a_report(office: Calendar, ticket_of: Make) -> None:
    office.windows.all().delete()
    queries.forget_rulebook()

    ticket = ticket_of(3, reported_at=shanghai(11, 21, 3))

    assert ticket.clocks.get(metric="response").due_at == shanghai(11, 21, 3, 30)


def test_an_unknown_time_zone_falls_back_to_the_hospitals(office: Calendar) -> None:
    Calendar.objects.filter(pk=office.pk).update(timezone="Asia/Nowhere")

    assert counted(office).add_working(shanghai(11, 18, 17), minutes(15)) == shanghai(11, 18, 17, 15)


def test_a_target_without_off_hours_has_one_length(office: Calendar) -> None:
    target = Target.objects.get(priority=1, metric="fix")

    assert queries.rulebook().minutes_for(target, shanghai(11, 21, 3)) == 240


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (CalendarWindow(weekday=0, starts=time(12), ends=time(8)), "ends"),
        (Calendar(code="x", name="x", timezone="Asia/Nowhere"), "timezone"),
    ],
)
def test_the_admin_refuses_what_nobody_can_mean(row: Any, field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        row.clean()

    assert list(refusal.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        (999_999_999, "最多 527040 分钟，也就是一年。"),
        (29, "恢复时限是 30 分钟，这里不能更短。"),
    ],
)
def test_a_promise_that_nobody_can_keep_is_refused_by_a_sentence(minutes: int, sentence: str) -> None:
    target = Target.objects.get(priority=1, metric="fix")

    target.minutes = minutes
    with pytest.raises(ValidationError) as refusal:
        target.full_clean()

    assert refusal.value.message_dict == {"minutes": [sentence]}


def test_an_earlier_promise_is_not_longer_than_a_later_one() -> None:
    target = Target.objects.get(priority=1, metric="arrival")

    target.minutes = 31
    with pytest.raises(ValidationError) as refusal:
        target.full_clean()

    assert refusal.value.message_dict == {"minutes": ["恢复时限是 30 分钟，这里不能更长。"]}


def test_the_shipped_promises_are_in_order() -> None:
    for target in Target.objects.all():
        target.full_clean()


def test_no_way_around_the_admin_stores_ages_of_working_time() -> None:
    with pytest.raises(IntegrityError, match="target_within_a_year"):
        Target.objects.filter(priority=3, metric="response").update(minutes=999_999_999)


def test_a_rung_years_later_is_refused() -> None:
    rung = Rung.objects.filter(after_minutes__isnull=False)[0]

    rung.after_minutes = 999_999_999
    with pytest.raises(ValidationError) as refusal:
        rung.full_clean()

    assert refusal.value.message_dict == {"after_minutes": ["最多 527040 分钟，也就是一年。"]}


def test_why_a_due_time_at_night_names_the_off_hours_promise(office: Calendar, ticket_of: Make) -> None:
    night = ticket_of(1, reported_at=shanghai(11, 21, 3))
    day = ticket_of(1, reported_at=shanghai(11, 20, 10))

    said = [queries.explanation_lines(ticket, "arrival", ticket.reported_at)[1] for ticket in (night, day)]

    assert [(line["text"], line["value"]) for line in said] == [
        ("P1 非工作时间的到场时限，按24×7日历", "+ 30 分"),
        ("P1 到场时限，按24×7日历", "+ 10 分"),
    ]


def test_a_window_to_midnight_is_accepted() -> None:
    CalendarWindow(weekday=0, starts=time(22), ends=time(0)).clean()
