"""An answer that never came: the ward sends the same once more, and it is there once."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from assets.models import Device
from tests.tickets.ward.conftest import Phone, ticket_of

pytestmark = pytest.mark.django_db


def _photo() -> SimpleUploadedFile:
    body = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(body, "JPEG")
    return SimpleUploadedFile("IMG_1.jpg", body.getvalue(), content_type="image/jpeg")


def test_words_and_photos_sent_again_are_there_once(
    phone: Phone, ventilator: Device, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    token = phone.report(ventilator)

    answers = [phone.do(token, "add", text="漏水到插座旁").status_code for _ in range(2)]
    answers += [phone.do(token, "file", file=_photo()).status_code for _ in range(2)]

    ticket = ticket_of(token)
    assert answers == [303] * 4
    assert (ticket.comments.count(), ticket.attachments.count()) == (1, 1)


def test_other_words_are_another_note(phone: Phone, ventilator: Device) -> None:
    token = phone.report(ventilator)

    phone.do(token, "add", text="漏水到插座旁")
    phone.do(token, "add", text="现在不漏了")

    assert ticket_of(token).comments.count() == 2
