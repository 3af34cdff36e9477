"""People in our tables: how long we know them, how we forget them, and that nothing about them leaves the house."""

from __future__ import annotations

import json
import random
import socket
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessLog
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from assets.places.models import Person
from assets.register.queries import token_of
from config.kernel import jobs as kernel_jobs
from config.kernel import log
from config.kernel.models import EventRecord, IdempotencyRecord
from config.schedules import SCHEDULES
from integrations.identity import jobs as identity_jobs
from integrations.identity.models import ApiToken
from tests.security.test_sessions import sign_in
from tests.security.test_sessions import token_of as api_token
from tests.tickets.record import corpus
from tests.tickets.record import test_personal_numbers as numbers
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, Ticket
from tickets.record import services as record
from tickets.record.rules import clean_text
from tickets.retention import jobs as retention_jobs
from tickets.retention import services as retention
from tickets.ward import services as ward

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
NAME, PHONE = "欧阳小敏", "13912345678"


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def told(device: Device, preset: FaultPreset) -> Ticket:
    """A report with a photo, a voice note, a comment and somebody to call back."""
    now = timezone.now()
    ticket = lifecycle.submit(device=device, preset=preset, by=None, at=now, description=f"找{NAME}，她在床旁")
    person = ward.name_reporter(ticket, name=NAME, phone=PHONE, at=now)
    record.attach(ticket, upload=SimpleUploadedFile("a.jpg", corpus.photo_with_secrets()), by=person, at=now)
    record.attach(ticket, upload=SimpleUploadedFile("a.wav", corpus.wav()), by=person, at=now)
    record.comment(ticket, text=f"{NAME} 说换过电源", by=person, at=now)
    ticket.refresh_from_db()
    return ticket


def files(media: Path) -> list[str]:
    return sorted(path.suffix for path in media.rglob("*") if path.is_file())


# --- how long --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_contacts_photos_and_voice_go_when_their_time_is_over_and_not_before(
    clock: Any, ventilator: Device, stopped: FaultPreset, media: Path
) -> None:
    ticket = told(ventilator, stopped)
    lifecycle.cancel(ticket, by=None, at=timezone.now(), before_acceptance=True)

    def after(days: float) -> tuple[str, list[str]]:
        clock.move_to(START + timedelta(days=days))
        retention_jobs.forget()
        return Person.objects.get(pk=ticket.reporter_id).name, files(media)

    assert after(29.9) == (NAME, [".jpg", ".jpg", ".wav"])
    assert after(30.1) == (NAME, [".jpg", ".jpg"])
    assert after(89.9) == (NAME, [".jpg", ".jpg"])
    assert after(90.1) == ("", [".jpg", ".jpg"])
    assert after(179.9) == ("", [".jpg", ".jpg"])
    assert after(180.1) == ("", [])
    assert Attachment.objects.count() == 0
    assert Ticket.objects.get(pk=ticket.pk).department == ticket.department


@pytest.mark.django_db(transaction=True)
def test_nothing_is_forgotten_of_open_tickets_and_of_those_under_legal_hold(
    clock: Any, ventilator: Device, monitor: Device, stopped: FaultPreset, spo2: FaultPreset, media: Path, settings: Any
) -> None:
    told(ventilator, stopped)
    held = told(monitor, spo2)
    lifecycle.cancel(held, by=None, at=timezone.now(), before_acceptance=True)
    settings.LEGAL_HOLD = [held.number]
    clock.shift(timedelta(days=400))

    assert retention_jobs.forget() == {"contacts": 0, "photo": 0, "audio": 0, "stray": 0}

    settings.LEGAL_HOLD = []
    assert retention_jobs.forget() == {"contacts": 1, "photo": 1, "audio": 1, "stray": 0}


def refused(device: Device, preset: FaultPreset) -> None:
    """A report with its files whose transaction did not hold: the bytes stay behind."""
    with transaction.atomic():
        told(device, preset)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_file_that_no_attachment_names_goes_after_a_day_and_no_other(
    ventilator: Device, stopped: FaultPreset, media: Path
) -> None:
    refused(ventilator, stopped)
    stray = {path for path in media.rglob("*") if path.is_file()}
    told(ventilator, stopped)
    (media / "imports").mkdir()
    (media / "imports" / "not-ours.csv").touch()
    written = timezone.now()

    gone = [retention.forget_stray_files(at=written + timedelta(hours=hours)) for hours in (23, 25, 25)]

    assert (len(stray), gone) == (3, [0, 3, 0])
    assert not any(path.exists() for path in stray)
    assert files(media) == [".csv", ".jpg", ".jpg", ".wav"]
    assert all(Path(row.file.path).exists() for row in Attachment.objects.all())
    assert Path(Attachment.objects.get(kind="photo").thumbnail.path).exists()


