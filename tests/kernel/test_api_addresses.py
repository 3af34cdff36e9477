"""Addresses of the API that nobody answers, and bodies that nobody reads: one spelling of each refusal, told in JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from assets.models import Device, User
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_to_an_address_without_its_slash_is_not_lost_on_the_way(
    debug: bool, ventilator: Device, nurse: User, signed_in: SignIn, settings: Any
) -> None:
    settings.DEBUG = debug
    body = {"device": ventilator.public_id, "symptom": "ventilator-stopped"}

    answer = signed_in(nurse).post("/api/v1/tickets", body, content_type="application/json", follow=True)

    assert answer.redirect_chain == []
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["type"] == "urn:wardline:not_found"
    assert "/api/v1/tickets/" in answer.json()["detail"]
    assert answer["Content-Length"] == str(len(answer.content))
    assert not Ticket.objects.exists()


def test_the_missing_slash_is_told_in_the_callers_language(client: Client) -> None:
    answer = client.post("/api/v1/auth/token", {}, content_type="application/json", headers={"accept-language": "en"})

    assert answer.status_code == 404
    assert answer.json()["detail"] == "This address ends with a slash: /api/v1/auth/token/"


def test_a_reader_is_still_led_to_the_address_with_the_slash(nurse: User, signed_in: SignIn) -> None:
    for method in ("get", "head"):
        answer = getattr(signed_in(nurse), method)("/api/v1/tickets?open=true")

        assert (answer.status_code, answer["Location"]) == (301, "/api/v1/tickets/?open=true")


def test_an_address_that_no_slash_would_mend_is_not_there(client: Client) -> None:
    answer = client.post("/api/v1/nothing", {}, content_type="application/json")

    assert (answer.status_code, answer.json()["detail"]) == (404, "没有这个地址。")


def test_each_kind_of_refusal_has_one_name(nurse: User, signed_in: SignIn) -> None:
    client = signed_in(nurse)

    told = [
        client.get("/api/v1/nothing/").json()["type"],
        client.get("/api/v1/tickets/AAAAAAAAAAAAAAAAAAAAAA/").json()["type"],
        client.patch("/api/v1/tickets/").json()["type"],
        client.post("/api/v1/events/").json()["type"],
    ]

    assert told == [f"urn:wardline:{name}" for name in ("not_found", "not_found", *["method_not_allowed"] * 2)]


@pytest.mark.parametrize(
    ("query", "accept", "refused"),
    [
        ("", "*/*", "not_authenticated"),
        ("?format=json", "*/*", "not_authenticated"),
        ("?format=yaml", "*/*", "not_authenticated"),
        ("", "application/vnd.oai.openapi", "not_authenticated"),
        ("", "image/png", "not_acceptable"),
    ],
)
def test_the_description_is_refused_in_the_type_it_is_told(
    client: Client, query: str, accept: str, refused: str
) -> None:
    answer = client.get(f"/api/v1/schema/{query}", headers={"accept": accept})

    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:wardline:{refused}"


@pytest.mark.parametrize("path", ["/api/v1/auth/token/", "/api/v1/tickets/"])
def test_a_body_that_is_too_large_takes_one_line_of_the_log(
    path: str, nurse: User, signed_in: SignIn, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    with caplog.at_level(logging.INFO):
        answer = signed_in(nurse).post(path, {"username": "a" * 99}, content_type="application/json")

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:wardline:request_entity_too_large")
    assert [(line.levelname, line.exc_info) for line in caplog.records] == [("WARNING", None)]
