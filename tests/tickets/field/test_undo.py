"""Ten seconds to take a step back: everything is as before, the log tells both, late or overtaken presses change nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from assets.register.queries import report_url
from config.kernel.models import EventRecord, Timer
from tests import factories
from tests.tickets.field.conftest import Phone, again, brought_to, facts
from tickets.lifecycle import services as lifecycle
from tickets.models import Clock, HoldReason, LastStep, Ticket

pytestmark = pytest.mark.django_db


def clocks(ticket: Ticket) -> list[dict[str, object]]:
    return list(Clock.objects.filter(ticket=ticket).order_by("pk").values())


def test_the_page_offers_the_step_for_ten_seconds(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    phone.do(ticket, "accept")

    offered = phone.page(f"{ticket.public_id}/").content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        later = phone.page(f"{ticket.public_id}/").content.decode()

    assert 'id="undo"' in offered
    assert re.search(r'data-left="(9|10)"', offered)
    assert re.search(r'name="step" value="accept"', offered)
    assert 'id="undo"' not in later


def test_accepting_is_taken_back_with_its_clock_and_its_deadline(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    before = clocks(ticket)
    phone.do(ticket, "accept")
    assert clocks(ticket) != before

    answer = phone.do(ticket, "undo", step="accept")

    ticket = again(ticket)
    assert (answer.status_code, ticket.state, ticket.accepted_at) == (303, "assigned", None)
    assert ticket.assignee_id == engineer.pk
    assert clocks(ticket) == before
    assert (facts("TicketAccepted"), facts("StepUndone")) == (1, 1)
    last = EventRecord.objects.filter(type="StepUndone").get()
    assert (last.data["verb"], last.data["state"], last.by) == ("accept", "assigned", engineer.person.public_id)
    assert Timer.objects.filter(call="dispatch.matching.services.not_accepted", args=[ticket.pk, engineer.pk]).exists()


def test_a_ticket_that_was_grabbed_is_free_again(
    signed_in: Callable[[User], Client], ventilator: Device, stopped: FaultPreset, engineer: User, now: datetime
) -> None:
    with time_machine.travel(now):
        phone = Phone(signed_in(engineer))
        ticket = lifecycle.submit(device=ventilator, preset=stopped, in_use=False, by=None, at=now)
        assert phone.do(ticket, "accept").status_code == 303

        assert phone.do(ticket, "undo", step="accept").status_code == 303

    ticket = again(ticket)
    assert (ticket.state, ticket.assignee_id, ticket.assigned_at) == ("triaged", None, None)


def test_arrival_runs_again_after_it_was_taken_back(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    before = clocks(ticket)
    phone.do(ticket, "arrive", scan=report_url(ventilator))

    phone.do(ticket, "undo", step="arrive")

    ticket = again(ticket)
    assert (ticket.state, ticket.arrived_at, ticket.arrival_by_scan) == ("accepted", None, False)
    assert clocks(ticket) == before


def test_starting_gives_device_hours_and_decontamination_back(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = lifecycle.submit(
        device=ventilator, preset=stopped, in_use=False, danger=["smoke"], by=None, at=timezone.now()
    )
    lifecycle.assign(ticket, to=engineer, by=None, at=timezone.now(), automatic=True)
    phone.do(ticket, "accept")
    phone.do(ticket, "arrive", scan=report_url(ventilator))
    since = Device.objects.get(pk=ventilator.pk).status_since
    phone.do(ticket, "start", decon="cleaned")
    assert Device.objects.get(pk=ventilator.pk).status == "in_repair"

    phone.do(ticket, "undo", step="start")

    ticket, device = again(ticket), Device.objects.get(pk=ventilator.pk)
    assert (ticket.state, ticket.started_at, ticket.decon) == ("arrived", None, "")
    assert (device.status, device.status_since) == ("fault", since)
    assert ticket.time_entries.count() == 0
    assert EventRecord.objects.filter(type="DeconDeclared").order_by("id").last().data["decon"] == ""


def test_a_pause_taken_back_never_lasted_and_a_resume_taken_back_never_ended_it(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    running = clocks(ticket)
    reason = HoldReason.objects.get(code="parts")

    phone.do(ticket, "pause", reason=reason.code)
    waiting, until = clocks(ticket), again(ticket).hold_until
    phone.do(ticket, "undo", step="pause")
    assert (again(ticket).state, clocks(ticket)) == ("working", running)
    assert ticket.time_entries.get().ended_at is None
    assert not Timer.objects.filter(key=f"resume:{ticket.pk}").exists()

    phone.do(ticket, "pause", reason=reason.code, until=timezone.localtime(until).isoformat())
    phone.do(ticket, "resume")
    phone.do(ticket, "undo", step="resume")
    assert (again(ticket).state, again(ticket).hold_until) == ("paused", until)
    assert clocks(ticket) == waiting
    assert Timer.objects.get(key=f"resume:{ticket.pk}").fire_at == until


def test_a_backup_connected_by_mistake_is_ready_again(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ventilator.backup_group = "vents"
    ventilator.save()
    backup = factories.device(ventilator.department, ventilator.type, backup_group="vents")
    ticket = brought_to("accepted", ventilator, stopped, engineer, in_use=True)
    before = clocks(ticket)
    phone.do(ticket, "restore", backup=backup.public_id)
    assert Device.objects.get(pk=backup.pk).status == "in_use"

    phone.do(ticket, "undo", step="restore")

    ticket = again(ticket)
    assert (ticket.state, ticket.restored_at, ticket.backup_device_id) == ("accepted", None, None)
    assert Device.objects.get(pk=backup.pk).status == "ready"
    assert clocks(ticket) == before


def test_after_ten_seconds_a_sentence_and_nothing_changes(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    phone.do(ticket, "accept")

    with time_machine.travel(timezone.now() + timedelta(seconds=11)):
        answer = phone.do(ticket, "undo", step="accept")

    assert answer.status_code == 409
    assert "已过 10 秒，不能撤销了。" in answer.content.decode()
    assert (again(ticket).state, facts("StepUndone")) == ("accepted", 0)


def test_whoever_was_faster_wins(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, dispatcher: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    phone.do(ticket, "accept")
    lifecycle.reprioritise(again(ticket), priority=4, reason="误报", by=dispatcher, at=timezone.now())

    answer = phone.do(ticket, "undo", step="accept")

    assert answer.status_code == 409
    assert "没有撤销" in answer.content.decode()
    assert (again(ticket).state, facts("StepUndone")) == ("accepted", 0)


def test_only_who_took_the_step_takes_it_back(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    LastStep.objects.filter(ticket=ticket).update(by=colleague.person)

    answer = phone.do(ticket, "undo", step="accept")

    assert answer.status_code == 403
    assert (again(ticket).state, facts("StepUndone")) == ("accepted", 0)


def test_undo_again_with_its_id_happens_once_and_a_second_undo_finds_nothing(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("assigned", ventilator, stopped, engineer)
    phone.do(ticket, "accept")
    op_id = str(uuid.uuid4())

    first = phone.do(ticket, "undo", op_id=op_id, step="accept")
    replay = phone.do(ticket, "undo", op_id=op_id, step="accept")
    second = phone.do(ticket, "undo", step="accept")

    assert (first.status_code, replay.status_code, second.status_code) == (303, 303, 409)
    assert facts("StepUndone") == 1


@pytest.mark.parametrize("verb", ["finish", "decline", "handover", "note", "photo"])
def test_what_signs_or_gives_away_is_not_taken_back(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, verb: str
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    assert phone.do(ticket, "undo", step=verb).status_code == 409
    assert again(ticket).state == "working"
