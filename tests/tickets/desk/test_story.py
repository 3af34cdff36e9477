"""The ticket's timeline: who sent whom and why, and what was measured before the device went back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import translation

from assets.models import Device, FaultPreset, User
from tests.tickets.desk import stories
from tickets.desk import queries
from tickets.lifecycle import services as lifecycle
from tickets.models import Comment, HoldReason, Ticket

TESTS = [
    {"code": "protective_earth", "name": "保护接地电阻", "value": 84, "unit": "mΩ", "limit": 300, "passed": True},
    {"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True},
]
SHEET = lifecycle.FinishSheet(
    cause="part",
    action="replace",
    release="restricted",
    release_note="只用于转运",
    diagnosis="电源板更换",
    tests=[{**TESTS[0], "value": 86.0}, TESTS[1]],
)


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, now: datetime) -> Ticket:
    return stories.reported(ventilator, stopped, now, in_use=True)


def under(ticket: Ticket, fact: str) -> list[list[str]]:
    """What stands below each line whose sentence holds `fact`, newest first."""
    ticket.refresh_from_db()
    return [line.under for line in queries.timeline(ticket) if fact in str(line.text)]


def test_the_first_assignment_keeps_its_reason_and_says_who_made_it(
    ticket: Ticket, dispatcher: User, engineer: User, now: datetime
) -> None:
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now, reason="离得最近")

    note = Comment.objects.get(ticket=ticket)
    assert (note.text, note.public, note.by) == ("离得最近", False, dispatcher.person)
    assert under(ticket, "派给") == [["周敏指定"]]


def test_whoever_takes_a_ticket_is_not_said_to_be_sent(ticket: Ticket, engineer: User, now: datetime) -> None:
    lifecycle.assign(ticket, to=engineer, by=engineer, at=now)

    assert under(ticket, "派给") == [["自己接手"]]


def test_dispatch_says_that_it_sent_by_itself(ticket: Ticket, engineer: User, now: datetime) -> None:
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)

    assert under(ticket, "派给") == [["自动派单"]]


def test_the_desk_reads_what_was_measured(ticket: Ticket, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)

    lifecycle.resolve(ticket, by=engineer, at=now, sheet=SHEET)

    ticket.refresh_from_db()
    line = next(line for line in queries.timeline(ticket) if "修复" in str(line.text))
    assert line.under == [
        "部件失效，更换，限用",
        "保护接地电阻 86 mΩ（限值 300），合格",
        "功能检查，合格",
        "只用于转运",
    ]
    assert line.quote == "电源板更换"
    with translation.override("en"):
        english = next(line for line in queries.timeline(ticket) if "fixed" in str(line.text).lower())
        assert english.under[1:3] == ["Protective earth resistance 86 mΩ (limit 300), pass", "Function check, pass"]


def test_each_attempt_shows_its_own_sheet(ticket: Ticket, dispatcher: User, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)
    lifecycle.resolve(ticket, by=engineer, at=now, sheet=SHEET)
    ticket.refresh_from_db()
    later = now + timedelta(minutes=20)
    lifecycle.reopen(ticket, by=dispatcher, at=later, reason="又停了")
    stories.working(ticket, engineer, later)
    lifecycle.resolve(
        ticket, by=engineer, at=later, sheet=replace(SHEET, release="usable", release_note="", tests=TESTS)
    )

    assert [lines[1:] for lines in under(ticket, "修复")] == [
        ["保护接地电阻 84 mΩ（限值 300），合格", "功能检查，合格"],
        ["保护接地电阻 86 mΩ（限值 300），合格", "功能检查，合格", "只用于转运"],
    ]


def test_what_the_ward_writes_is_the_wards_word(ticket: Ticket, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)
    lifecycle.resolve(ticket, by=engineer, at=now, sheet=SHEET)
    ticket.refresh_from_db()

    lifecycle.dispute(ticket, by=None, at=now, reason="还是不动")

    ticket.refresh_from_db()
    said = [str(line.text) for line in queries.timeline(ticket) if line.quote == "还是不动"]
    assert said == ["<b>重症医学科</b> 留言"]


def test_a_dangerous_device_sent_back_is_out_of_use_again(
    ventilator: Device, stopped: FaultPreset, engineer: User, now: datetime
) -> None:
    ticket = stories.working(stories.reported(ventilator, stopped, now, danger=["smoke"]), engineer, now)
    lifecycle.resolve(ticket, by=engineer, at=now, sheet=replace(SHEET, release="usable", release_note=""))
    ventilator.refresh_from_db()
    assert ventilator.status == "ready"
    ticket.refresh_from_db()

    lifecycle.dispute(ticket, by=None, at=now)

    ventilator.refresh_from_db()
    assert ventilator.status == "fault"


def test_a_repair_sent_back_promises_no_arrival(ticket: Ticket, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)
    Ticket.objects.filter(pk=ticket.pk).update(eta_at=now + timedelta(minutes=5), departed_at=now)
    lifecycle.resolve(ticket, by=engineer, at=now, sheet=SHEET)
    ticket.refresh_from_db()

    lifecycle.dispute(ticket, by=None, at=now)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.eta_at, ticket.departed_at, ticket.assignee) == ("reopened", None, None, None)


def test_work_that_goes_on_says_who_went_on(ticket: Ticket, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)
    reason = HoldReason.objects.filter(stops_clock=True).first()
    for automatic in (False, True):
        now += timedelta(minutes=5)
        lifecycle.pause(ticket, reason=reason, by=engineer, at=now)
        now += timedelta(minutes=5)
        lifecycle.resume(ticket, by=None if automatic else engineer, at=now, automatic=automatic)

    ticket.refresh_from_db()
    lines = [line for line in queries.timeline(ticket) if "继续处理" in str(line.text)]
    assert [(str(line.text), line.under) for line in lines] == [
        ("<b>系统</b> 继续处理", ["到时间，自动继续"]), (f"<b>{engineer.short_name}</b> 继续处理", []),
    ]  # fmt: skip


def test_parts_stand_under_the_repair_that_used_them(ticket: Ticket, engineer: User, now: datetime) -> None:
    stories.working(ticket, engineer, now)
    part = {"name": "电源板", "quantity": 2, "serial_no": "7K2-0931", "old_part_kept": True}

    lifecycle.resolve(ticket, sheet=replace(SHEET, parts=[part]), by=engineer, at=now)

    assert under(ticket, "修复")[-1][1] == "电源板 x 2，序列号 7K2-0931，旧件已留存"


def test_who_reported_is_named_in_the_readers_language(
    client: Client, ventilator: Device, stopped: FaultPreset, dispatcher: User, now: datetime
) -> None:
    User.objects.filter(pk=dispatcher.pk).update(display_name_en="Min Zhou")
    ticket = lifecycle.submit(device=ventilator, preset=stopped, in_use=False, by=dispatcher, at=now)
    client.force_login(dispatcher)

    page = client.get(f"/desk/tickets/{ticket.public_id}/", headers={"Accept-Language": "en"}).content.decode()

    assert '<span class="m">Min Zhou</span>' in page
