"""Photos in the desk's composer: the same guarded door as everywhere, and a refusal keeps what was typed."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.tickets.desk import stories
from tests.tickets.record import corpus


@pytest.fixture(autouse=True)
def _elsewhere(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def ticket(ventilator, stopped, now):
    made = stories.reported(ventilator, stopped, now, in_use=True)
    made.refresh_from_db()
    return made


def say(client, ticket, text="", *photos):
    files = [SimpleUploadedFile(name, content) for name, content in photos]
    return client.post(f"/desk/tickets/{ticket.public_id}/comment/", {"text": text, "public": "on", "photo": files})


def test_a_photo_goes_with_the_note_re_encoded_and_without_its_place(ticket, dispatcher, signed_in):
    client = signed_in(dispatcher)

    answer = say(client, ticket, "铭牌在背面", ("plate.jpg", corpus.photo_with_secrets()))

    assert answer.status_code == 302
    row = ticket.attachments.get()
    with row.file.open() as file:
        kept = file.read()
    assert row.thumbnail
    assert row.by_id == dispatcher.person_id
    assert not Image.open(io.BytesIO(kept)).getexif()
    assert corpus.GPS_COMMENT not in kept
    page = client.get(f"/desk/tickets/{ticket.public_id}/").content.decode()
    assert f"/files/{row.public_id}/?thumb=1" in page
    assert "铭牌在背面" in page


def test_a_photo_alone_is_enough_and_makes_no_empty_note(ticket, dispatcher, signed_in):
    answer = say(signed_in(dispatcher), ticket, "", ("a.png", corpus.png()), ("b.jpg", corpus.jpeg()))

    assert answer.status_code == 302
    assert (ticket.attachments.count(), ticket.comments.count()) == (2, 0)


@pytest.mark.parametrize("bad", [corpus.PHP, corpus.SVG, corpus.wav()])
def test_one_bad_file_stores_nothing_and_keeps_the_words(ticket, dispatcher, signed_in, bad):
    answer = say(signed_in(dispatcher), ticket, "看照片", ("a.jpg", corpus.jpeg()), ("b.jpg", bad))

    assert answer.status_code == 400
    assert (ticket.attachments.count(), ticket.comments.count()) == (0, 0)
    assert "看照片" in answer.content.decode()


def test_the_seventh_file_is_refused_and_its_note_too(ticket, dispatcher, signed_in):
    client = signed_in(dispatcher)
    for _n in range(2):
        say(client, ticket, "", *(("a.png", corpus.png()) for _i in range(3)))

    answer = say(client, ticket, "再一张", ("b.jpg", corpus.jpeg()))

    assert answer.status_code == 400
    assert (ticket.attachments.count(), ticket.comments.count()) == (6, 0)
