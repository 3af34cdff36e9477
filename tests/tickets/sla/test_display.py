"""The line, the ring and the panel "why this due time?". `now` is Wednesday 18 November 2026, 14:21:08."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from tests.tickets.sla.calendars import hours, minutes, shanghai
from tests.tickets.sla.conftest import Make
from tickets.record.models import HoldReason, Ticket
from tickets.sla import queries
from tickets.sla import services as sla

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("p1_may_wait")]
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _chinese() -> Any:
    with translation.override("zh-hans"):
        yield


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.for_board().get(pk=ticket.pk)


def wait_for_parts(ticket: Ticket, at: datetime, until: datetime) -> None:
    reason = HoldReason.objects.get(code="parts")
    sla.pause(ticket, reason=reason, until=until, by=None, at=at)
    Ticket.objects.filter(pk=ticket.pk).update(hold_reason=reason, hold_until=until)


def test_the_line_has_four_stops_in_order_and_the_first_open_one_is_now(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "response", at=now + 72 * SECOND)

    stops = queries.stops_for(fresh(ticket), now + minutes(2))

    assert [(stop["metric"], stop["status"]) for stop in stops] == [
        ("response", "met"),
        ("arrival", "now"),
        ("restoration", "todo"),
        ("fix", "todo"),
    ]
    assert (stops[0]["label"], stops[0]["detail"]) == ("响应", "1 分 12 秒")
    assert (stops[3]["label"], stops[3]["detail"]) == ("修复", "最晚 18:21")


def test_near_and_late_stops_say_by_how_much(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "response", at=now + minutes(5) + 18 * SECOND)

    stops = queries.stops_for(fresh(ticket), now + minutes(9))

    assert (stops[0]["status"], stops[0]["label"], stops[0]["detail"]) == ("late", "响应 +2:18", "14:26")
    assert stops[0]["sentence"] == "响应超时 2 分 18 秒"
    assert (stops[1]["status"], stops[1]["detail"]) == ("near", "还有 1 分")


def test_the_ticket_page_says_time_used_and_target(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "response", at=now + 72 * SECOND)

    stop = queries.stops_for(fresh(ticket), now + minutes(2), full=True)[0]

    assert (stop["label"], stop["detail"]) == ("响应 1 分 12 秒", '时限 3 分<i class="sep">·</i>14:22')


def test_a_target_met_at_night_says_that_no_time_counted(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 20, 22))
    sla.meet(ticket, "response", at=shanghai(11, 20, 22) + minutes(10))

    stop = queries.stops_for(fresh(ticket), shanghai(11, 20, 23), full=True)[0]

    assert stop["label"] == "响应 下班时间"


def test_a_waiting_fix_is_drawn_as_waiting(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    for metric in ("response", "arrival", "restoration"):
        sla.meet(ticket, metric, at=now + minutes(2))
    wait_for_parts(ticket, now + minutes(30), now + hours(9))

    stops, ring = queries.stops_for(fresh(ticket), now + hours(8)), queries.ring_for(fresh(ticket), now + hours(8))

    assert (stops[3]["status"], stops[3]["detail"]) == ("hold", "等配件")
    assert (ring["status"], ring["value"], ring["target"]) == ("hold", "暂停", "等配件")
    assert ring["sentence"] == "修复已暂停：等配件"


def test_a_p4_draws_the_stop_without_a_target(ticket_of: Make, now: datetime) -> None:
    stops = queries.stops_for(fresh(ticket_of(4)), now)

    assert (stops[2]["metric"], stops[2]["status"], stops[2]["detail"]) == ("restoration", "todo", "不设时限")


@pytest.mark.parametrize(
    ("after", "status", "value", "unit", "sentence"),
    [
        (minutes(2), "ok", "1:00", "", "距响应 1 分"),
        (minutes(2) + 30 * SECOND, "warn", "0:30", "", "距响应 30 秒"),
        (minutes(5) + 18 * SECOND, "breach", "+2", "分", "响应超时 2 分 18 秒"),
    ],
)
def test_the_ring_shows_the_clock_that_is_due_first(
    ticket_of: Make, now: datetime, after: timedelta, status: str, value: str, unit: str, sentence: str
) -> None:
    ring = queries.ring_for(fresh(ticket_of(1)), now + after)

    assert (ring["status"], ring["value"], ring["unit"], ring["sentence"]) == (status, value, unit, sentence)
    assert ring["target"] == "响应"


def test_the_arc_is_the_share_of_working_time_left(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 20, 16))

    for metric in ("response", "arrival", "restoration"):
        sla.meet(ticket, metric, at=shanghai(11, 20, 16, 10))
    on_saturday = queries.ring_for(fresh(ticket), shanghai(11, 21, 12))

    assert on_saturday["share_left"] == pytest.approx(22.5 / 24)
    assert (on_saturday["value"], on_saturday["unit"], on_saturday["total"]) == ("4", "天", None)


def test_an_ended_ticket_has_a_quiet_ring_and_keeps_its_late_stops(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "response", at=now + minutes(4))
    sla.stop(ticket, at=now + minutes(5))

    ring, stops = queries.ring_for(fresh(ticket), now), queries.stops_for(fresh(ticket), now + hours(9))

    assert (ring["running"], ring["status"]) == (False, "ok")
    assert [stop["status"] for stop in stops] == ["late", "todo", "todo", "todo"]


def test_drawing_fifty_tickets_asks_the_database_nothing(
    ticket_of: Make, now: datetime, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        ticket_of(2)
    tickets = list(Ticket.objects.for_board())
    queries.rulebook()

    with django_assert_num_queries(0):
        for ticket in tickets:
            queries.stops_for(ticket, now)
            queries.ring_for(ticket, now)


def test_why_is_a_sum_that_reads_aloud(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    lines = queries.explanation_lines(fresh(ticket), "fix", now)

    assert [(line["text"], line["value"]) for line in lines] == [
        ("报修时间，以服务器收到为准", "今天 14:21:08"),
        ("P1 修复时限，按24×7日历", "+ 4 小时"),
        ("暂停 0 次", "+ 0 分"),
        ("最晚修复", "今天 18:21:08"),
    ]


def test_why_tells_days_lunch_weekend_and_pauses(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 20, 16))
    wait_for_parts(ticket, shanghai(11, 23, 9), shanghai(11, 25))
    sla.resume(ticket, by=None, at=shanghai(11, 23, 11))

    lines = queries.explanation_lines(fresh(ticket), "fix", shanghai(11, 24))

    assert [f"{line['text']} | {line['value']}" for line in lines] == [
        "报修时间，以服务器收到为准 | 11-20 16:00:00",
        "P3 修复时限，按工作时间日历 | + 24 小时",
        "11-20 周五 16:00 到 17:30 | 1 小时 30 分",
        "11-21 周六 到 11-22 周日 休息日 | 不计",
        "11-23 周一 08:00 到 12:00，13:30 到 17:30，其中暂停 2 小时 | 6 小时",
        "12:00 到 13:30 休息 | 不计",
        "11-24 周二 08:00 到 12:00，13:30 到 17:30 | 8 小时",
        "11-25 周三 08:00 到 12:00，13:30 到 17:30 | 8 小时",
        "11-26 周四 08:00 到 08:30 | 30 分",
        "等配件，11-23 09:00 到 11-23 11:00 | + 2 小时",
        "暂停 1 次 | + 2 小时",
        "最晚修复 | 11-26 08:30:00",
    ]


def test_why_warns_when_the_years_holidays_are_unknown(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(12, 31, 9))

    lines = queries.explanation_lines(fresh(ticket), "fix", shanghai(12, 31, 9))

    assert "2027 年的节假日还没录入，按没有节假日算" in [line["text"] for line in lines]


def test_the_explained_due_time_is_the_stored_one_and_is_json(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(2)
    wait_for_parts(ticket, now + hours(1), now + hours(9))
    sla.resume(ticket, by=None, at=now + hours(2))
    sla.rebase(ticket, from_priority=2, to_priority=1, reason="-", by=None, at=now + hours(3))

    told = json.loads(json.dumps(queries.explanation(fresh(ticket), now + hours(3))))

    due = {clock["metric"]: datetime.fromisoformat(clock["due_at"]) for clock in told["clocks"]}
    assert due == {clock.metric: clock.due_at for clock in ticket.clocks.all()}
    fix = told["clocks"][3]
    assert (fix["gross_seconds"], fix["net_seconds"]) == (3 * 3600, 2 * 3600)


def test_why_costs_the_same_however_many_pauses(ticket_of: Make, now: datetime, django_assert_num_queries: Any) -> None:
    ticket = ticket_of(1)
    for n in range(5):
        wait_for_parts(ticket, now + hours(n), now + hours(n) + minutes(9))
        sla.resume(ticket, by=None, at=now + hours(n) + minutes(9))
    ticket = fresh(ticket)
    queries.rulebook()

    with django_assert_num_queries(3):
        queries.explanation(ticket, now)


def test_the_panel_is_a_table_with_the_sum_at_its_end(ticket_of: Make, now: datetime) -> None:
    ticket = fresh(ticket_of(1))

    html = render_to_string("tickets/_why_due.html", {"why": queries.explanation(ticket, now, "fix")})

    assert "为什么是 18:21" in html
    assert '<tr class="sum"><th scope="row">最晚修复</th><td>今天 18:21:08</td></tr>' in html


def test_an_unknown_metric_explains_nothing(ticket_of: Make, now: datetime) -> None:
    assert queries.explanation(fresh(ticket_of(1)), now, "coffee") == {}


def test_why_and_the_line_speak_english_too(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(9, 30, 16))
    wait_for_parts(ticket, shanghai(10, 8, 9), shanghai(10, 9))
    sla.resume(ticket, by=None, at=shanghai(10, 8, 11))

    with translation.override("en"):
        ticket, now = fresh(ticket), shanghai(10, 9)
        shown = json.dumps(
            [
                queries.explanation(ticket, now),
                queries.stops_for(ticket, now, full=True),
                queries.ring_for(ticket, now),
            ],
            default=str,
            ensure_ascii=False,
        )

    assert "National Day" in shown
    assert "Waiting for parts" in shown
    assert not [sign for sign in shown if "\u4e00" <= sign <= "\u9fff"]
