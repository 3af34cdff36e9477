"""A log that was changed behind Wardline's back: both the backup and the check say at which fact."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from assets.models import Device, FaultPreset, User
from config.kernel import backup, log
from config.kernel.archive import Unfit
from config.kernel.models import EventRecord
from tickets.lifecycle import services as lifecycle

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def facts(
    ventilator: Device, stopped: FaultPreset, nurse: User, now: datetime, settings: Any, tmp_path: Path
) -> list[EventRecord]:
    """The facts of one report, chained."""
    settings.MEDIA_ROOT = tmp_path / "media"
    lifecycle.submit(device=ventilator, preset=stopped, by=nurse, at=now)
    assert log.lead("test")
    log.sequence("test")
    log.release_lead("test")
    return list(log.after(0))


def tamper(fact: int, **changes: Any) -> None:
    """As an insider who owns the tables would: the guard steps aside, a row changes, the guard stands again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE kernel_eventrecord DISABLE TRIGGER event_no_update")
            EventRecord.objects.filter(seq=fact).update(**changes)
            cursor.execute("ALTER TABLE kernel_eventrecord ENABLE TRIGGER event_no_update")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'event_no_update'")
        (guard,) = cursor.fetchone()
        cursor.execute("DROP TRIGGER event_no_update")
        EventRecord.objects.filter(seq=fact).update(**changes)
        cursor.execute(guard)


def test_a_backup_of_a_broken_log_is_written_and_says_so(
    facts: list[EventRecord], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(2, by="somebody-else")
    file = tmp_path / "hospital.wardline"

    with pytest.raises(CommandError, match=r"breaks at fact 2.*restore refuses") as said:
        call_command("backup", file)

    assert said.value.returncode == 1
    assert f"{file}: " in capsys.readouterr().out
    with file.open("rb") as source, pytest.raises(Unfit, match="breaks at fact 2"):
        backup.inspect(source)


def test_a_whole_log_is_told_with_its_length_and_its_last_hash(
    facts: list[EventRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check_log")

    assert capsys.readouterr().out == f"The log is whole: {len(facts)} facts, the last with hash {facts[-1].hash}.\n"


@pytest.mark.parametrize("changes", [{"type": "Forged"}, {"data": {"n": 2**70}}, {"seq": 7}, {"hash": "0" * 64}])
def test_the_check_names_the_first_broken_fact(facts: list[EventRecord], changes: dict[str, Any]) -> None:
    tamper(2, **changes)

    with pytest.raises(CommandError, match="The log breaks at fact 2") as said:
        call_command("check_log")

    assert said.value.returncode == 1


def test_a_log_that_is_whole_again_is_saved_without_complaint(facts: list[EventRecord], tmp_path: Path) -> None:
    tamper(2, by="somebody-else")
    tamper(2, by=facts[1].by)

    call_command("backup", tmp_path / "hospital.wardline")
    call_command("check_log")
