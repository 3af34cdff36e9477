"""The same number of queries for one row as for ten, on every list that people keep open."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Department, Device, FaultPreset, User
from integrations.models import Notification
from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record import services as record

pytestmark = pytest.mark.django_db

# path -> (who asks, queries at most); what the page needs today: a new query is a decision, not an accident
LISTS = {
    "/api/v1/tickets/": ("dispatcher", 4),
    "/api/v1/devices/": ("dispatcher", 3),
    "/api/v1/engineers/": ("dispatcher", 6),
    "/api/v1/shifts/": ("dispatcher", 3),
    "/api/v1/events/?after=0": ("dispatcher", 3),
    # Three are the line about duty. Five where nothing is free to take: the rest reads the moment as a round does.
    "/field/": ("engineer", 25),
    "/field/waiting/": ("engineer", 5),
    "/desk/": ("manager", 20),  # two are the banners', twelve the roster's, which were requests of their own
    "/desk/_board/": ("manager", 6),
    "/desk/?wall=1": ("manager", 11),  # three are the roster's
    "/desk/_roster/": ("manager", 14),
    "/desk/_alerts/": ("manager", 4),
    "/desk/tickets/": ("manager", 8),
    "/ward/": ("nurse", 7),
    "/notifications/": ("engineer", 5),
    "/admin/tickets/ticket/": ("admin_user", 5),
    "/admin/assets/device/": ("admin_user", 6),
    "/admin/": ("admin_user", 14),
}
DETAILS = {
    "/api/v1/tickets/{ticket}/": ("dispatcher", 4),
    "/api/v1/tickets/{ticket}/timeline/": ("dispatcher", 6),
    "/api/v1/tickets/{ticket}/sla/": ("dispatcher", 7),
    "/api/v1/tickets/{ticket}/assignment/": ("dispatcher", 5),
    "/api/v1/tickets/{ticket}/comments/": ("dispatcher", 5),
    "/desk/tickets/{ticket}/": ("manager", 15),
    "/field/{ticket}/": ("engineer", 8),
    "/t/{tracking}/": ("", 4),
}


class Ward:
    """A department that reports another broken device each time; the engineer gets it and somebody writes to it."""

    def __init__(
        self, home: Department, like: Device, preset: FaultPreset, engineer: User, nurse: User, at: datetime
    ) -> None:
        self.home, self.like, self.preset, self.engineer, self.nurse, self.at = home, like, preset, engineer, nurse, at
        self.made = 0

    def report(self, until: int) -> None:
        while self.made < until:
            device = factories.device(self.home, self.like.type, location=factories.location(f"{self.made} 床"))
            at = self.at + timedelta(minutes=self.made)
            ticket = lifecycle.submit(device=device, preset=self.preset, by=self.nurse, at=at)
            if self.made % 2 == 0:
                lifecycle.assign(ticket, to=self.engineer, by=None, at=at)
            record.comment(ticket, text="还在响", by=self.nurse, at=at)
            factories.engineer(f"helper-{self.made}", at=self.at, name="工程师")
            Notification.objects.create(user=self.engineer, template="call", params={}, dedup=f"d{self.made}", at=at)
            self.made += 1

    def write(self, until: int, ticket: Ticket) -> None:
        for n in range(ticket.comments.count(), until):
            record.comment(ticket, text=f"第 {n} 条", by=self.nurse, at=self.at + timedelta(minutes=n))
            lifecycle.depart(ticket, by=self.engineer, at=self.at + timedelta(minutes=n), eta_minutes=n + 1)


@pytest.fixture
def ward(ventilator: Device, stopped: FaultPreset, engineer: User, nurse: User, now: datetime) -> Ward:
    return Ward(ventilator.department, ventilator, stopped, engineer, nurse, now)


Ask = Callable[[str, str], int]


@pytest.fixture
def queries(
    signed_in: Callable[[User], Client], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """How many queries a page costs this person, once warm. On a slow machine the rules would be read again in between."""
    monkeypatch.setattr(sys.modules["tickets.sla.queries.rulebook"], "KEPT_SECONDS", float("inf"))

    def count(path: str, who: str) -> int:
        client = signed_in(request.getfixturevalue(who)) if who else Client()
        assert client.get(path).status_code == 200, path
        with CaptureQueriesContext(connection) as seen:
            client.get(path)
        return len(seen)

    return count


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_ten_costs_what_a_list_of_one_costs(ward: Ward, queries: Ask, path: str) -> None:
    who, budget = LISTS[path]

    ward.report(2)
    few = queries(path, who)
    ward.report(12)
    many = queries(path, who)

    assert many == few
    assert many <= budget


@pytest.mark.parametrize("path", DETAILS)
def test_a_ticket_with_a_long_history_costs_what_a_new_one_costs(ward: Ward, queries: Ask, path: str) -> None:
    who, budget = DETAILS[path]
    ward.report(1)
    ticket = Ticket.objects.get()
    lifecycle.accept(ticket, by=ward.engineer, at=ward.at)
    address = path.format(ticket=ticket.public_id, tracking=ticket.tracking_token)

    ward.write(2, ticket)
    few = queries(address, who)
    ward.write(12, ticket)
    many = queries(address, who)

    assert many == few
    assert many <= budget
