"""What the bodies of the steps may hold: lists of a size that a repair has. Everything else is a 400 with a sentence, and
nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Device, FaultPreset, User
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.serializers import MOST_LINES
from tickets.models import PartLine, RepairReport, Ticket

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
DONE = {"cause": "part", "action": "replace", "release": "usable"}


@pytest.fixture
def in_repair(ventilator: Device, stopped: FaultPreset, engineer: User, dispatcher: User, now: datetime) -> Ticket:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    return lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")


def step(client: Client, ticket: Ticket, verb: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/tickets/{ticket.public_id}/{verb}/", body, content_type="application/json")


def parts(number: int) -> list[dict[str, Any]]:
    return [{"name": f"配件 {n}"} for n in range(number)]


def checks(number: int) -> list[dict[str, Any]]:
    return [{"name": f"检查 {n}", "value": 1, "passed": True} for n in range(number)]


@pytest.mark.parametrize(("field", "made"), [("parts", parts), ("tests", checks)])
def test_a_finish_sheet_with_more_lines_than_any_repair_has_is_refused_unread(
    field: str, made: Any, in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    wrong = [{"name": ""}] * (MOST_LINES + 1)  # each a mistake of its own: none of them is looked at

    for lines in (made(MOST_LINES + 1), wrong):
        answer = step(signed_in(engineer), in_repair, "resolve", DONE | {field: lines})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {field: [f"该字段不能超过 {MOST_LINES} 个元素。"]}
    assert Ticket.objects.get().state == "working"
    assert not RepairReport.objects.exists()


def test_as_many_lines_as_allowed_are_kept_and_the_parts_take_one_insert(
    in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    client = signed_in(engineer)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = step(client, in_repair, "resolve", DONE | {"parts": parts(MOST_LINES), "tests": checks(MOST_LINES)})

    assert answer.status_code == 200
    assert list(PartLine.objects.order_by("pk").values_list("name", "quantity", "by")) == [
        (f"配件 {n}", 1, engineer.person_id) for n in range(MOST_LINES)
    ]
    assert len(RepairReport.objects.get().tests) == MOST_LINES
    assert sum('INSERT INTO "tickets_partline"' in query["sql"] for query in asked.captured_queries) == 1


def test_dangers_without_end_are_counted_and_not_judged_one_by_one(
    ventilator: Device, nurse: User, signed_in: SignIn
) -> None:
    body = {"device": ventilator.public_id, "danger": ["x"] * 5000}

    answer = signed_in(nurse).post("/api/v1/tickets/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"]) == (400, {"danger": ["该字段不能超过 4 个元素。"]})
    assert not Ticket.objects.exists()


def test_the_description_says_how_many_lines_there_may_be(dispatcher: User, signed_in: SignIn) -> None:
    schemas = signed_in(dispatcher).get("/api/v1/schema/?format=json").json()["components"]["schemas"]

    sheet = schemas["Resolve"]["properties"]

    assert {name: sheet[name]["maxItems"] for name in ("parts", "tests")} == {"parts": MOST_LINES, "tests": MOST_LINES}
    assert sheet["parts"]["items"] == {"$ref": "#/components/schemas/PartIn"}
    assert schemas["NewTicket"]["properties"]["danger"]["maxItems"] == 4
