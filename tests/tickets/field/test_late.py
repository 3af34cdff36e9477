"""What an engineer sends from a page that is no longer true: the desk was faster, the work is over, an answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from tests import factories
from tests.tickets.field.conftest import Phone, again, brought_to, facts
from tickets.lifecycle import services as lifecycle
from tickets.models import HoldReason, Ticket
from tickets.record import services as record

pytestmark = pytest.mark.django_db


def test_a_hand_over_does_not_undo_what_the_desk_decided_meanwhile(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User, dispatcher: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    third = factories.engineer("zhao", at=timezone.now(), name="赵强")

    def desk_is_faster(_files: Any) -> None:
        """After the right was asked for and before the row is locked."""
        lifecycle.assign(ticket, to=colleague, by=dispatcher, at=timezone.now(), reason="就在隔壁")

    monkeypatch.setattr(record, "check_uploads", desk_is_faster)

    answer = phone.do(ticket, "handover", to=third.username, reason="手上有急单")

    assert answer.status_code == 409
    assert "这张单已转给王工" in answer.content.decode()
    assert again(ticket).assignee == colleague


def test_the_api_asks_again_on_the_locked_row(
    signed_in: Callable[[User], Client], ventilator: Device, stopped: FaultPreset, engineer: User, colleague: User,
    dispatcher: User, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ticket = brought_to("accepted", ventilator, stopped, engineer)

    def given_away(row: Ticket, **more: Any) -> Ticket:
        lifecycle.assign(row, to=colleague, by=dispatcher, at=timezone.now(), reason="就在隔壁")
        return record.lock(row, **more)

    monkeypatch.setattr("tickets.lifecycle.api.lock", given_away)
    answer = signed_in(engineer).post(
        f"/api/v1/tickets/{ticket.public_id}/depart/", {}, content_type="application/json"
    )

    assert (answer.status_code, facts("TicketDeparted")) == (403, 0)


def test_a_ticket_that_nobody_took_over_is_not_said_to_be_somebodys(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("accepted", ventilator, stopped, engineer)
    lifecycle.decline(ticket, by=engineer, at=timezone.now(), reason="手上有急单")

    answer = phone.do(ticket, "arrive", reason="扫不了")

    assert answer.status_code == 409
    assert "这张单已经不在你手上" in answer.content.decode()


def test_the_sheet_of_a_ticket_that_is_over_asks_for_nothing(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    phone.do(ticket, "finish", cause="part", action="replace", release="usable")

    page = phone.page(f"{ticket.public_id}/finish/").content.decode()

    assert "这张单已是“待验收”，不用再填" in page
    assert "还不能完成" not in page
    assert 'name="release"' not in page


def test_a_refused_sheet_says_that_its_files_were_not_taken(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    photo = SimpleUploadedFile("a.jpg", b"no picture", content_type="image/jpeg")

    page = phone.do(ticket, "finish", cause="part", diagnosis="电源板坏", file=photo).content.decode()

    assert "照片和语音没有收下，要再选一次。" in page
    assert "电源板坏" in page


def test_a_refused_pause_stays_in_its_own_form(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    code = HoldReason.objects.order_by("code")[0].code

    page = phone.do(ticket, "pause", reason=code, until="2020-01-01T09:00").content.decode()

    assert f'name="reason" value="{code}" checked' in page
    assert page.count(f'value="{code}"') == 1


def test_a_refused_note_for_colleagues_does_not_become_one_for_the_ward(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    refused = phone.do(ticket, "note", text=" ").content.decode()

    assert '<input type="checkbox" name="public" value="1">' in refused
    fresh = phone.page(f"{ticket.public_id}/more/").content.decode()
    assert '<input type="checkbox" name="public" value="1" checked>' in fresh


def test_a_note_sent_again_is_there_once(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    answers = [phone.do(ticket, "note", text="等配件").status_code for _ in range(2)]

    assert (answers, ticket.comments.count()) == ([303, 303], 1)
