"""What every REST door shares: operation ids that happen once, versions, pages by position, refusals as problem+json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from assets.models import Device, User
from config.kernel.models import EventRecord, IdempotencyRecord
from tests.dispatch.rivals import at_once
from tickets.models import Ticket

TICKETS = "/api/v1/tickets/"
SignIn = Callable[[User], Client]


def body(device: Device, **more: Any) -> dict[str, Any]:
    return {"device": device.public_id, "symptom": "ventilator-stopped", "in_use": True, "danger": []} | more


def post(client: Client, path: str, data: dict[str, Any], **headers: str) -> Any:
    return client.post(path, data, content_type="application/json", headers=headers)


def keyed(client: Client, device: Device, key: str = "k1", **more: Any) -> Any:
    return post(client, TICKETS, body(device, **more), **{"Idempotency-Key": key})


@pytest.fixture
def ward(signed_in: SignIn, nurse: User) -> Client:
    return signed_in(nurse)


@pytest.mark.django_db
def test_the_same_key_again_gets_the_same_answer_and_no_second_ticket(ward: Client, ventilator: Device) -> None:
    first = keyed(ward, ventilator)
    again = keyed(ward, ventilator)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert (first.get("Idempotent-Replay"), again.get("Idempotent-Replay")) == (None, "true")
    assert Ticket.objects.count() == 1
    assert EventRecord.objects.filter(type="TicketSubmitted").count() == 1


@pytest.mark.django_db
def test_the_order_of_names_in_the_body_does_not_make_another_request(ward: Client, ventilator: Device) -> None:
    keyed(ward, ventilator)
    again = post(ward, TICKETS, dict(reversed(body(ventilator).items())), **{"Idempotency-Key": "k1"})

    assert again.status_code == 201
    assert Ticket.objects.count() == 1


@pytest.mark.django_db
def test_the_same_key_for_something_else_is_a_conflict(ward: Client, ventilator: Device) -> None:
    ticket = keyed(ward, ventilator).json()["id"]

    other = keyed(ward, ventilator, description="另一件事")
    elsewhere = post(ward, f"{TICKETS}{ticket}/cancel/", {}, **{"Idempotency-Key": "k1"})

    for answer in (other, elsewhere):
        assert answer.status_code == 409
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:wardline:idempotency_key_reused"
    assert Ticket.objects.get().state == "triaged"


@pytest.mark.django_db
def test_a_key_belongs_to_one_account(signed_in: SignIn, ward: Client, dispatcher: User, ventilator: Device) -> None:
    mine = keyed(ward, ventilator).json()["id"]
    theirs = keyed(signed_in(dispatcher), ventilator).json()["id"]

    assert mine != theirs


@pytest.mark.django_db
def test_a_refusal_uses_no_key_up(ward: Client, ventilator: Device) -> None:
    refused = keyed(ward, ventilator, symptom="no-such-symptom")
    assert refused.status_code == 400
    assert not IdempotencyRecord.objects.exists()

    assert keyed(ward, ventilator).status_code == 201


@pytest.mark.django_db
def test_a_key_that_is_too_long_is_refused_with_a_sentence(ward: Client, ventilator: Device) -> None:
    answer = keyed(ward, ventilator, key="k" * 81)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:wardline:invalid")
    assert not Ticket.objects.exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_twenty_rivals_with_one_key_make_one_ticket(signed_in: SignIn, nurse: User, ventilator: Device) -> None:
    answers: list[tuple[int, str]] = []
    clients = [signed_in(nurse) for _ in range(20)]

    def call(client: Client) -> None:
        answer = keyed(client, ventilator)
        answers.append((answer.status_code, answer.json().get("id", answer.content.decode())))

    at_once([lambda client=client: call(client) for client in clients])

    ticket = Ticket.objects.get()
    assert answers == [(201, ticket.public_id)] * 20
    assert EventRecord.objects.filter(type="TicketSubmitted").count() == 1
    assert IdempotencyRecord.objects.count() == 1


@pytest.mark.django_db
def test_a_client_that_has_this_version_gets_no_body(ward: Client, ventilator: Device) -> None:
    ticket = keyed(ward, ventilator).json()["id"]
    first = ward.get(f"{TICKETS}{ticket}/")

    again = ward.get(f"{TICKETS}{ticket}/", headers={"If-None-Match": first["ETag"]})
    other = ward.get(f"{TICKETS}{ticket}/", headers={"If-None-Match": 'W/"999"'})

    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)


@pytest.mark.django_db
def test_a_step_on_an_old_version_is_refused_and_changes_nothing(ward: Client, ventilator: Device) -> None:
    ticket = keyed(ward, ventilator).json()["id"]
    path = f"{TICKETS}{ticket}/cancel/"

    stale = post(ward, path, {}, **{"If-Match": 'W/"0"'})
    nonsense = post(ward, path, {}, **{"If-Match": '"abc"'})
    assert (stale.status_code, nonsense.status_code) == (409, 400)
    assert Ticket.objects.get().state == "triaged"

    fresh = ward.get(f"{TICKETS}{ticket}/")["ETag"]
    assert post(ward, path, {}, **{"If-Match": fresh}).status_code == 200


@pytest.mark.django_db
def test_pages_go_on_where_they_stopped_although_tickets_arrive(ward: Client, ventilator: Device) -> None:
    made = [keyed(ward, ventilator, key=f"k{n}").json()["id"] for n in range(5)]

    first = ward.get(f"{TICKETS}?page_size=2").json()
    keyed(ward, ventilator, key="in between")
    second = ward.get(first["next"]).json()
    third = ward.get(second["next"]).json()

    seen = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert seen == made[::-1]
    assert third["next"] is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"), [("state", "closed"), ("priority", 1), ("number", "WX1"), ("__class__", "x")]
)
def test_a_field_that_nobody_named_is_refused_by_its_name(
    ward: Client, ventilator: Device, field: str, value: Any
) -> None:
    answer = keyed(ward, ventilator, **{field: value})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("levels", [33, 300, 100_000])
def test_a_body_nested_beyond_reason_is_a_sentence(ward: Client, levels: int) -> None:
    body = "[" * levels + "]" * levels

    answer = ward.post(
        "/api/v1/tickets/", body, content_type="application/json", headers={"Idempotency-Key": f"deep-{levels}"}
    )

    assert (answer.status_code, answer.json()["detail"]) == (400, "JSON 嵌套太深。")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["[]", "7", '"x"', "null", "{", '{"device": {}}', '{"device": "\\u0000"}', '{"danger": "x"}']
)
def test_a_strange_body_is_a_sentence_and_never_a_server_error(ward: Client, ventilator: Device, text: str) -> None:
    answer = ward.post(TICKETS, text, content_type="application/json", headers={"Idempotency-Key": "k"})

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert not Ticket.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("tickets/AAAAAAAAAAAAAAAAAAAAAA/", 404, "not_found"),
        ("tickets/?cursor=nonsense", 404, "not_found"),
        ("tickets/?state=nonsense", 400, "invalid"),
        ("events/?after=-1", 400, "invalid"),
        ("events/?after=9999999999999999999999", 400, "invalid"),
    ],
)
def test_refusals_are_problem_json_with_a_type(ward: Client, path: str, status: int, kind: str) -> None:
    answer = ward.get(f"/api/v1/{path}")

    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() | {"type": f"urn:wardline:{kind}", "status": status} == answer.json()
    assert answer.json()["detail"]


@pytest.mark.django_db
def test_a_caller_without_an_account_is_asked_who_it_is(client: Client, ventilator: Device) -> None:
    answer = post(client, TICKETS, body(ventilator))

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]
    assert answer["Content-Type"] == "application/problem+json"
    assert not Ticket.objects.exists()
