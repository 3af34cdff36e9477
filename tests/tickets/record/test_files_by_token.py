"""A program that lists the files of a ticket can open them: the token of the API, and the rows that it may see."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from assets.models import Device, User
from integrations.identity import services as identity
from tests.tickets.record import corpus
from tickets.lifecycle import services as lifecycle
from tickets.record import services
from tickets.record.models import Attachment, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(ventilator: Device, nurse: User, now: datetime, settings: Any, tmp_path: Path) -> Ticket:
    settings.MEDIA_ROOT = tmp_path
    return lifecycle.submit(device=ventilator, by=nurse, at=now)


@pytest.fixture
def photo(ticket: Ticket, nurse: User, now: datetime) -> Attachment:
    return services.attach(ticket, upload=SimpleUploadedFile("x.jpg", corpus.jpeg()), by=nurse, at=now)


def key(user: User, **more: Any) -> dict[str, str]:
    _row, clear = identity.issue_token(user, at=timezone.now(), **more)
    return {"Authorization": f"Token {clear}"}


def status_of(address: str, who: User) -> int:
    answer = Client(headers=key(who)).get(address)
    if answer.streaming:  # read to its end: the test client keeps the test's connection open only then
        assert b"".join(answer.streaming_content)
    return answer.status_code


@pytest.mark.parametrize("accept", ["*/*", "image/jpeg"])
def test_the_address_in_the_list_opens_with_the_same_token(
    accept: str, ticket: Ticket, photo: Attachment, nurse: User, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://wardline.example"
    program = Client(headers=key(nurse))

    [listed] = program.get(f"/api/v1/tickets/{ticket.public_id}/attachments/").json()
    answer = program.get(listed["url"].removeprefix("https://wardline.example"), headers={"accept": accept})

    assert listed["url"] == f"https://wardline.example/files/{photo.public_id}/"
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")


def test_a_token_opens_what_its_account_may_see_and_no_more(
    ticket: Ticket, photo: Attachment, nurse: User, outsider: User, engineer: User, now: datetime
) -> None:
    inside = services.attach(
        ticket, upload=SimpleUploadedFile("y.jpg", corpus.jpeg()), by=engineer, at=now, public=False
    )

    told = {
        (who.username, row.pk): status_of(f"/files/{row.public_id}/", who)
        for who in (nurse, outsider, engineer)
        for row in (photo, inside)
    }

    assert told == {
        ("nurse", photo.pk): 200, ("nurse", inside.pk): 404,
        ("outsider", photo.pk): 404, ("outsider", inside.pk): 404,
        ("li", photo.pk): 200, ("li", inside.pk): 200,
    }  # fmt: skip


def test_a_token_that_is_none_is_refused_and_not_sent_to_the_sign_in(photo: Attachment, nurse: User) -> None:
    row, clear = identity.issue_token(nurse, at=timezone.now())
    identity.revoke(row, at=timezone.now())
    _row, late = identity.issue_token(nurse, at=timezone.now() - timedelta(hours=13))

    for said in (f"Token {clear}", f"Token {late}", "Token x.y", "Token", "Bearer x"):
        answer = Client(headers={"Authorization": said}).get(f"/files/{photo.public_id}/")

        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")
        assert answer["Content-Type"] == "application/problem+json"
    anonymous = Client().get(f"/files/{photo.public_id}/")
    assert (anonymous.status_code, anonymous["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_a_token_is_not_taken_at_the_pages(nurse: User, ticket: Ticket) -> None:
    assert Client(headers=key(nurse)).get("/ward/").status_code == 302
