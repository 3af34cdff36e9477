"""The fix of a P1 is four hours gross (domain.md 2.2): waiting for parts is no excuse; usual dangers need no tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client

from assets.models import Device, FaultPreset, User
from tests import factories
from tests.tickets.desk import stories
from tests.tickets.sla.conftest import Make
from tickets.lifecycle import services as lifecycle
from tickets.record.models import HoldReason
from tickets.sla import services as sla
from tickets.sla.models import Target

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


def test_a_target_as_shipped_before_follows_and_a_hospitals_own_stays(p1_may_wait: None) -> None:
    migration = import_module("tickets.migrations.0006_p1_fix_is_gross")
    target = Target.objects.filter(priority=1, metric="fix")

    migration.to_gross(apps, None)
    assert not target.get().pausable
    migration.to_net(apps, None)
    assert target.get().pausable

    target.update(minutes=300)
    migration.to_gross(apps, None)
    assert target.get().pausable


@pytest.mark.parametrize("waits", [False, True])
def test_the_phone_says_before_a_pause_whether_the_fix_of_a_p1_counts_on(
    ventilator: Device, stopped: FaultPreset, engineer: User, signed_in: Callable[[User], Client], now: datetime,
    request: pytest.FixtureRequest, waits: bool,
) -> None:  # fmt: skip
    if waits:
        request.getfixturevalue("p1_may_wait")
    ticket = stories.working(stories.reported(ventilator, stopped, now, in_use=True), engineer, now)
    page = signed_in(engineer).get(f"/field/{ticket.public_id}/more/").content.decode()

    assert ticket.priority == 1
    assert 'id="pause"' in page
    assert ("修复时限照走" in page) is not waits


@pytest.mark.parametrize("path", ["/field/{}/", "/desk/tickets/{}/"])
def test_nobody_is_told_that_a_paused_p1_stands_still(
    ventilator: Device, stopped: FaultPreset, engineer: User, manager: User, signed_in: Callable[[User], Client],
    now: datetime, path: str,
) -> None:  # fmt: skip
    ticket = stories.paused(stories.reported(ventilator, stopped, now, in_use=True), engineer, now)
    who = engineer if path.startswith("/field") else manager
    page = signed_in(who).get(path.format(ticket.public_id)).content.decode()

    assert (ticket.priority, ticket.state) == (1, "paused")
    assert "修复已暂停" not in page
    assert "修复，已暂停" not in page