@pytest.mark.django_db(transaction=True)
def test_a_folder_that_belongs_to_another_database_is_not_emptied(
    ventilator: Device, stopped: FaultPreset, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_STRAY", 2)
    refused(ventilator, stopped)

    assert retention.forget_stray_files(at=timezone.now() + timedelta(hours=25)) == 0

    assert files(media) == [".jpg", ".jpg", ".wav"]


@pytest.mark.django_db
def test_a_hospital_that_has_no_files_yet_has_none_to_forget(media: Path) -> None:
    assert retention_jobs.forget() == {"contacts": 0, "photo": 0, "audio": 0, "stray": 0}

    assert not media.exists()


@pytest.mark.django_db(transaction=True)
def test_the_timed_job_removes_what_a_refused_report_left(
    ventilator: Device, stopped: FaultPreset, media: Path
) -> None:
    refused(ventilator, stopped)

    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        assert retention_jobs.forget()["stray"] == 3

    assert files(media) == []


@pytest.mark.django_db
def test_sign_ins_tokens_sessions_and_kept_answers_go(clock: Any, dispatcher: User, settings: Any) -> None:
    settings.AXES_ENABLED = True
    sign_in(dispatcher)
    api_token(dispatcher)
    IdempotencyRecord.objects.create(scope="x", key="y", request_hash="z", body={"name": NAME})
    clock.shift(timedelta(days=364))
    identity_jobs.forget()
    assert AccessLog.objects.count() == 1

    clock.shift(timedelta(days=2))
    identity_jobs.forget()
    kernel_jobs.forget_answers()

    left = [model.objects.count() for model in (AccessLog, ApiToken, Session, IdempotencyRecord)]
    assert left == [0, 0, 0, 0]


def test_forgetting_is_timed() -> None:
    assert {
        "tickets.retention.jobs.forget",
        "integrations.identity.jobs.forget",
        "assets.register.jobs.forget_staged",
        "config.kernel.jobs.forget_answers",
    } <= {schedule.job for schedule in SCHEDULES}


# --- on request ------------------------------------------------------------------------------------------------------


def everything_stored() -> str:
    """All text of all tables."""
    with connection.cursor() as cursor:
        return "\n".join(str(_rows(cursor, table)) for table in connection.introspection.table_names(cursor))


def _rows(cursor: Any, table: str) -> Any:
    cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
    return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_an_erased_reporter_is_nowhere_and_the_chain_still_holds(
    clock: Any,
    ventilator: Device,
    stopped: FaultPreset,
    dispatcher: User,
    signed_in: Callable[[User], Client],
    media: Path,
) -> None:
    ticket = told(ventilator, stopped)
    assert log.lead("test")
    log.sequence("test")
    before = list(EventRecord.objects.order_by("id").values_list("hash", flat=True))
    desk = signed_in(dispatcher)
    assert NAME in desk.get(f"/desk/tickets/{ticket.public_id}/").content.decode()

    call_command("erase_person", ticket.reporter.public_id)
    log.sequence("test")

    person = Person.objects.get(pk=ticket.reporter_id)
    assert (person.name, person.phone, person.erased_at) == ("", "", START)
    assert files(media) == []
    assert NAME not in everything_stored()
    for path in (f"/desk/tickets/{ticket.public_id}/", "/desk/tickets/?q=欧阳", "/desk/", f"/t/{ticket.tracking_token}/",
                 f"/api/v1/tickets/{ticket.public_id}/timeline/", "/api/v1/tickets/"):  # fmt: skip
        assert NAME not in desk.get(path).content.decode(), path
    assert not Ticket.objects.filter(search_text__contains="欧阳").exists()
    assert list(EventRecord.objects.order_by("id").values_list("hash", flat=True))[: len(before)] == before
    assert log.verify() is None
    assert EventRecord.objects.filter(type="PersonErased").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_erased_account_is_closed_and_has_no_name(clock: Any, dispatcher: User, settings: Any) -> None:
    settings.AXES_ENABLED = True
    browser, token = sign_in(dispatcher), api_token(dispatcher)
    stored = (dispatcher.display_name, dispatcher.email)

    retention.forget_person(dispatcher.person, by=None, at=timezone.now())

    account = User.objects.get(pk=dispatcher.pk)
    assert (account.is_active, account.email, account.has_usable_password()) == (False, "", False)
    assert account.username.startswith("erased-")
    assert browser.get("/desk/").status_code == 302
    assert Client(headers={"Authorization": f"Token {token}"}).get("/api/v1/tickets/").status_code == 401
    assert not any(value in everything_stored() for value in stored)


@pytest.mark.django_db(transaction=True)
def test_a_person_reads_what_we_know_of_them_and_of_nobody_else(
    clock: Any, ventilator: Device, monitor: Device, stopped: FaultPreset, spo2: FaultPreset, media: Path, capsys: Any
) -> None:
    ticket = told(ventilator, stopped)
    other = told(monitor, spo2)
    record.comment(ticket, text="别人的话", by=other.reporter, at=timezone.now())

    call_command("own_data", ticket.reporter.public_id)

    known = json.loads(capsys.readouterr().out)
    assert (known["name"], known["phone"], known["account"]) == (NAME, PHONE, None)
    assert [line["text"] for line in known["wrote"]] == [f"{NAME} 说换过电源"]
    assert [row["number"] for row in known["reported"]] == [ticket.number]
    assert sorted(row["kind"] for row in known["sent"]) == ["audio", "photo"]
    assert {row["type"] for row in known["did"]} >= {"CommentAdded", "AttachmentAdded"}


@pytest.mark.django_db(transaction=True)
def test_lists_load_thumbnails_and_each_original_that_is_opened_is_written_down(
    ventilator: Device, stopped: FaultPreset, dispatcher: User, signed_in: Callable[[User], Client], media: Path,
    caplog: Any,
) -> None:  # fmt: skip
    ticket = told(ventilator, stopped)
    photo = ticket.attachments.get(kind="photo")
    desk = signed_in(dispatcher)

    for path in ("/desk/", "/desk/tickets/", f"/desk/tickets/{ticket.public_id}/"):
        page = desk.get(path).content.decode()
        assert f'src="/files/{photo.public_id}/"' not in page
    with caplog.at_level("INFO", logger="tickets.desk.views.files"):
        for query in ("?thumb=1", "", "?thumb=1"):
            desk.get(f"/files/{photo.public_id}/{query}").close()

    read = [line.getMessage() for line in caplog.records if photo.public_id in line.getMessage()]
    assert read == [f"attachment {photo.public_id} read by person {dispatcher.person_id}"]


# --- what is typed ---------------------------------------------------------------------------------------------------


def test_of_2000_personal_numbers_99_percent_are_masked_in_each_of_ten_writings() -> None:
    """200 seeded numbers in each of the ten writings."""
    r = random.Random(511)
    kinds = [numbers._id_card, numbers._mobile, numbers._inpatient, numbers._old_id_card]
    given = [(kinds[n % 4], kinds[n % 4](r)) for n in range(200)]
    missed = []
    for writing, write in numbers.WRITINGS.items():
        for make, number in given:
            label = r.choice(("住院号 ", "病案号:", "MRN ")) if make is numbers._inpatient else ""
            if not clean_text(r.choice(numbers.AROUND) % (label + write(number, r)))[1]:
                missed.append((writing, number))

    assert len(missed) <= 20, missed[:10]


def test_of_2000_machine_numbers_at_most_one_percent_are_masked() -> None:
    wrong = [text for seed in range(4) for text in numbers._negatives(seed) if clean_text(text)[1]]

    assert len(wrong) <= 20, wrong[:10]


# --- what leaves the house -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_request_leaves_the_host(
    monkeypatch: pytest.MonkeyPatch, ventilator: Device, dispatcher: User, engineer: User, media: Path
) -> None:
    """A report, its photo, its assignment and mail, the lists and the timed jobs: nobody outside is asked for anything."""
    asked: list[Any] = []
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def named(host: Any, *more: Any, **options: Any) -> Any:
        asked.append(host)
        return resolve(host, *more, **options)

    def dialled(self: socket.socket, address: Any) -> Any:
        asked.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    monkeypatch.setattr(socket.socket, "connect", dialled)
    report = {"in_use": "yes", "symptom": "ventilator-stopped", "client_id": str(uuid.uuid4())}

    sent = Client().post(f"/q/{token_of(ventilator)}/", report)
    track = sent["Location"]
    Client().post(f"{track}file/", {"file": SimpleUploadedFile("a.jpg", corpus.photo_with_secrets())})
    desk = sign_in(dispatcher)
    ticket = Ticket.objects.get()
    desk.post(f"/desk/tickets/{ticket.public_id}/do/assign/", {"to": engineer.username})
    for path in ("/desk/", "/desk/tickets/", "/api/v1/docs/", "/api/v1/schema/", "/notifications/", track):
        assert desk.get(path).status_code == 200
    retention_jobs.forget()
    identity_jobs.forget()

    outside = [who for who in asked if not _is_here(who)]
    assert outside == []
    assert Attachment.objects.count() == 1


def _is_here(who: Any) -> bool:
    host = who[0] if isinstance(who, tuple) else who
    return not isinstance(host, str) or host.startswith("/") or host in ("127.0.0.1", "::1", "localhost", "")


def test_pages_name_no_host_but_their_own() -> None:
    """Neither a template nor a script or style of ours fetches from elsewhere: the policy would stop it, too late."""
    root = Path(__file__).resolve().parents[2]
    fetches = []
    for path in [*root.glob("templates/**/*.html"), *root.glob("static/css/**/*.css"), *root.glob("static/js/**/*.js")]:
        text = path.read_text()
        fetches += [
            f"{path.name}: {mark}"
            for mark in ('src="http', "src='http", "url(http", '@import "http', 'from "http', "fetch(\"http", 'href="//', 'src="//')
            if mark in text
        ]  # fmt: skip

    assert fetches == []
