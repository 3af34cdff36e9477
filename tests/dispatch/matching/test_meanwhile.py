"""A round says nothing about a ticket that changed after it was read: it may be in somebody's hands."""

from __future__ import annotations

import pytest
from django_q.models import OrmQ

from config.kernel.events import recording
from dispatch.matching import queries
from dispatch.matching import services as matching
from dispatch.matching.models import Decision, DepartmentMode, Mode
from dispatch.roster.models import Shift
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def given_out_meanwhile(monkeypatch, ticket, to, by):
    """The desk gives the ticket out after the next round has read it."""
    load = queries.load

    def load_then_lose_it(at, active, *, only):
        seen = load(at, active, only=only)
        lifecycle.assign(ticket, to=to, by=by, at=at)
        return seen

    monkeypatch.setattr(queries, "load", load_then_lose_it)


def test_nobody_is_suggested_for_a_ticket_that_was_given_out_meanwhile(
    report, icu, ventilator, calm, engineer, colleague, dispatcher, monkeypatch, now
):
    DepartmentMode.objects.create(department=icu, mode=Mode.SUGGEST)
    ticket = report(ventilator, calm)
    given_out_meanwhile(monkeypatch, ticket, colleague, dispatcher)
    OrmQ.objects.all().delete()

    with recording() as seen:
        matching.dispatch(at=now)

    assert Ticket.objects.get().assignee == colleague
    assert not queries.open_suggestions().exists()
    assert "SuggestionMade" not in [event.type for event in seen]
    assert OrmQ.objects.count() == 1  # another round: had it only been changed, it would still wait


def test_nobody_is_alarmed_about_a_ticket_that_was_given_out_meanwhile(
    report, ventilator, stopped, engineer, dispatcher, monkeypatch, now
):
    Shift.objects.all().delete()
    ticket = report(ventilator, stopped, in_use=True)
    given_out_meanwhile(monkeypatch, ticket, engineer, dispatcher)

    with recording() as seen:
        matching.dispatch(at=now)

    assert "NobodyAvailable" not in [event.type for event in seen]
    assert not Decision.objects.filter(ticket=ticket).exists()
