"""What the bodies of the steps may hold: lists of a size that a repair has, reasons that say something, ids and moments
as described. Everything else is a 400 with a sentence, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Device, FaultPreset, User
from config.kernel.errors import Invalid
from config.kernel.models import EventRecord
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.serializers import MOST_LINES
from tickets.models import PartLine, RepairReport, Ticket

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
NOTHING_TO_READ = ["\u200b", "\u200d", "\u200b\u200d \ufeff", "\u2060\u202e"]
DONE = {"cause": "part", "action": "replace", "release": "usable"}


@pytest.fixture
def in_repair(ventilator: Device, stopped: FaultPreset, engineer: User, dispatcher: User, now: datetime) -> Ticket:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    return lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")


def step(client: Client, ticket: Ticket, verb: str, body: dict[str, Any], **headers: str) -> Any:
    address = f"/api/v1/tickets/{ticket.public_id}/{verb}/"
    return client.post(
        address,
        body,
        content_type="application/json",
        headers={name.replace("_", "-"): said for name, said in headers.items()},
    )


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
        assert answer.json()["errors"] == {field: [f"最多 {MOST_LINES} 项。"]}
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

    assert (answer.status_code, answer.json()["errors"]) == (400, {"danger": ["最多 4 项。"]})
    assert not Ticket.objects.exists()


def test_the_description_says_how_many_lines_there_may_be(dispatcher: User, signed_in: SignIn) -> None:
    schemas = signed_in(dispatcher).get("/api/v1/schema/?format=json").json()["components"]["schemas"]

    sheet = schemas["Resolve"]["properties"]

    assert {name: sheet[name]["maxItems"] for name in ("parts", "tests")} == {"parts": MOST_LINES, "tests": MOST_LINES}
    assert sheet["parts"]["items"] == {"$ref": "#/components/schemas/PartIn"}
    assert schemas["NewTicket"]["properties"]["danger"]["maxItems"] == 4


@pytest.mark.parametrize("text", NOTHING_TO_READ, ids=ascii)
def test_a_reason_that_nobody_can_read_is_none(
    text: str, in_repair: Ticket, dispatcher: User, colleague: User, signed_in: SignIn
) -> None:
    before, facts = Ticket.objects.values().get(), EventRecord.objects.count()
    bodies = {
        "reprioritise": {"priority": 2, "reason": text},
        "assign": {"to": colleague.username, "reason": text},
        "cancel": {"reason": text},
        "reject": {"reason": text},
    }

    answers = {verb: step(signed_in(dispatcher), in_repair, verb, body) for verb, body in bodies.items()}

    assert {verb: (a.status_code, list(a.json()["errors"])) for verb, a in answers.items()} == {
        verb: (400, ["reason"]) for verb in bodies
    }
    assert Ticket.objects.values().get() == before
    assert EventRecord.objects.count() == facts


@pytest.mark.parametrize("text", NOTHING_TO_READ, ids=ascii)
def test_a_device_is_restricted_with_words_only(
    text: str, in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    answer = step(signed_in(engineer), in_repair, "resolve", DONE | {"release": "restricted", "release_note": text})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["release_note"])
    assert Ticket.objects.get().state == "working"


@pytest.mark.parametrize("text", NOTHING_TO_READ, ids=ascii)
def test_who_took_a_life_support_device_over_has_a_name(text: str, in_repair: Ticket, engineer: User) -> None:
    lifecycle.resolve(in_repair, sheet=lifecycle.FinishSheet(**DONE), by=engineer, at=in_repair.started_at)

    with pytest.raises(Invalid, match="验收人姓名"):
        lifecycle.confirm(in_repair, by=None, at=in_repair.started_at, name=text)

    assert Ticket.objects.get().state == "verifying"


@pytest.mark.parametrize("given", [1, 0, True, 2**127, "1", "0x" + "1" * 30, "1_" * 15 + "11", "", [], {}], ids=repr)
def test_a_client_id_is_the_text_of_a_uuid(given: Any, ventilator: Device, nurse: User, signed_in: SignIn) -> None:
    body = {"device": ventilator.public_id, "client_id": given}

    answer = signed_in(nurse).post("/api/v1/tickets/", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"]) == (400, {"client_id": ["必须是有效的 UUID。"]})
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("given", ['"1', '1"', 'W/"1', "W/1", '""1""', 'W/W/"1"', '"1", "2"', 'w/"1"', "-1"])
def test_an_if_match_that_is_no_etag_is_refused(
    given: str, in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    answer = step(signed_in(engineer), in_repair, "pause", {"reason": "parts"}, if_match=given)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:wardline:invalid")
    assert Ticket.objects.get().state == "working"


@pytest.mark.parametrize("spelling", ['W/"{}"', '"{}"', "{}"])
def test_the_version_last_read_may_be_sent_bare_or_as_an_etag(
    spelling: str, in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    version = spelling.format(Ticket.objects.get().version)

    answer = step(signed_in(engineer), in_repair, "pause", {"reason": "parts"}, if_match=version)

    assert answer.status_code == 200


@pytest.mark.parametrize("day", ["2026-12-01", "20261201", "2026-W49-2"])
def test_a_pause_ends_at_a_moment_and_not_on_a_day(
    day: str, in_repair: Ticket, engineer: User, signed_in: SignIn
) -> None:
    answer = step(signed_in(engineer), in_repair, "pause", {"reason": "parts", "until": day})

    assert (answer.status_code, answer.json()["errors"]) == (400, {"until": ["期望为日期时间，获得的是日期。"]})
    assert Ticket.objects.get().state == "working"
