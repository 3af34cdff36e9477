"""Locks held, disks full, readers that stop reading: refusals instead of lies, and everybody else goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Make, on_server
from tests.faults.ledger import count, note
from tests.faults.load import Load
from tests.faults.plant import Plant
from tests.faults.screen import SIGNED_IN, Screen, dial
from tests.faults.servers import Postgres, until

pytestmark = pytest.mark.faults
HOLD = """
import random, sqlite3, sys, threading
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
while True:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO rivals DEFAULT VALUES")
    threading.Event().wait(random.uniform(0.01, float(sys.argv[2])))
    connection.execute("COMMIT")
    print("done", flush=True)
"""


def sound(file: Path) -> bool:
    with sqlite3.connect(file, timeout=60) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@contextlib.contextmanager
def writers(file: Path, number: int, longest: float) -> Iterator[None]:
    """Processes that hold the one lock of the file most of the time."""
    with sqlite3.connect(file, timeout=60) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS rivals (id integer PRIMARY KEY)")
    told = [sys.executable, "-c", HOLD, str(file), str(longest)]
    held = [subprocess.Popen(told, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _n in range(number)]
    try:
        yield
    finally:
        for process in held:
            process.kill()
            process.wait()


def test_eight_writers_on_sqlite_cost_time_and_never_truth(on_sqlite: Make) -> None:
    seconds, plant = count(4, 60), on_sqlite()
    file = plant.folder / "hospital.sqlite3"
    plant.start("web-1", "clock-1")
    load = Load(plant, clients=4)
    with load.running():
        with writers(file, 8, 0.2):
            load.wait(seconds)
        until(lambda: len(load.acknowledged) > 0, "one report")
    plant.all_numbered()
    counts, statuses = load.account(), load.statuses()

    told = [a for a in load.attempts if a.status == 503]
    note(
        "SQLite locked by 8 writers",
        seconds=seconds,
        **counts,
        told_503=len(told),
        slowest_s=round(max(a.seconds for a in load.attempts), 1),
    )
    assert sound(file)
    assert (counts["lost"], counts["doubled"], counts["without_event"]) == (0, 0, 0)
    assert counts["acknowledged"] == counts["tried"]
    assert set(statuses) <= {201, 429, 503}, statuses
    assert all(attempt.retry_after for attempt in told)
    assert plant.chain_is_whole()


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    place = Path("/tmp") / f"wardline-full-{os.getpid()}"  # noqa: S108 - a mount point of our own
    place.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


def fill(place: Path, leave: int) -> Path:
    """Take all room but `leave` bytes."""
    file = place / "ballast"
    room = shutil.disk_usage(place).free - leave
    with file.open("wb") as ballast, contextlib.suppress(OSError):
        for _n in range(room // 65536):
            ballast.write(b"\0" * 65536)
            ballast.flush()
    return file


def reports_on_a_full_disk(plant: Plant, place: Path) -> tuple[dict[str, int], dict[int, int], int]:
    """Reports while the room ends and after there is room again."""
    plant.start("web-1", "clock-1")
    load = Load(plant, clients=3, pause=0.05)
    with load.running():
        until(lambda: len(load.acknowledged) > 3, "the flow of reports")
        ballast = fill(place, leave=300_000)
        until(lambda: load.statuses().get(503, 0) > 5, "a report without room", within=90)
        while_full = len(load.acknowledged)
        ballast.unlink()
        until(lambda: len(load.acknowledged) > while_full + 5, "reports with room again", within=90)
    plant.all_numbered()
    return load.account(), load.statuses(), sum(not a.retry_after for a in load.attempts if a.status == 503)


def may_mount() -> bool:
    return os.geteuid() == 0


def test_a_full_disk_under_sqlite_refuses_and_recovers(on_sqlite: Make) -> None:
    assert may_mount(), "needs root for a small disk"
    with small_disk(40) as place:
        plant = on_sqlite(place / "data")
        try:
            counts, statuses, rude = reports_on_a_full_disk(plant, place)
            whole, healthy = plant.chain_is_whole(), sound(place / "data" / "hospital.sqlite3")
        finally:
            plant.stop()

    note(
        "disk full, SQLite",
        **counts,
        told_503=statuses.get(503, 0),
        other_errors=sum(n for s, n in statuses.items() if s not in (201, 429, 503)),
    )
    assert (whole, healthy, rude) == (True, True, 0)
    assert set(statuses) <= {201, 429, 503}, statuses
    assert counts["acknowledged"] == counts["tried"]
    assert (counts["lost"], counts["doubled"], counts["without_event"]) == (0, 0, 0)


@pytest.mark.lengthy
def test_a_full_disk_under_postgresql_refuses_and_recovers(on_postgres: Make, postgres: Postgres) -> None:
    assert may_mount(), "needs root for a small disk"
    with small_disk(64) as place:
        shutil.chown(place, postgres.folder.owner(), postgres.folder.group())
        plant = on_postgres()
        name = plant.database_url.rsplit("/", 1)[1]
        on_server(postgres, f"CREATE TABLESPACE small_{name} LOCATION '{place}'")
        on_server(postgres, f"ALTER DATABASE {name} SET TABLESPACE small_{name}")
        try:
            counts, statuses, rude = reports_on_a_full_disk(plant, place)
            whole = plant.chain_is_whole()
        finally:
            plant.stop()
            on_server(postgres, f"DROP DATABASE {name} WITH (FORCE)")
            on_server(postgres, f"DROP TABLESPACE small_{name}")

    note(
        "disk full, PostgreSQL",
        **counts,
        told_503=statuses.get(503, 0),
        other_errors=sum(n for s, n in statuses.items() if s not in (201, 429, 503)),
    )
    assert (whole, rude) == (True, 0)
    assert set(statuses) <= {201, 429, 503}, statuses
    assert counts["acknowledged"] == counts["tried"]
    assert (counts["lost"], counts["doubled"], counts["without_event"]) == (0, 0, 0)


RING = """
import json
from dataclasses import dataclass
from django.db import transaction
from django.utils import timezone
from config.kernel.models import EventRecord
now = timezone.now()
for _batch in range({batches}):
    EventRecord.objects.bulk_create([EventRecord(type="BellRung", at=now, by="system", subject="bell:%d" % n,
        data={{"weight": "x" * {weight}}}) for n in range(500)])
