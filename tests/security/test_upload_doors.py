"""The upload corpus through every door that takes files: a sentence or a clean file, nothing else kept, the report stands."""

from __future__ import annotations

import functools
import io
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from assets.models import Device, User
from config.kernel import confined
from tests.assets.register.test_import import BOMBS
from tests.tickets.record import corpus
from tests.tickets.record.test_uploads import SECRETS
from tickets.models import Attachment, Ticket

SENTENCES = ("文件太大，最多 10 MB。", "文件是空的。", "这张照片打不开。", "只能发 JPEG", "提交的是空文件。")
DOORS = ("ward", "field", "finish", "desk")
PHOTO_DOORS = (*DOORS, "note")  # the composer of the desk takes no voice
NAMES = [
    "../../../etc/cron.d/x.jpg",
    "..\\..\\x.jpg",
    "a.jpg%00.html",
    "a.jpg\0.html",
    "x" * 300 + ".jpg",
    "\u202egpj.exe",
    'a\r\nSet-Cookie: b="c".jpg',
    "a.jpg.html",
    "<img src=x onerror=alert(1)>.jpg",
    "陈护士13800138000.jpg",
]
ENTITIES = {"\0": "", "\r": "%0D", "\n": "%0A", '"': "%22"}  # how browsers write names into multipart bodies


@pytest.fixture(scope="module", autouse=True)
def _decoded_once() -> Iterator[None]:
    """The same bytes come out of the child the same way: once for four doors is enough, and it is the real child."""
    patch = pytest.MonkeyPatch()
    patch.setattr(confined, "run", _remember(confined.run))
    yield
    patch.undo()


def _remember(run: Callable[..., bytes]) -> Callable[..., bytes]:
    known: dict[tuple[Path, bytes], bytes | confined.DiedError] = {}

    @functools.wraps(run)
    def remembered(script: Path, content: bytes, **limits: int) -> bytes:
        if (script, content) not in known:
            try:
                known[script, content] = run(script, content, **limits)
            except confined.DiedError as death:
                known[script, content] = death
        answer = known[script, content]
        if isinstance(answer, confined.DiedError):
            raise answer
        return answer

    return remembered


@pytest.fixture
def send(ticket: Ticket, signed_in: Callable[[User], Client], engineer: User, dispatcher: User) -> Callable[..., Any]:
    """A file through one of the doors, under a name."""
    clients = {"field": signed_in(engineer), "finish": signed_in(engineer), "desk": signed_in(dispatcher)}
    sheet = {"cause": "part", "action": "replace", "release": "usable"}

    def through(door: str, content: bytes, name: str = "a.jpg") -> HttpResponse:
        file = SimpleUploadedFile("a.jpg", content)
        file._name = "".join(ENTITIES.get(c, c) for c in name)  # the setter would already cut the path off
        if door == "ward":
            return Client().post(f"/t/{ticket.tracking_token}/file/", {"file": file})
        if door == "desk":
            return clients[door].post(f"/api/v1/tickets/{ticket.public_id}/attachments/", {"file": file})
        if door == "note":
            return clients["desk"].post(f"/desk/tickets/{ticket.public_id}/comment/", {"text": "看照片", "photo": file})
        body = {"op_id": str(uuid.uuid4()), "file": file} | (sheet if door == "finish" else {})
        verb = "photo" if door == "field" else "finish"
        return clients[door].post(f"/field/{ticket.public_id}/do/{verb}/", body)

    return through


def stored(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


def words(answer: HttpResponse) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("case", corpus.REFUSED)
def test_a_dangerous_file_gets_a_sentence_at_every_door_and_leaves_nothing(
    case: str, send: Callable[..., Any], ticket: Ticket, media: Path
) -> None:
    for door in PHOTO_DOORS:
        answer = send(door, corpus.REFUSED[case])

        assert answer.status_code in (400, 422), door
        assert any(sentence in words(answer) for sentence in SENTENCES), door
        assert "Traceback" not in words(answer)
        assert Attachment.objects.count() == 0
        assert stored(media) == []
        assert Ticket.objects.get(pk=ticket.pk).state == "working"


@pytest.mark.parametrize("case", corpus.REPAINTED)
def test_a_picture_is_stored_repainted_with_its_thumbnail_and_nothing_else(
    case: str, send: Callable[..., Any], media: Path
) -> None:
    answers = [send(door, corpus.REPAINTED[case], "a.jpg.html").status_code for door in PHOTO_DOORS]

    assert answers == [303, 303, 303, 201, 302]
    assert set(Attachment.objects.values_list("kind", "content_type")) == {("photo", "image/jpeg")}
    assert {path.suffix for path in stored(media)} == {".jpg"}
    assert len(stored(media)) == 2 * Attachment.objects.count() == 10
    for path in stored(media):
        content = path.read_bytes()
        assert not any(secret in content for secret in SECRETS)
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, getattr(picture, "n_frames", 1), dict(picture.getexif())) == ("JPEG", 1, {})


@pytest.mark.parametrize("case", corpus.VOICE)
def test_a_voice_note_is_kept_by_every_door(case: str, send: Callable[..., Any], media: Path) -> None:
    content, content_type = corpus.VOICE[case]

    answers = [send(door, content, "voice.html").status_code for door in DOORS]

    assert answers == [303, 303, 303, 201]
    assert set(Attachment.objects.values_list("kind", "content_type")) == {("audio", content_type)}
    assert [path.read_bytes() for path in stored(media)] == [content] * 4


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_label(name: str, send: Callable[..., Any], media: Path) -> None:
    answers = [send(door, corpus.wav(), name).status_code for door in DOORS]

    assert answers == [303, 303, 303, 201]
    assert len(stored(media)) == 4
    for path in stored(media):
        assert (len(path.stem), path.stem.isalnum(), path.suffix) == (32, True, ".wav")
        assert media in path.parents
    for label in Attachment.objects.values_list("label", flat=True):
        assert len(label) <= 100
        assert not set(label) & set('\r\n\0\u202e/\\<>"')
        assert "13800138000" not in label


@pytest.mark.parametrize("door", DOORS)
def test_one_file_too_many_keeps_the_ticket_and_no_file(
    door: str, send: Callable[..., Any], ticket: Ticket, media: Path
) -> None:
    sent = [send("ward", corpus.wav(sample=n)).status_code for n in range(6)]

    answer = send(door, corpus.wav(sample=6))

    assert sent == [303] * 6
    assert answer.status_code == 409
    assert len(stored(media)) == Attachment.objects.count() == 6
    assert Ticket.objects.get(pk=ticket.pk).state == "working"


def test_a_flood_of_files_in_one_post_is_refused_whole(ticket: Ticket, media: Path) -> None:
    files = [SimpleUploadedFile(f"{n}.jpg", corpus.jpeg()) for n in range(21)]

    answer = Client().post(f"/t/{ticket.tracking_token}/file/", {"file": files})

    assert answer.status_code == 400
    assert stored(media) == []


@pytest.mark.parametrize("case", [*BOMBS, *corpus.REFUSED])
def test_the_register_import_refuses_and_keeps_nothing(
    case: str, signed_in: Callable[[User], Client], manager: User, media: Path
) -> None:
    content = BOMBS[case]() if case in BOMBS else corpus.REFUSED[case]

    answer = signed_in(manager).post(
        "/admin/assets/device/import/", {"file": SimpleUploadedFile("register.xlsx", content)}, follow=True
    )

    assert answer.status_code == 200
    assert "。" in words(answer)
    assert 'name="token"' not in words(answer)
    assert Device.objects.count() == 0
    assert stored(media) == []
