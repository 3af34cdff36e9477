"""Every upload of the corpus ends as a sentence or as a clean re-encoded file; the report itself is kept."""

from __future__ import annotations

import io
import resource
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from assets.models import Device, User
from config.kernel import confined
from config.kernel.errors import Invalid, NotAllowedNow
from tests.tickets.record import corpus
from tickets.models import Attachment, Ticket
from tickets.record import adapters, services

SECRETS = (corpus.PHP, b"evil.html", b"Exif", b"SECRET", b"SecretPhoneMaker", corpus.GPS_COMMENT, b"PK\x03\x04")


def _accept(content: bytes, name: str = "a.jpg") -> adapters.SafeFile:
    return adapters.accept_upload(SimpleUploadedFile(name, content))


@pytest.mark.parametrize("case", corpus.REFUSED)
def test_a_dangerous_or_broken_file_is_refused_with_a_sentence(case: str) -> None:
    began = time.monotonic()

    with pytest.raises(Invalid) as refusal:
        _accept(corpus.REFUSED[case])

    assert str(refusal.value).endswith("。")
    assert refusal.value.fields["file"] == str(refusal.value)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("case", corpus.REPAINTED)
def test_a_picture_is_painted_anew_and_nothing_else_survives(case: str) -> None:
    safe = _accept(corpus.REPAINTED[case])

    for content in (safe.content, safe.thumbnail):
        assert not any(secret in content for secret in SECRETS)
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.mode, getattr(picture, "n_frames", 1)) == ("JPEG", "RGB", 1)
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert not picture.getexif()
    assert (safe.kind, safe.content_type, safe.suffix) == ("photo", "image/jpeg", ".jpg")


def test_a_turned_photo_stands_upright() -> None:
    safe = _accept(corpus.photo_with_secrets())

    assert Image.open(io.BytesIO(safe.content)).size == (40, 60)


def test_a_large_photo_is_stored_with_1600_px_and_a_thumbnail_of_320() -> None:
    safe = _accept(corpus.jpeg((4000, 3000)))

    assert Image.open(io.BytesIO(safe.content)).size == (1600, 1200)
    assert Image.open(io.BytesIO(safe.thumbnail)).size == (320, 240)


def test_the_largest_allowed_picture_fits_the_child() -> None:
    safe = _accept(corpus.png((5000, 5000), "RGBA"))

    assert Image.open(io.BytesIO(safe.content)).size == (1600, 1600)


@pytest.mark.parametrize("case", corpus.VOICE)
def test_a_voice_note_is_kept_as_recorded(case: str) -> None:
    content, content_type = corpus.VOICE[case]

    safe = _accept(content, "note.bin")

    assert (safe.kind, safe.content, safe.content_type, safe.thumbnail) == ("audio", content, content_type, b"")


def test_a_stream_without_a_length_is_read_to_the_limit_only() -> None:
    class Endless:
        size = None
        asked = 0

        def read(self, most: int) -> bytes:
            self.asked += most
            return b"\0" * most

    endless = Endless()
    with pytest.raises(Invalid):
        adapters.accept_upload(endless)

    assert endless.asked == adapters.MAX_BYTES + 1


@pytest.mark.parametrize(
    ("script", "seconds"),
    [
        ("x = bytearray(600 * 1024 * 1024)", 10),
        ("while True: pass", 1),
        ("import threading; threading.Event().wait()", 1),
        ("import sys; sys.stdout.buffer.write(b'a' * 3_000_000)", 10),
        ("import os; os.abort()", 10),
        ("raise ValueError", 10),
    ],
)
def test_a_child_that_wants_too_much_dies_alone(tmp_path: Path, script: str, seconds: int) -> None:
    path = tmp_path / "child.py"
    path.write_text(script)
    before = resource.getrlimit(resource.RLIMIT_AS)

    with pytest.raises(confined.DiedError):
        confined.run(path, b"", seconds=seconds, output=1)

    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_child_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    path = tmp_path / "child.py"
    path.write_text("import os, sys; sys.stdout.write(repr(dict(os.environ)) + sys.stdin.read())")

    answer = confined.run(path, b"given")

    assert b"canary" not in answer
    assert answer.endswith(b"given")


@pytest.fixture
def ticket(ventilator: Device, stopped: Any, now: datetime) -> Ticket:
    from tickets.lifecycle import services as lifecycle

    return lifecycle.submit(device=ventilator, preset=stopped, in_use=False, by=None, at=now)


def test_a_stored_photo_has_a_random_name_and_a_harmless_label(
    ticket: Ticket, nurse: User, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("13800138000 ../x\u202e.jpg", corpus.photo_with_secrets())

    row = services.attach(ticket, upload=upload, by=nurse, at=now)

    stored = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert len(stored) == 2
    assert all("x.jpg" not in p.name and "138" not in row.label for p in stored)
    assert Attachment.objects.get().label == "x.jpg"


def test_a_refused_file_leaves_nothing_behind_and_the_report_stands(
    ticket: Ticket, nurse: User, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path

    with pytest.raises(Invalid):
        services.attach(ticket, upload=SimpleUploadedFile("a.jpg", corpus.PHP), by=nurse, at=now)

    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert Attachment.objects.count() == 0
    assert Ticket.objects.filter(pk=ticket.pk).exists()


def test_the_seventh_file_is_refused(ticket: Ticket, nurse: User, now: datetime, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    for _n in range(services.MAX_ATTACHMENTS):
        services.attach(ticket, upload=SimpleUploadedFile("n", corpus.wav()), by=nurse, at=now)

    with pytest.raises(NotAllowedNow):
        services.attach(ticket, upload=SimpleUploadedFile("n", corpus.wav()), by=nurse, at=now)

    assert ticket.attachments.count() == services.MAX_ATTACHMENTS


def test_a_stored_file_is_served_as_an_attachment_and_to_its_own_ward_only(
    ticket: Ticket, nurse: User, outsider: User, signed_in: Any, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    row = services.attach(ticket, upload=SimpleUploadedFile("x.jpg", corpus.jpeg()), by=nurse, at=now)

    for query in ("", "?thumb=1"):
        answer = signed_in(nurse).get(f"/files/{row.public_id}/{query}")
        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    assert signed_in(outsider).get(f"/files/{row.public_id}/").status_code == 404
    assert Client().get(f"/files/{row.public_id}/").status_code == 302


def test_files_are_decoded_before_the_transaction_and_only_once(
    ticket: Ticket, nurse: User, now: datetime, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("x.jpg", corpus.jpeg())
    services.check_uploads([upload])
    monkeypatch.setattr(adapters, "reencode_image", None)

    services.attach(ticket, upload=upload, by=nurse, at=now)

    assert ticket.attachments.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_ward_page_decodes_outside_its_transaction(
    ticket: Ticket, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEDIA_ROOT = tmp_path
    seen: list[bool] = []
    accept = adapters.accept_upload
    monkeypatch.setattr(adapters, "accept_upload", lambda u: (seen.append(connection.in_atomic_block), accept(u))[1])

    answer = Client().post(
        f"/t/{ticket.tracking_token}/file/", {"file": SimpleUploadedFile("x.jpg", corpus.jpeg())}, follow=False
    )

    assert answer.status_code == 303
    assert seen == [False]
    assert ticket.attachments.count() == 1
