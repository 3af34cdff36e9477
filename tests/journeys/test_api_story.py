"""The main job over the REST API alone, as five roles, each refused what is not theirs."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from config.kernel import log
from config.kernel.models import EventRecord
from tests.factories import PASSWORD
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


class Caller:
    """A program that knows a token and the contract."""

    def __init__(self, username: str) -> None:
        self.client = Client()
        answer = self.client.post(
            "/api/v1/auth/token/", {"username": username, "password": PASSWORD}, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
        self.headers = {"Authorization": f"Token {answer.json()['token']}"}

    def get(self, path, **headers):
        return self.client.get(f"/api/v1/{path}", headers=self.headers | headers)

    def post(self, path, body=None, **headers):
        return self.client.post(
            f"/api/v1/{path}", body or {}, content_type="application/json", headers=self.headers | headers
        )


def report(caller, device, **more):
    return caller.post(
        "tickets/", {"device": device.public_id, "symptom": "ventilator-stopped", "in_use": True, "danger": []} | more
    )


@pytest.fixture
def callers(nurse, outsider, engineer, colleague, dispatcher, manager):
    return {u.username: Caller(u.username) for u in (nurse, outsider, engineer, colleague, dispatcher, manager)}


def test_from_report_to_closed_over_the_api_alone(callers, ventilator):
    made = report(callers["nurse"], ventilator)
    assert made.status_code == 201
    ticket = made.json()
    assert ticket["state"] == "triaged"
    assert ticket["priority"] == 1
    assert ticket["device"] == ventilator.public_id
    assert ticket["assignee"] is None
    assert set(ticket["targets"]) == {"response", "arrival", "restoration", "fix"}
    assert ticket["due"] == ticket["targets"]["fix"]
    at = f"tickets/{ticket['id']}"

    steps = [
        ("dispatcher", "assign", {"to": "li"}, "assigned"),
        ("li", "accept", {}, "accepted"),
        ("li", "depart", {"eta_minutes": 6}, "accepted"),
        ("li", "arrive", {"scanned": True}, "arrived"),
        ("li", "start", {"decon": "cleaned"}, "working"),
        ("li", "pause", {"reason": "parts"}, "paused"),
        ("li", "resume", {}, "working"),
        (
            "li",
            "resolve",
            {"cause": "part", "action": "replace", "release": "usable", "diagnosis": "电源板"},
            "verifying",
        ),
        ("nurse", "dispute", {"reason": "还是停机"}, "reopened"),
        ("dispatcher", "assign", {"to": "wang"}, "assigned"),
        ("wang", "accept", {}, "accepted"),
        ("wang", "arrive", {}, "arrived"),
        ("wang", "start", {}, "working"),
        ("wang", "resolve", {"cause": "ageing", "action": "replace", "release": "usable"}, "verifying"),
        ("nurse", "confirm", {"name": "陈护士", "rating": 3}, "closed"),
    ]
    for who, verb, body, state in steps:
        answer = callers[who].post(f"{at}/{verb}/", body)
        assert answer.status_code == 200, (verb, answer.content.decode())
        assert answer.json()["state"] == state

    row = Ticket.objects.get(public_id=ticket["id"])
    assert (row.state, row.rating, row.reopen_count) == ("closed", 3, 1)
    assert row.repair_reports.count() == 2
    assert row.signatures.filter(meaning="accept").count() == 1
    log.lead("test")
    while log.sequence("test"):
        pass
    assert log.verify() is None
    facts = callers["nurse"].get("events/?after=0&limit=500").json()
    assert [f["seq"] for f in facts["results"]] == list(range(1, EventRecord.objects.count() + 1))
    assert [f["type"] for f in facts["results"] if f["subject"] == f"ticket:{ticket['id']}"][:3] == [
        "TicketSubmitted",
        "TicketTriaged",
        "TicketAssigned",
    ]
    timeline = callers["nurse"].get(f"{at}/timeline/").json()
    assert timeline[-2]["type"] in ("TicketClosed", "TicketRated")


def test_each_role_is_refused_what_is_not_theirs(callers, ventilator):
    at = f"tickets/{report(callers['nurse'], ventilator).json()['id']}"
    callers["dispatcher"].post(f"{at}/assign/", {"to": "li"})
    before = Ticket.objects.values().get()

    refusals = {
        ("outsider", "confirm"): 404,
        ("nurse", "assign"): 403,
        ("nurse", "accept"): 403,
        ("nurse", "reprioritise"): 403,
        ("wang", "accept"): 403,
        ("wang", "decline"): 403,
        ("li", "assign"): 403,
        ("li", "close"): 403,
        ("li", "confirm"): 403,
        ("dispatcher", "accept"): 403,
        ("manager", "start"): 403,
    }
    seen = {(who, verb): callers[who].post(f"{at}/{verb}/").status_code for who, verb in refusals}

    assert seen == refusals
    assert Client().get(f"/api/v1/{at}/").status_code == 401
    assert callers["outsider"].get(f"{at}/").status_code == 404
    assert callers["nurse"].get("engineers/").status_code == 403
    assert callers["nurse"].get(f"{at}/assignment/").status_code == 403
    assert Ticket.objects.values().get() == before


def test_illegal_and_stale_steps_answer_409_with_a_sentence(callers, ventilator):
    made = report(callers["nurse"], ventilator)
    at = f"tickets/{made.json()['id']}"

    illegal = callers["dispatcher"].post(f"{at}/close/", {"reason": "试"})
    assert illegal.status_code == 409
    assert illegal["Content-Type"] == "application/problem+json"
    assert "已分级" in illegal.json()["detail"]

    callers["dispatcher"].post(f"{at}/assign/", {"to": "li"})
    stale = callers["dispatcher"].post(
        f"{at}/reprioritise/", {"priority": 2, "reason": "降级"}, **{"If-Match": made["ETag"]}
    )
    assert stale.status_code == 409
    assert Ticket.objects.get().priority == 1


def test_the_same_key_makes_one_ticket_and_another_body_is_refused(callers, ventilator):
    key = {"Idempotency-Key": str(uuid.uuid4())}

    first = report_with(callers["nurse"], ventilator, key)
    again = report_with(callers["nurse"], ventilator, key)
    other = report_with(callers["nurse"], ventilator, key, description="别的")

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()
    assert Ticket.objects.count() == 1


def report_with(caller, device, headers, **more):
    return caller.post("tickets/", {"device": device.public_id, "symptom": "ventilator-stopped"} | more, **headers)


def test_unknown_fields_are_named_and_nothing_is_stored(callers, ventilator):
    answer = report(callers["nurse"], ventilator, state="closed", priority=4)

    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"state", "priority"}
    assert Ticket.objects.count() == 0


def test_an_unchanged_ticket_is_not_sent_twice(callers, ventilator):
    made = report(callers["nurse"], ventilator)
    at = f"tickets/{made.json()['id']}/"
    tag = callers["nurse"].get(at)["ETag"]

    assert callers["nurse"].get(at, **{"If-None-Match": tag}).status_code == 304


def test_administrators_get_no_token_by_password(admin_user):
    answer = Client().post(
        "/api/v1/auth/token/", {"username": "admin", "password": PASSWORD}, content_type="application/json"
    )

    assert answer.status_code == 403
    assert "网页" in answer.json()["detail"]


def test_a_parent_waits_for_its_children(callers, ventilator):
    parent = report(callers["nurse"], ventilator).json()
    child = report(callers["nurse"], ventilator, parent=parent["id"]).json()
    assert child["parent"] == parent["id"]
    for who, verb, body in [
        ("dispatcher", "assign", {"to": "li"}),
        ("li", "accept", {}),
        ("li", "arrive", {}),
        ("li", "start", {"decon": "cleaned"}),
        ("li", "resolve", {"cause": "part", "action": "replace", "release": "usable"}),
    ]:
        answer = callers[who].post(f"tickets/{parent['id']}/{verb}/", body)
    assert answer.json()["state"] == "resolved"

    early = callers["dispatcher"].post(f"tickets/{parent['id']}/close/", {"reason": "急"})
    callers["dispatcher"].post(f"tickets/{child['id']}/cancel/", {"reason": "外修另开"})

    assert early.status_code == 409
    assert "下级工单" in early.json()["detail"]
    assert Ticket.objects.get(public_id=parent["id"]).state == "verifying"


def test_costs_are_the_equipment_departments_business(callers, ventilator):
    at = f"tickets/{report(callers['nurse'], ventilator).json()['id']}/costs/"

    made = callers["dispatcher"].post(at, {"kind": "vendor", "amount": "1280.50", "note": "外修"})

    assert made.status_code == 201
    assert [(row["kind"], row["amount"]) for row in callers["dispatcher"].get(at).json()] == [("vendor", "1280.50")]
    assert callers["dispatcher"].post(at, {"kind": "vendor", "amount": "0"}).status_code == 400
    assert callers["nurse"].get(at).status_code == 403


def test_the_same_report_with_its_client_id_is_one_ticket_and_another_is_refused(callers, ventilator, monitor):
    key = str(uuid.uuid4())
    first = report(callers["nurse"], ventilator, client_id=key, description="屏幕黑了")

    again = report(callers["nurse"], ventilator, client_id=key, description="屏幕黑了")
    others = [
        report(callers["dispatcher"], monitor, client_id=key, description="屏幕黑了", symptom=None),
        report(callers["nurse"], ventilator, client_id=key, description="又坏了"),
        report(callers["nurse"], ventilator, client_id=key, description="屏幕黑了", danger=["smoke"]),
        report(callers["dispatcher"], ventilator, client_id=key, description="屏幕黑了"),
    ]

    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert [answer.status_code for answer in others] == [409] * 4
    assert all("client_id" in answer.json()["detail"] for answer in others)
    assert Ticket.objects.count() == 1


def test_the_link_that_speaks_for_the_ward_is_not_told_to_engineers(callers, ventilator, engineer, dispatcher, manager):
    made = report(callers["nurse"], ventilator).json()
    at = f"tickets/{made['id']}/"

    told = [callers[who.username].get(at).json()["tracking_url"] for who in (dispatcher, manager, engineer)]
    listed = callers[engineer.username].get("tickets/").json()["results"]

    link = made["tracking_url"]
    assert link.endswith(f"/t/{Ticket.objects.get().tracking_token}/")
    assert told == [link, link, None]
    assert [row["tracking_url"] for row in listed] == [None]
