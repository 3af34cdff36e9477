"""The fix of a P1 is four hours gross (domain.md 2.2): waiting for parts is no excuse; usual dangers need no tick."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from assets.models import Device
from tests import factories
from tests.tickets.sla.conftest import Make
from tickets.lifecycle import services as lifecycle
from tickets.record.models import HoldReason
from tickets.sla import services as sla

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("priority", "waits"), [(1, 0), (2, 2)])
def test_waiting_moves_the_fix_of_a_p2_and_never_of_a_p1(
    ticket_of: Make, now: datetime, priority: int, waits: int
) -> None:
    ticket = ticket_of(priority)
    before = ticket.clocks.get(metric="fix").due_at

    with transaction.atomic():
        sla.pause(ticket, reason=HoldReason.objects.get(code="parts"), until=now + timedelta(hours=3), by=None, at=now)
        stands = ticket.clocks.get(metric="fix").paused
        sla.resume(ticket, by=None, at=now + timedelta(hours=2))

    assert stands is bool(waits)
    assert ticket.clocks.get(metric="fix").due_at == before + timedelta(hours=waits)


def test_a_fault_that_is_a_danger_by_itself_is_a_p1_and_stops_the_device(
    rules: None, monitor: Device, now: datetime
) -> None:
    flood = factories.preset(monitor.type.group, "monitor-water", "漏水", default_danger=["leak"])

    ticket = lifecycle.submit(device=monitor, preset=flood, by=None, at=now)

    monitor.refresh_from_db()
    assert (ticket.priority, ticket.danger, monitor.status) == (1, ["leak"], "fault")


def test_naming_such_a_fault_later_counts_the_same(rules: None, monitor: Device, now: datetime) -> None:
    flood = factories.preset(monitor.type.group, "monitor-water", "漏水", default_danger=["leak"])
    ticket = lifecycle.submit(device=monitor, by=None, at=now)

    ticket = lifecycle.triage(ticket, preset=flood, by=None, at=now + timedelta(minutes=1))

    monitor.refresh_from_db()
    assert (ticket.priority, ticket.danger, monitor.status) == (1, ["leak"], "fault")
