"""Who waits for the database wakes up when something was committed, and at the latest when it wanted to."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction

from config.kernel import bell
from config.kernel.bell import FACTS, JOBS, LOG, AsyncBell, Bell
from config.kernel.events import publish
from config.kernel.jobs import enqueue
from config.kernel.log import lead, sequence
from tests.kernel.test_log import DoorOpened


def test_a_commit_of_somebody_else_is_seen_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.sqlite3"
    other = sqlite3.connect(file, isolation_level=None)
    other.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (n INTEGER);")
    monkeypatch.setitem(connection.settings_dict, "NAME", str(file))
    watched = bell._WatchedFile()

    before = watched.changed()
    other.execute("BEGIN")
    other.execute("INSERT INTO t VALUES (1)")
    during = watched.changed()
    other.execute("COMMIT")

    assert [before, during, watched.changed(), watched.changed()] == [False, False, True, False]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_facts_numbers_and_jobs_each_ring_their_own_bell_once_they_are_committed(now: datetime) -> None:
    if connection.vendor == "sqlite":  # there the file itself tells, see above
        assert hanging() == []
        return
    with psycopg.connect(**bell._parameters(), autocommit=True) as ears:
        for channel in (FACTS, LOG, JOBS):
            ears.execute(f"LISTEN {channel}")

        with transaction.atomic():
            publish(DoorOpened(at=now, door="never"))
            transaction.set_rollback(True)
        heard = [[ring.channel for ring in ears.notifies(timeout=0.2)]]
        for act in (
            lambda: open_door(now),
            lambda: lead("test") and sequence("test"),
            lambda: enqueue("config.kernel.jobs.beat"),
        ):
            act()
            heard.append([ring.channel for ring in ears.notifies(timeout=10, stop_after=1)])

    assert heard == [[], [FACTS], [LOG], [JOBS]]


def hanging() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ring_%'")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_both_bells_return_when_nothing_rings_and_open_again_after_closing() -> None:
    quiet, humming = Bell(JOBS), AsyncBell(LOG)

    async def listen() -> None:
        for _n in range(3):
            await humming.wait(0.01)
        await humming.close()
        await humming.wait(0.01)
        await humming.close()

    for _n in range(3):
        quiet.wait(0.01)
    quiet.close()
    quiet.wait(0.01)
    quiet.close()
    asyncio.run(listen())

    assert quiet._line is None
    assert quiet._file is None


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_costs_a_wait_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr(bell.psycopg, "connect", away)
    monkeypatch.setattr(bell.sqlite3, "connect", away)

    Bell(FACTS).wait(0.01)


def open_door(now: datetime) -> None:
    with transaction.atomic():
        publish(DoorOpened(at=now, door="a"))
