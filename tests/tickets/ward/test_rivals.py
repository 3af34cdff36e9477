"""A scan beside what others do with the same device: the second report, the first step of the repair, a call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest

from assets.models import Device, FaultPreset, User
from tests.dispatch.rivals import at_once, crossing
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import working
from tickets.models import Ticket
from tickets.record import services as record
from tickets.record.models import State
from tickets.ward import services as ward

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def scan(ventilator: Device, stopped: FaultPreset, now: datetime) -> Callable[[], None]:
    """A ward reports the ventilator, each time from another phone."""

    def report() -> None:
        ward.report(ventilator, preset=stopped, in_use=True, danger=(), at=now, client_id=uuid4())

    return report


def test_four_phones_at_the_same_second_are_one_ticket(scan: Callable[[], None]) -> None:
    at_once([scan] * 4)

    assert Ticket.objects.get().watchers.count() == 4


def test_a_second_scan_joins_the_ticket_on_which_work_just_begins(
    monkeypatch: pytest.MonkeyPatch, scan: Callable[[], None], engineer: User, now: datetime
) -> None:
    scan()
    ticket = Ticket.objects.get()
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now)

    crossing(monkeypatch, (ward, "open_on"), (working, "lock"))
    at_once([scan, partial(lifecycle.start, ticket, by=engineer, at=now, decon="cleaned")])

    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.watchers.count()) == (State.WORKING, 2)


def test_a_scan_and_a_call_about_one_device_are_both_kept(
    monkeypatch: pytest.MonkeyPatch,
    scan: Callable[[], None],
    ventilator: Device,
    stopped: FaultPreset,
    dispatcher: User,
    now: datetime,
) -> None:
    call = partial(
        lifecycle.submit, device=ventilator, preset=stopped, in_use=True, by=dispatcher, at=now, source="phone"
    )

    crossing(monkeypatch, (ward, "open_on"), (record, "next_number"))
    at_once([scan, call])

    assert Ticket.objects.count() == 2
