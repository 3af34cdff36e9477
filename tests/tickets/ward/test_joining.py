"""One fault is one ticket, however many people report it; limits mark a report and never turn it away."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from assets.models import Device, FaultPreset, User
from config.kernel.models import EventRecord
from tests import factories
from tests.tickets.ward.conftest import Phone, ticket_of
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import FinishSheet
from tickets.models import Ticket
from tickets.ward import services
from tickets.ward.rules import LIMITS, over

pytestmark = pytest.mark.django_db


def test_complaint_23_seven_reports_are_one_ticket_with_seven_watchers(
    new_phone: Callable[[], Phone], ventilator: Device
) -> None:
    phones = [new_phone() for _ in range(7)]

    tokens = [phone.report(ventilator, client_id=str(uuid.uuid4())) for phone in phones]

    ticket = Ticket.objects.get()
    assert ticket.watchers.count() == 7
    assert len(set(tokens)) == 7
    assert [phone.follow(token).status_code for phone, token in zip(phones, tokens, strict=True)] == [200] * 7
    joined = EventRecord.objects.filter(type="ReporterJoined").order_by("id")
    assert [row.data["watchers"] for row in joined] == [2, 3, 4, 5, 6, 7]
    assert EventRecord.objects.filter(type="TicketSubmitted").count() == 1


def test_the_second_reporter_sees_what_is_on_its_way(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    now = timezone.now()
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now - timedelta(minutes=12))
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)
    lifecycle.accept(ticket, by=engineer, at=now)

    page = phone.scan(ventilator).content.decode()

    assert "12 分钟前已报修" in page
    assert '<b>停机</b><i class="sep">·</i>李工已接单' in page
    assert "李志远" not in page
    assert "同一问题，催一下" in page
    assert "<details" in page  # the questions are folded, and open without a script


def test_another_fault_from_a_page_opened_before_is_noted_and_raises_the_priority(
    new_phone: Callable[[], Phone], monitor: Device, rules: None
) -> None:
    group = monitor.type.group
    slow = factories.preset(group, code="monitor-slow", name="反应慢", default_impact="I4", minutes=30)
    alarm = factories.preset(group, code="monitor-alarm", name="报警不响", default_impact="I2", minutes=30)
    first = new_phone().report(monitor, in_use="no", symptom=slow.code)
    before = ticket_of(first).priority

    second = new_phone().report(monitor, in_use="no", symptom=alarm.code)

    ticket = Ticket.objects.get()
    assert ticket_of(second) == ticket
    assert ticket.impact == "I2"
    assert ticket.priority < before
    assert [row.text for row in ticket.comments.all()][:1] == ["又有人报，故障是：报警不响"]


def test_a_milder_fault_from_a_page_opened_before_is_noted_only(
    new_phone: Callable[[], Phone], monitor: Device, rules: None
) -> None:
    group = monitor.type.group
    slow = factories.preset(group, code="monitor-slow", name="反应慢", default_impact="I4", minutes=30)
    alarm = factories.preset(group, code="monitor-alarm", name="报警不响", default_impact="I2", minutes=30)
    ticket = ticket_of(new_phone().report(monitor, in_use="no", symptom=alarm.code))

    new_phone().report(monitor, in_use="no", symptom=slow.code)

    after = Ticket.objects.get()
    assert (after.impact, after.priority) == (ticket.impact, ticket.priority)
    assert [row.text for row in after.comments.all()] == ["又有人报，故障是：反应慢"]


def test_who_scans_a_repaired_device_reads_that_it_waits_for_the_ward(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    _repaired(ventilator, stopped, engineer)

    page = phone.scan(ventilator).content.decode()

    assert "工程师说修好了，等你们验收" in page
    assert "已接单" not in page
    assert "分钟前" not in page


def test_same_fault_pressed_joins_and_nudges_without_more_questions(
    phone: Phone, ventilator: Device, stopped: FaultPreset
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=timezone.now())

    token = phone.report(ventilator, in_use=None, symptom=None, same="1", client_id=str(uuid.uuid4()))

    ticket.refresh_from_db()
    assert ticket_of(token) == ticket
    assert (ticket.nudges, ticket.watchers.count(), Ticket.objects.count()) == (1, 2, 1)
    assert EventRecord.objects.get(type="TicketNudged").data["count"] == 1


def test_same_fault_without_an_open_ticket_still_asks(phone: Phone, ventilator: Device) -> None:
    assert phone.send(ventilator, in_use=None, symptom=None, same="1").status_code == 422
    assert Ticket.objects.count() == 0


def test_another_fault_is_a_linked_ticket_of_its_own(phone: Phone, ventilator: Device, stopped: FaultPreset) -> None:
    first = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=timezone.now())

    token = phone.report(ventilator, symptom="ventilator-other", separate="1")

    second = ticket_of(token)
    assert second != first
    assert second.duplicate_of == first
    assert first.watchers.count() == 1


def test_a_worse_report_raises_priority_and_stops_the_device(phone: Phone, monitor: Device, spo2: FaultPreset) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, in_use=False, by=None, at=timezone.now())
    assert ticket.priority == 3

    phone.report(monitor, symptom="monitor-spo2", in_use="yes", danger=["smoke"])

    ticket.refresh_from_db()
    assert (ticket.priority, ticket.impact, ticket.in_use, ticket.danger) == (1, "I1", True, ["smoke"])
    assert Device.objects.get(pk=monitor.pk).status == "fault"
    assert EventRecord.objects.get(type="PriorityChanged").data["previous"] == 3


def test_a_milder_report_never_lowers(phone: Phone, ventilator: Device, stopped: FaultPreset) -> None:
    ticket = lifecycle.submit(
        device=ventilator, preset=stopped, in_use=True, danger=["smoke"], by=None, at=timezone.now()
    )

    phone.report(ventilator, in_use="no")

    ticket.refresh_from_db()
    assert (ticket.priority, ticket.in_use, ticket.danger) == (1, True, ["smoke"])


def _repaired(device: Device, preset: FaultPreset, engineer: User) -> Ticket:
    at = timezone.now() - timedelta(hours=1)
    ticket = lifecycle.submit(device=device, preset=preset, by=None, at=at)
    lifecycle.assign(ticket, to=engineer, by=None, at=at, automatic=True)
    lifecycle.accept(ticket, by=engineer, at=at)
    lifecycle.arrive(ticket, by=engineer, at=at, scanned=True)
    lifecycle.start(ticket, by=engineer, at=at, decon="cleaned")
    test = {"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True}
    sheet = FinishSheet(cause="part", action="replace", release="usable", tests=[test])
    return lifecycle.resolve(ticket, sheet=sheet, by=engineer, at=at + timedelta(minutes=20))


def test_the_same_fault_on_a_repaired_device_sends_it_back(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = _repaired(ventilator, stopped, engineer)
    assert "还是同一问题，没修好" in phone.scan(ventilator).content.decode()

    token = phone.report(ventilator)

    ticket = Ticket.objects.get(pk=ticket.pk)
    assert ticket_of(token) == ticket
    assert (ticket.state, ticket.reopen_count, ticket.watchers.count()) == ("reopened", 1, 2)


def test_another_fault_on_a_repaired_device_is_a_new_ticket(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    repaired = _repaired(ventilator, stopped, engineer)

    token = phone.report(ventilator, symptom="ventilator-other")

    assert ticket_of(token) != repaired
    assert Ticket.objects.get(pk=repaired.pk).state == "verifying"


def test_over_the_limit_a_report_waits_for_a_call_and_a_p1_does_not(
    phone: Phone, new_phone: Callable[[], Phone], monitor: Device, ventilator: Device, spo2: FaultPreset
) -> None:
    phone.report(monitor, symptom="monitor-spo2", in_use="no")
    held = ticket_of(phone.report(monitor, symptom="monitor-spo2", in_use="no", separate="1"))
    urgent = ticket_of(phone.report(monitor, symptom="monitor-spo2", in_use="yes", separate="1"))

    assert (held.needs_callback, held.state) == (True, "new")
    assert (urgent.priority, urgent.state) == (1, "triaged")
    assert "回电核实" in phone.follow(held.tracking_token).content.decode()


def test_a_thousand_reports_from_one_address_are_all_taken(
    new_phone: Callable[[], Phone], surgery: Any, spo2: FaultPreset
) -> None:
    kind = spo2.group.types.get()
    devices = [factories.device(surgery, kind) for _ in range(12)]
    address = next(limit for limit in LIMITS if limit.scope == "address")
    cache.set(f"report:address:{int(address.window.total_seconds())}:127.0.0.1", 1000, 3600)

    for device in devices:
        new_phone().report(device, symptom="monitor-spo2", in_use="no")
    urgent = ticket_of(new_phone().report(factories.device(surgery, kind), symptom="monitor-spo2", in_use="yes"))

    assert Ticket.objects.filter(needs_callback=True, state="new").count() == 12
    assert (urgent.priority, urgent.state) == (1, "triaged")


def test_reports_come_through_when_the_counters_are_away(
    phone: Phone, ventilator: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_more: object) -> bool:
        raise RedisAway("gone")

    monkeypatch.setattr("tickets.ward.adapters.cache.add", away)

    assert ticket_of(phone.report(ventilator)).state == "triaged"


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.scope}-{limit.window}")
def test_each_limit_holds_at_its_own_number(limit: Any) -> None:
    assert not over({(limit.scope, limit.window): limit.count - 1})
    assert over({(limit.scope, limit.window): limit.count})


def test_the_same_symptom_within_thirty_days_is_a_repeat(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, dispatcher: User
) -> None:
    earlier = _repaired(ventilator, stopped, engineer)
    lifecycle.close(earlier, by=dispatcher, at=timezone.now() - timedelta(minutes=5), reason="电话确认")

    ticket = ticket_of(phone.report(ventilator, in_use="no"))

    assert ticket.repeat_of == earlier


def test_a_nudge_that_failed_is_not_counted_and_the_next_press_is_heard(
    phone: Phone, ventilator: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = phone.report(ventilator)
    phone.client.raise_request_exception = False

    with monkeypatch.context() as broken:
        broken.setattr(services, "nudge", Mock(side_effect=OperationalError("deadlock detected")))
        failed = phone.do(token, "nudge")
    again = phone.do(token, "nudge")

    assert failed.status_code == 503
    assert again["Location"] == f"/t/{token}/?said=nudge"
    assert ticket_of(token).nudges == 1
