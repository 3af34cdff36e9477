"""The tracking page shows small pictures of what the ward sent: never an original, never what an engineer added."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from assets.models import Device, FaultPreset, User
from tests.tickets.record import corpus
from tests.tickets.ward.conftest import Phone, ticket_of
from tickets.models import Attachment
from tickets.record import services as record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: object, tmp_path: object) -> None:
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]  # pytest-django's settings take any name


def photo() -> SimpleUploadedFile:
    return SimpleUploadedFile("IMG_1.jpg", corpus.jpeg((2000, 1500)), content_type="image/jpeg")


def test_a_photo_is_shown_small(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    phone.do(token, "file", file=photo())

    page = phone.follow(token).content.decode()
    [address] = re.findall(r'<img src="([^"]+)"', page)
    answer = phone.client.get(address)
    body = b"".join(answer.streaming_content)

    assert re.fullmatch(rf"/t/{token}/files/[^/]+/", address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert max(Image.open(io.BytesIO(body)).size) == 320
    assert (answer["X-Content-Type-Options"], answer["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert len(body) < Attachment.objects.get().size


def test_engineers_files_and_other_tickets_are_not_behind_this_token(
    phone: Phone, ventilator: Device, monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    token, other = phone.report(ventilator), phone.report(monitor, symptom=spo2.code)
    theirs = record.attach(ticket_of(token), upload=photo(), by=engineer, at=timezone.now())
    elsewhere = record.attach(ticket_of(other), upload=photo(), by=None, at=timezone.now())

    page = phone.follow(token).content.decode()

    assert "<img" not in page
    for row in (theirs, elsewhere):
        assert phone.client.get(f"/t/{token}/files/{row.public_id}/").status_code == 404
    shown = phone.client.get(f"/t/{other}/files/{elsewhere.public_id}/")
    assert (shown.status_code, bool(b"".join(shown.streaming_content))) == (200, True)


def test_a_voice_note_is_named_and_has_no_address_here(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)
    sound = SimpleUploadedFile("voice.webm", b"\x1aE\xdf\xa3....webm" + b"x" * 200, content_type="audio/webm")
    phone.do(token, "file", file=sound)

    page = phone.follow(token).content.decode()

    row = Attachment.objects.get()
    assert "发的语音，已收到" in page
    assert phone.client.get(f"/t/{token}/files/{row.public_id}/").status_code == 404
