"""Changes of the roster beside each other and beside the work that they move."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from config.kernel.errors import Invalid
from dispatch.roster import services as roster
from dispatch.roster.models import Leave, Shift
from tests import factories
from tests.dispatch.rivals import at_once, crossing
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import working
from tickets.models import Ticket
from tickets.record.models import State

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_who_arrives_while_his_leave_is_entered_keeps_the_ticket_that_he_came_for(
    monkeypatch, report, ventilator, stopped, engineer, manager, now
):
    ticket = report(ventilator, stopped, in_use=True)
    lifecycle.assign(ticket, to=engineer, by=None, at=now, automatic=True)
    lifecycle.accept(ticket, by=engineer, at=now)
    ends = now + timedelta(hours=8)
    leave = partial(
        roster.take_leave, engineer.engineer, kind=Leave.Kind.ILL, starts=now, ends=ends, by=manager, at=now
    )

    crossing(monkeypatch, (working, "lock"), (roster, "_lock"))
    at_once([partial(lifecycle.arrive, ticket, by=engineer, at=now, scanned=True), leave])

    kept = Ticket.objects.get()
    assert (kept.state, kept.assignee) == (State.ARRIVED, engineer)
    assert Leave.objects.count() == 1


def test_two_who_plan_the_same_duty_plan_it_once(rules, manager, now):
    off = factories.engineer("off", at=now, on_shift=False).engineer
    refused = []

    def plan():
        try:
            roster.plan_shift(off, starts=now, ends=now + timedelta(hours=8), by=manager, at=now)
        except Invalid as error:
            refused.append(str(error))

    at_once([plan] * 4)

    assert refused == ["这段时间已经排了班。"] * 3
    assert Shift.objects.filter(engineer=off).count() == 1
