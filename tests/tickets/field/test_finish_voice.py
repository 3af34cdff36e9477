"""The finish sheet's sentence and voice note: proposals fill empty fields only, the sound belongs to the repair report."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from assets.models import Device, FaultPreset, User
from tests.tickets.field.conftest import Phone, again, brought_to, facts
from tests.tickets.record import corpus

pytestmark = pytest.mark.django_db
SAID = "电源板坏，更换电源板 PB-12，接地 86，功能正常，可用"
SHEET = {"cause": "part", "action": "replace", "release": "usable", "function_ok": "1", "diagnosis": SAID}


@pytest.fixture(autouse=True)
def _media(settings: object, tmp_path: object) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]  # pytest-django's settings take any name


def sound() -> SimpleUploadedFile:
    return SimpleUploadedFile("voice.webm", b"\x1aE\xdf\xa3....webm" + b"x" * 200, content_type="audio/webm")


def test_the_voice_note_belongs_to_the_report_of_this_repair(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    answer = phone.do(ticket, "finish", voice=sound(), file=SimpleUploadedFile("a.jpg", corpus.jpeg((40, 30))), **SHEET)

    assert answer.status_code == 303
    report = again(ticket).repair_reports.get()
    assert sorted(report.files.values_list("kind", flat=True)) == ["audio", "photo"]
    assert report.diagnosis == SAID


def test_a_refused_sheet_keeps_no_voice(phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    answer = phone.do(ticket, "finish", voice=sound(), **(SHEET | {"release": "restricted"}))

    assert answer.status_code == 422
    assert (again(ticket).state, ticket.attachments.count(), facts("AttachmentAdded")) == ("working", 0, 0)


def test_a_sentence_fills_what_is_empty_and_stores_nothing(
    phone: Phone, ventilator: Device, stopped: FaultPreset, engineer: User
) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)
    address = f"/field/{ticket.public_id}/finish/fill/"

    page = phone.client.post(address, {"diagnosis": SAID, "cause": "ageing"}).content.decode()
    data = phone.client.post(address, {"diagnosis": SAID}, headers={"accept": "application/json"}).json()

    assert 'value="ageing" checked' in page  # chosen by hand, so it stays
    assert 'value="replace" checked' in page
    assert 'value="电源板 PB-12"' in page
    assert data["fields"]["test_protective_earth"] == "86"
    assert (again(ticket).state, again(ticket).version) == ("working", ticket.version)


def test_only_the_house_may_ask(ventilator: Device, stopped: FaultPreset, engineer: User, client: Client) -> None:
    ticket = brought_to("working", ventilator, stopped, engineer)

    answer = client.post(f"/field/{ticket.public_id}/finish/fill/", {"diagnosis": SAID})

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")