print(json.dumps(True))
"""


def resident(pid: int) -> int:
    """Megabytes of a process."""
    told = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in told.splitlines() if line.startswith("VmRSS"))) // 1024


def test_a_screen_that_stops_reading_hurts_nobody_and_catches_up(on_postgres: Make) -> None:
    batches, stuck_ones = count(4, 100), count(3, 5)
    plant = on_postgres()
    plant.start("web-1", "clock-1")
    session = str(plant.ask(SIGNED_IN))
    other = str(plant.ask(SIGNED_IN.replace('role="manager"', 'role="dispatcher"')))
    good = Screen(plant, "web-1", session)
    plant.all_numbered()
    until(lambda: good.last > 0, "the first fact")
    head = plant.number("SELECT max(seq) FROM kernel_eventrecord")
    # Each accepts a few facts and then leaves them lying in its own small buffer.
    stuck = [dial(plant, "web-1", other, after=head, max_queue=1) for _n in range(stuck_ones)]
    before = resident(plant.processes["web-1"].pid)
    try:
        plant.ask(RING.format(batches=batches, weight=2000))
        plant.all_numbered()
        head = plant.number("SELECT max(seq) FROM kernel_eventrecord")
        behind = until(lambda: good.last >= head, "the good screen's last fact", within=120)
        grown = resident(plant.processes["web-1"].pid) - before
        alive = plant.answers(f"http://127.0.0.1:{plant.ports['web-1']}/healthz")
    finally:
        for socket in stuck:
            threading.Thread(target=socket.close, daemon=True).start()
    again = Screen(plant, "web-1", other)
    caught_up = until(lambda: again.last >= head, "the catching up", within=120)
    missed = head - len(again.seqs)
    good.close()
    again.close()

    note(
        "slow websocket readers",
        tried=batches * 500,
        stuck=stuck_ones,
        lost=head - len(good.seqs),
        doubled=0,
        good_screen_behind_s=round(behind, 2),
        web_grew_mb=grown,
        caught_up_s=round(caught_up, 2),
        missed_after=missed,
    )
    assert alive
    assert (head - len(good.seqs), missed) == (0, 0)
    assert behind <= 5
    assert grown <= 60 + 8 * stuck_ones
