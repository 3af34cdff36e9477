"""Answers beside rounds, hands and the clock: each ends in its own way, none is thrown out by a deadlock."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from django.db import connection
from django_q.models import OrmQ

from config.kernel import jobs, timers
from config.kernel.errors import NotAllowedNow
from config.kernel.models import Timer
from config.kernel.turns import Held
from dispatch.matching import queries
from dispatch.matching import services as matching
from dispatch.matching.jobs import dispatch as round_of_a_worker
from dispatch.matching.models import Decision, DepartmentMode, Mode, Weights
from dispatch.matching.services import dispatching
from tests.dispatch.rivals import at_once, crossing
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.services import opening, working
from tickets.models import Ticket
from tickets.record.models import State

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


@contextmanager
def a_round_under_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if connection.vendor == "sqlite":  # one writer at a time: a second round does not get as far as the weights
        with monkeypatch.context() as patch:
            patch.setattr(dispatching, "lock_weights", held)
            yield
        return
    told = connection.get_connection_params()
    names = {name: told[name] for name in ("host", "port", "dbname", "user", "password") if name in told}
    with psycopg.connect(**names) as rival:
        rival.execute("SELECT 1 FROM dispatch_weights FOR UPDATE")
        yield


def held():
    raise Held


def test_a_worker_does_not_stand_in_line_for_another_round_but_is_asked_again_soon(
    monkeypatch, report, ventilator, stopped, engineer
):
    Weights.objects.create(version=1, active=True)
    ticket = report(ventilator, stopped, in_use=True)
    matching.look_again()

    with a_round_under_way(monkeypatch):
        given = round_of_a_worker()

    assert (given, fresh(ticket).state) == (0, State.TRIAGED)
    assert jobs.twins(matching.JOB) == []  # the timer answers for them
    again = Timer.objects.get(key=dispatching.AGAIN)
    timers.fire_due(again.fire_at)
    assert len(jobs.twins(matching.JOB)) == 1
    assert OrmQ.objects.count() == 1


def test_a_free_ticket_is_taken_while_a_round_reads_it(monkeypatch, report, ventilator, stopped, engineer, now):
    Weights.objects.create(version=1, active=True)
    ticket = report(ventilator, stopped, in_use=True)
    crossing(monkeypatch, (queries, "load"), (working, "lock"))

    at_once([partial(lifecycle.accept, ticket, by=engineer, at=now), partial(matching.dispatch, at=now)])

    assert (fresh(ticket).state, fresh(ticket).assignee) == (State.ACCEPTED, engineer)


def test_a_suggestion_is_confirmed_while_somebody_gives_the_ticket_out_by_hand(
    monkeypatch, report, icu, ventilator, calm, engineer, colleague, dispatcher, manager, now
):
    DepartmentMode.objects.create(department=icu, mode=Mode.SUGGEST)
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    suggestion = queries.latest(ticket)
    refused = []

    def confirm():
        try:
            matching.confirm(suggestion, by=dispatcher, at=now)
        except NotAllowedNow as error:
            refused.append(str(error))

    crossing(monkeypatch, (opening, "lock"), (Decision.objects, "select_related"))
    at_once([partial(lifecycle.assign, ticket, to=colleague, by=manager, at=now, reason="主任要求"), confirm])

    assert refused in ([], ["这条建议已经处理过了。看最新。"])  # who comes second: by hand it is given to another
    assert fresh(ticket).assignee == colleague
    assert not queries.open_suggestions().exists()


def test_a_ticket_is_accepted_in_the_second_in_which_its_time_to_accept_runs_out(
    monkeypatch, caplog, report, ventilator, stopped, engineer, now
):
    ticket = report(ventilator, stopped, in_use=True)
    matching.dispatch(at=now)
    due = Timer.objects.get(key=matching.acceptance_key(ticket.pk)).fire_at
    crossing(monkeypatch, (timers, "import_string"), (working, "lock"))

    with caplog.at_level(logging.ERROR):
        at_once([partial(lifecycle.accept, ticket, by=engineer, at=due), partial(timers.fire_due, due)])

    assert (fresh(ticket).state, fresh(ticket).assignee) == (State.ACCEPTED, engineer)
    assert not Timer.objects.filter(key=matching.acceptance_key(ticket.pk)).exists()
    assert caplog.records == []
