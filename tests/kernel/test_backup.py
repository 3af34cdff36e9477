"""Backup and restore in one process: all comes back, or nothing has changed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from assets.models import Device, FaultPreset, User
from config.kernel import backup, log
from config.kernel.archive import Unfit
from config.kernel.models import EventRecord
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, Ticket

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, nurse: User, now: datetime) -> Ticket:
    """A ticket with a photo; its facts are in the chain."""
    made = lifecycle.submit(device=ventilator, preset=stopped, by=nurse, at=now, description="停机")
    photo = Attachment(ticket=made, at=now, kind="photo", content_type="image/jpeg", size=4, sha256="0" * 64)
    photo.file.save("ab/photo.jpg", ContentFile(b"\xff\xd8\xff\xd9"), save=False)
    photo.save()
    numbered()
    return made


def numbered() -> None:
    assert log.lead("test")
    log.sequence("test")
    log.release_lead("test")


def saved(now: datetime) -> io.BytesIO:
    out = io.BytesIO()
    backup.save(out, at=now)
    return out


def content(now: datetime) -> Any:
    """Digest, size and rows of everything: two states are equal when these are."""
    return backup.inspect(saved(now)).manifest["members"]


def test_what_was_saved_comes_back_over_what_happened_since(
    ticket: Ticket, nurse: User, now: datetime, media: Path
) -> None:
    before, file = content(now), saved(now)
    lifecycle.cancel(ticket, by=nurse, at=now, reason="误报")
    numbered()
    Attachment.objects.all().delete()
    (media / "originals/ab/later.jpg").write_bytes(b"later")

    backup.restore(backup.inspect(file), replace=True)

    assert content(now) == before
    assert log.verify() is None
    assert Ticket.objects.get().state == ticket.state
    assert [p.relative_to(media).as_posix() for p in media.rglob("*") if p.is_file()] == ["originals/ab/photo.jpg"]


def test_new_rows_after_a_restore_take_new_numbers(
    ticket: Ticket, ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    backup.restore(backup.inspect(saved(now)), replace=True)

    another = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    numbered()

    assert another.pk > ticket.pk
    assert log.verify() is None


def guards() -> list[Any]:
    """Triggers on the log (the suite's own fixture takes one away on SQLite)."""
    on_sqlite = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    on_postgresql = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    with connection.cursor() as cursor:
        cursor.execute(on_sqlite if connection.vendor == "sqlite" else on_postgresql)
        return list(cursor.fetchall())


def test_the_log_is_append_only_again_after_a_restore(ticket: Ticket, now: datetime) -> None:
    before = guards()

    backup.restore(backup.inspect(saved(now)), replace=True)

    assert guards() == before
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        EventRecord.objects.update(type="Changed")


def test_a_database_with_content_is_left_alone_without_replace(ticket: Ticket, now: datetime) -> None:
    before, file = content(now), saved(now)

    with pytest.raises(Unfit, match="not empty"):
        backup.restore(backup.inspect(file), replace=False)

    assert content(now) == before


def test_a_running_hospital_is_not_replaced(ticket: Ticket, now: datetime) -> None:
    file = saved(now)
    assert log.lead("clock")

    with pytest.raises(Unfit, match="running"):
        backup.restore(backup.inspect(file), replace=True)

    log.release_lead("clock")


def test_a_load_that_fails_at_the_end_changes_nothing(
    ticket: Ticket, nurse: User, now: datetime, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(now)
    lifecycle.cancel(ticket, by=nurse, at=now, reason="误报")
    numbered()
    (media / "originals/ab/photo.jpg").write_bytes(b"as it is now")
    before = content(now)
    monkeypatch.setattr(log, "verify", lambda: 1)

    with pytest.raises(Unfit, match="breaks at fact 1"):
        backup.restore(backup.inspect(file), replace=True)

    monkeypatch.undo()
    assert content(now) == before
    assert (media / "originals/ab/photo.jpg").read_bytes() == b"as it is now"
    assert not list(media.glob(".restore-*"))


def test_a_changed_fact_is_found_before_anything_is_touched(
    ticket: Ticket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = backup._rows_of

    def forged(table: backup.Table, named: set[str]) -> Iterator[list[Any]]:
        for row in honest(table, named):
            if table.name == "kernel_eventrecord":
                row[table.columns.index("by")] = "somebody-else"
            yield row

    with monkeypatch.context() as forger:
        forger.setattr(backup, "_rows_of", forged)
        file = saved(now)

    with pytest.raises(Unfit, match="breaks at fact 1"):
        backup.inspect(file)


def test_another_key_is_noticed_before_names_are_lost(ticket: Ticket, now: datetime, settings: Any) -> None:
    file = saved(now)
    settings.FIELD_KEYS = ["a-key-that-was-made-after-the-old-one-was-lost"]

    with pytest.raises(Unfit, match="FIELD_KEYS"):
        backup.inspect(file)

    assert backup.inspect(file, any_key=True).count("tickets_ticket") == 1


def test_a_backup_of_another_version_is_refused(ticket: Ticket, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    known: Callable[[], set[str]] = backup._known_migrations
    with monkeypatch.context() as later:
        later.setattr(backup, "_known_migrations", lambda: known() | {"tickets.0099_later"})
        file = saved(now)

    with pytest.raises(Unfit, match=r"only the backup has tickets\.0099_later"):
        backup.inspect(file)


def test_a_backup_larger_than_the_disk_is_refused(
    ticket: Ticket, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(now)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 10}))

    with pytest.raises(Unfit, match="the disk has 10 left"):
        backup.inspect(file)


def test_the_commands_say_one_sentence(ticket: Ticket, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hospital.wardline"
    call_command("backup", file)
    call_command("restore", file, "--check")

    assert "is fit to be restored" in capsys.readouterr().out
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="exists"):
        call_command("backup", file)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", file, "--replace")
    with pytest.raises(CommandError, match="There is no file"):
        call_command("restore", file.with_name("nofile"), "--check")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore", tmp_path / "nowhere")
