"""A ticket said from flat rows is word for word what the serializer of the schema says about the object."""

from __future__ import annotations

from datetime import datetime

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django_q.models import OrmQ

from assets.models import Device, FaultPreset, User
from config.kernel.models import EventRecord
from integrations.identity.services import issue_token
from tests import factories
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.serializers import TicketOut
from tickets.models import Clock, Ticket, Watcher
from tickets.sla import queries

pytestmark = pytest.mark.django_db


def plain(said: object) -> object:
    return orjson.loads(orjson.dumps(said, default=str))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_rows_and_objects_say_the_same(
    ventilator: Device,
    stopped: FaultPreset,
    engineer: User,
    nurse: User,
    dispatcher: User,
    now: datetime,
    language: str,
) -> None:
    assigned = lifecycle.submit(device=ventilator, preset=stopped, danger=["smoke"], in_use=True, by=nurse, at=now)
    lifecycle.assign(assigned, to=engineer, by=dispatcher, at=now, eta=now)
    lifecycle.submit(device=ventilator, by=None, at=now, duplicate_of=assigned, parent=assigned)
    lifecycle.submit(device=None, department=factories.department("icu-9"), by=None, at=now)

    with translation.override(language):
        told = {said["id"]: plain(said) for said in queries.answers(queries.rows_for(dispatcher), dispatcher)}
        expected = {ticket.public_id: plain(TicketOut(ticket).data) for ticket in Ticket.objects.all()}

    assert told == expected
    assert len(told) == 3


def test_a_ward_reads_who_comes_but_not_how_they_sign_in(
    ventilator: Device, stopped: FaultPreset, engineer: User, nurse: User, dispatcher: User, now: datetime
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=nurse, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)

    ward, desk = (queries.answer_for(user, ticket.public_id) for user in (nurse, dispatcher))

    assert (ward["assignee"], ward["assignee_name"]) == (None, engineer.short_name)
    assert (desk["assignee"], desk["assignee_name"]) == (engineer.username, engineer.short_name)


def test_a_new_ticket_in_hand_is_said_without_a_query(
    ventilator: Device, stopped: FaultPreset, nurse: User, dispatcher: User, now: datetime
) -> None:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, danger=["smoke"], in_use=True, by=nurse, at=now)

    with CaptureQueriesContext(connection) as seen:
        told = plain(queries.answer_of(ticket, dispatcher))

    assert len(seen) == 0
    assert told == plain(queries.answer_for(dispatcher, ticket.public_id))


def test_a_report_over_the_api_costs_eight_queries_and_leaves_everything(
    ventilator: Device, stopped: FaultPreset, nurse: User
) -> None:
    client, (_row, token) = Client(), issue_token(nurse, at=timezone.now())
    body = {"device": ventilator.public_id, "symptom": stopped.code, "in_use": True, "danger": []}
    queries.rulebook()

    with CaptureQueriesContext(connection) as seen:
        answer = client.post(
            "/api/v1/tickets/", body, content_type="application/json", headers={"Authorization": f"Token {token}"}
        )

    assert answer.status_code == 201, answer.content
    asked = [q["sql"] for q in seen.captured_queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len([q for q in asked if not q.startswith('UPDATE "integrations_apitoken')]) == 8, asked
    ticket = Ticket.objects.get()
    assert answer.json()["id"] == ticket.public_id
    assert Clock.objects.filter(ticket=ticket).count() == 4
    assert Watcher.objects.filter(ticket=ticket).count() == 1
    assert list(EventRecord.objects.order_by("id").values_list("type", flat=True)) == [
        "TicketSubmitted",
        "TicketTriaged",
    ]
    assert OrmQ.objects.count() == 1
