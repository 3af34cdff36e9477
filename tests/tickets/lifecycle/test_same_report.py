"""The same report twice at the same moment: a phone that sends again before it was answered. One ticket, told to both."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest

from assets.models import Device, FaultPreset
from config.kernel.errors import Conflict
from tests.dispatch.rivals import at_once
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import opening
from tickets.models import Ticket

KEY = uuid.UUID(int=1)


@pytest.fixture
def rival(monkeypatch: pytest.MonkeyPatch, ventilator: Device, stopped: FaultPreset, now: datetime) -> list[Ticket]:
    """The same report, committed after the other has looked for it and before it writes."""
    made: list[Ticket] = []
    decide = opening.sla.decide_priority

    def meanwhile(**given: Any) -> Any:
        monkeypatch.setattr(opening.sla, "decide_priority", decide)
        made.append(lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now, client_id=KEY))
        return decide(**given)

    monkeypatch.setattr(opening.sla, "decide_priority", meanwhile)
    return made


@pytest.mark.django_db
def test_who_comes_second_gets_the_first_ticket_and_gives_the_number_back(
    rival: list[Ticket], ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now, client_id=KEY)

    assert [ticket] == rival == list(Ticket.objects.all())
    later = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    assert (ticket.number, later.number) == ("WX20261118-0001", "WX20261118-0002")


@pytest.mark.django_db
def test_another_report_with_that_id_is_refused_at_the_same_moment_too(
    rival: list[Ticket], ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    with pytest.raises(Conflict, match="client_id"):
        lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now, client_id=KEY, description="又坏了")

    assert not Ticket.objects.filter(description="又坏了").exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_eight_times_at_once_it_is_one_ticket(ventilator: Device, stopped: FaultPreset, now: datetime) -> None:
    told: list[str] = []

    def report() -> None:
        told.append(lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now, client_id=KEY).number)

    at_once([report] * 8)

    assert told == ["WX20261118-0001"] * 8
    assert Ticket.objects.count() == 1
    assert lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now).number == "WX20261118-0002"
