"""What comes with a private note is as private as its words: the ward finds it in no list and at no address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets.models import Device, FaultPreset, User
from tests.tickets.record import corpus
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, Ticket
from tickets.record import services as record

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def _noted(ticket: Ticket, text: str, *, public: bool, by: User, at: datetime) -> Attachment:
    photo = SimpleUploadedFile(f"{text}.jpg", corpus.jpeg())
    record.note(ticket, text=text, photos=[photo], public=public, by=by, at=at)
    return ticket.attachments.get(label__startswith=text)


def _status(client: Client, address: str) -> int:
    answer = client.get(address)
    if answer.streaming:  # read to its end: the test client keeps the test's connection open only then
        assert b"".join(answer.streaming_content)
    return answer.status_code


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, dispatcher: User, now: datetime) -> Ticket:
    """Reported by the desk for the ward: the tracking page takes the reporter's files for the ward's own."""
    return lifecycle.submit(device=ventilator, preset=stopped, by=dispatcher, at=now)


@pytest.fixture
def private(ticket: Ticket, dispatcher: User, now: datetime) -> Attachment:
    return _noted(ticket, "价格", public=False, by=dispatcher, at=now)


@pytest.fixture
def public(ticket: Ticket, dispatcher: User, now: datetime) -> Attachment:
    return _noted(ticket, "铭牌", public=True, by=dispatcher, at=now + timedelta(minutes=1))


@pytest.mark.parametrize("query", ["", "?thumb=1"])
def test_only_the_department_opens_a_private_file(
    private: Attachment, public: Attachment, nurse: User, engineer: User, signed_in: SignIn, query: str
) -> None:
    ward, field = signed_in(nurse), signed_in(engineer)

    assert _status(ward, f"/files/{private.public_id}/{query}") == 404
    assert _status(ward, f"/files/{public.public_id}/{query}") == 200
    assert _status(field, f"/files/{private.public_id}/{query}") == 200


def test_the_list_of_files_leaves_a_private_one_out_for_the_ward(
    ticket: Ticket, private: Attachment, public: Attachment, nurse: User, engineer: User, signed_in: SignIn
) -> None:
    address = f"/api/v1/tickets/{ticket.public_id}/attachments/"

    def listed(who: User) -> set[str]:
        return {row["id"] for row in signed_in(who).get(address).json()}

    assert listed(nurse) == {public.public_id}
    assert listed(engineer) == {public.public_id, private.public_id}


def test_the_tracking_page_neither_names_nor_serves_it(ticket: Ticket, private: Attachment, public: Attachment) -> None:
    base = f"/t/{ticket.tracking_token}/"
    page = Client().get(base).content.decode()

    assert public.public_id in page
    assert private.public_id not in page
    assert _status(Client(), f"{base}files/{public.public_id}/") == 200
    assert _status(Client(), f"{base}files/{private.public_id}/") == 404


def test_the_desk_sees_that_it_is_private(
    ticket: Ticket, private: Attachment, dispatcher: User, signed_in: SignIn
) -> None:
    page = signed_in(dispatcher).get(f"/desk/tickets/{ticket.public_id}/").content.decode()

    assert private.public_id in page
    assert page.count("仅科内</span>") == 2


def test_files_of_private_notes_sent_before_the_flag_are_hidden_too(private: Attachment, public: Attachment) -> None:
    Attachment.objects.update(public=True)

    import_module("tickets.migrations.0005_private_files").hide(apps, None)

    private.refresh_from_db()
    public.refresh_from_db()
    assert (private.public, public.public) == (False, True)
