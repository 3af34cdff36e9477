"""Every bench runs at a tiny size and says what it promises to say. Nothing here looks at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from config.kernel import log
from config.kernel.models import EventRecord
from integrations.management.bench import api, due, figures, growth, seed
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.serializers import TicketOut
from tickets.models import Clock, Ticket, Watcher
from tickets.sla import queries

SPREAD = {"n", "median_ms", "p95_ms", "p99_ms", "floor_ms", "times_floor", "goal", "met"}


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, engineer: User, dispatcher: User, now: datetime) -> Ticket:
    return lifecycle.submit(device=ventilator, preset=stopped, by=dispatcher, at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_the_requests_are_said_beside_the_bare_driver(ticket: Ticket) -> None:
    for bench in (api.bench_list, api.bench_detail, api.bench_create):
        said = bench(2)

        assert said.keys() >= SPREAD
        assert said["queries"] <= 8
    assert {"floor_same_content_ms", "times_floor_same_content"} <= said.keys()


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_found_by_the_index(ticket: Ticket) -> None:
    said = due.bench_due(1)

    assert said.keys() >= SPREAD
    assert said["running_clocks"] == 1000 + len(ticket.clocks.all())
    assert said["index"]


@pytest.mark.django_db(transaction=True)
def test_seeded_tickets_are_whole_and_their_facts_are_in_the_chain(ticket: Ticket, dispatcher: User) -> None:
    said = seed.seed(1400)

    assert said["n"] == 1400
    assert Ticket.objects.count() == 1401
    assert Watcher.objects.count() == 1401
    assert log.verify() is None
    closed = Ticket.objects.filter(state="closed").latest("pk")
    facts = EventRecord.objects.filter(subject=f"ticket:{closed.public_id}").order_by("seq")
    assert [fact.type for fact in facts][-1] == "TicketClosed"
    assert facts.last().data["state"] == closed.state
    assert queries.answer_for(dispatcher, closed.public_id)["due"] == TicketOut(closed).data["due"]
    assert Clock.objects.filter(ticket=closed, met_at__isnull=True).count() == 0
    fresh = lifecycle.submit(device=closed.device, by=None, at=timezone.now())
    assert fresh.pk > closed.pk
    log.lead("bench")
    log.sequence("bench")
    assert log.verify() is None


@pytest.mark.django_db(transaction=True)
def test_seeded_indexes_are_all_there_afterwards(ticket: Ticket) -> None:
    before = indexes()

    seed.seed(1100)

    assert indexes() == before


def indexes() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') ORDER BY 1")
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_growth_compares_two_sizes(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "timed", lambda call, runs, warm: figures.timed(call, 1, warm=0))
    monkeypatch.setattr(growth, "PAGES", (("dispatcher", "/desk/"),))
    monkeypatch.setattr(growth, "TICKETS_A_RUN", 50)

    parts = growth.bench_growth(2)["parts"]

    assert [part["part"] for part in parts] == ["seed", "seed", "list", "detail", "create", "due", "page /desk/"]
    assert all({"goal", "met"} <= part.keys() for part in parts)
    assert all("exponent" in part for part in parts[2:])


def test_the_table_has_a_row_for_every_part() -> None:
    where = {"database": "sqlite 3", "load": 0.1}
    parts = [
        {"part": "a", "n": 1, "median_ms": 2.0, "floor_ms": 1.0, "goal": "<= 3x", "met": True},
        {"part": "b", "met": False},
    ]

    told = figures.table([{"bench": "fanout", "machine": where, "parts": parts}]).splitlines()

    assert told[2:] == [
        "| fanout a | sqlite 3 | median_ms 2.0 | floor_ms 1.0 | <= 3x | met | 1 | 0.1 |",
        "| fanout b | sqlite 3 |  |  |  | **missed** |  | 0.1 |",
    ]


def test_shares_count_from_below() -> None:
    assert figures.share([3, 1, 2], 0.95) == 3
    assert figures.share(list(range(1, 101)), 0.99) == 99
    assert figures.against([2.0, 4.0, 3.0], [1.0])["times_floor"] == 3.0


@pytest.mark.parametrize(
    ("name", "keys"), [("report", {"p95_ms", "submit_median_ms"}), ("fanout", {"reached", "floor_p99_ms"})]
)
def test_real_processes_on_a_scratch_database(tmp_path: Path, name: str, keys: set[str]) -> None:
    configured = tmp_path / "configured.sqlite3"
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{configured}", "DJANGO_SETTINGS_MODULE": "config.settings.dev", "DATA_DIR": str(tmp_path),
        "REDIS_URL": "",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "bench", name, "--runs", "3", "--json"]

    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    figures_said = said.get("figures") or said["parts"][0]
    assert keys | {"n", "goal", "met"} <= figures_said.keys()
    assert said["machine"]["database"].startswith("sqlite")
    assert not configured.exists() or configured.stat().st_size == 0
