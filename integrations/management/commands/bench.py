"""Measures Wardline against its own floors on a scratch database, both in the same run. Ratios count, seconds do not."""

from __future__ import annotations

import asyncio
import json
import platform
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from assets.models import Device, User
from assets.register.queries import report_url
from config.kernel import live, log
from config.kernel.models import EventRecord
from dispatch.matching import services as matching
from integrations.identity.services import issue_token
from integrations.management.commands.demo import PASSWORDS
from integrations.sandbox import services as sandbox
from tickets.models import Clock, Ticket
from tickets.sla import services as sla

Figures = dict[str, Any]
RAW_LIST = """SELECT t.id, t.public_id, t.number, t.state, t.priority, d.public_id, d.name, p.code, u.username
  FROM tickets_ticket t LEFT JOIN assets_device d ON d.id = t.device_id JOIN assets_department p ON p.id = t.department_id
  LEFT JOIN assets_user u ON u.id = t.assignee_id ORDER BY t.id DESC LIMIT 50"""


class Command(BaseCommand):
    help = "Measure list, create, fanout, due, report or all on a scratch database; --json for machines."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=[*BENCHES, "all"])
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--runs", type=int, default=100, help="repetitions of each measured call")

    def handle(self, *args: Any, **options: Any) -> None:
        names = list(BENCHES) if options["name"] == "all" else [options["name"]]
        with scratch():
            results = {name: BENCHES[name](max(5, options["runs"])) for name in names}
        answer = {
            "at": timezone.now().isoformat(timespec="seconds"),
            "machine": f"{platform.machine()} x {_processors()}, Python {platform.python_version()}",
            "database": connection.vendor,
            "results": results,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        self.stdout.write(f"{answer['at']}  {answer['machine']}  {answer['database']}")
        for name, figures in results.items():
            self.stdout.write(f"{name:8} " + "  ".join(f"{key}={value}" for key, value in figures.items()))


def _processors() -> int:
    return len(Path("/proc/cpuinfo").read_text().split("processor\t")) - 1 if Path("/proc/cpuinfo").exists() else 0


@contextmanager
def scratch() -> Iterator[None]:
    """A database of its own with a small demo hospital, dropped afterwards; the configured one is never touched."""
    settings.ALLOWED_HOSTS = ["*"]
    with tempfile.TemporaryDirectory() as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = str(Path(folder, "bench.sqlite3"))
        original = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            sandbox.load(now=timezone.now(), passwords=PASSWORDS, scale=0.2)
            yield
        finally:
            connection.creation.destroy_test_db(original, verbosity=0)


def timed(call: Callable[[], Any], runs: int) -> list[float]:
    """Milliseconds of each of `runs` calls, after three that do not count."""
    for _n in range(3):
        call()
    found = []
    for _n in range(runs):
        start = time.perf_counter()
        call()
        found.append((time.perf_counter() - start) * 1000)
    return found


def against(ours: list[float], floor: list[float]) -> Figures:
    """Median, p99 and the ratio of medians."""
    return {
        "n": len(ours),
        "median_ms": round(statistics.median(ours), 3),
        "p99_ms": round(sorted(ours)[int(len(ours) * 0.99) - 1], 3),
        "floor_ms": round(statistics.median(floor), 3),
        "times_floor": round(statistics.median(ours) / statistics.median(floor), 1),
    }


def _signed_in(role: str) -> tuple[Client, dict[str, str]]:
    user = User.objects.filter(role=role).order_by("pk")[0]
    _row, token = issue_token(user, at=timezone.now())
    return Client(), {"Authorization": f"Token {token}"}


def bench_list(runs: int) -> Figures:
    """50 tickets over the API with sign-in and row rights, against the raw driver fetching the same rows."""
    client, headers = _signed_in("dispatcher")

    def ours() -> None:
        answer = client.get("/api/v1/tickets/?page_size=50", headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(answer.content[:200])

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute(RAW_LIST)
            cursor.fetchall()

    return against(timed(ours, runs), timed(floor, runs)) | {"rows": 50, "tickets": Ticket.objects.count()}


def bench_create(runs: int) -> Figures:
    """A ticket with clocks and log rows over the API, against a raw transaction of two inserts."""
    client, headers = _signed_in("dispatcher")
    devices = list(Device.objects.values_list("public_id", "type__group__presets__code")[: runs + 3])
    turn = iter(devices * 3)

    def ours() -> None:
        public_id, symptom = next(turn)
        body = {"device": public_id, "symptom": symptom, "in_use": False, "danger": []}
        answer = client.post("/api/v1/tickets/", body, content_type="application/json", headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(answer.content[:200])

    insert = (
        'INSERT INTO kernel_eventrecord (type, at, "by", subject, scope, data, hash) '
        "VALUES ('Raw', %s, 'bench', %s, '', '{}', '')"
    )

    def floor() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for _n in range(2):
                cursor.execute(insert, [timezone.now(), f"raw:{uuid.uuid4().hex[:20]}"])

    return against(timed(ours, runs), timed(floor, runs))


def bench_fanout(runs: int) -> Figures:
    """One fact to 1,000 sockets' queues through the hub, against filling 1,000 plain queues. In process, no network."""
    listeners = 1000

    async def measure() -> tuple[list[float], list[float]]:
        hub = live.Hub()
        subscriptions = [live.Subscription(lambda record: True) for _n in range(listeners)]
        hub.subscriptions = set(subscriptions)
        record = EventRecord(seq=1, type="Bench", at=timezone.now(), by="bench", subject="bench:1", data={})
        ours, floor = [], []
        queues: list[asyncio.Queue[Any]] = [asyncio.Queue() for _n in range(listeners)]
        for _n in range(min(runs, 200)):
            start = time.perf_counter()
            fact = log.as_object(record)
            for subscription in hub.subscriptions:
                subscription.offer(record, fact)
            for subscription in subscriptions:
                subscription.queue.get_nowait()
            ours.append((time.perf_counter() - start) * 1000)
            start = time.perf_counter()
            for queue in queues:
                queue.put_nowait(fact)
            for queue in queues:
                queue.get_nowait()
            floor.append((time.perf_counter() - start) * 1000)
        return ours, floor

    ours, floor = asyncio.run(measure())
    return against(ours, floor) | {"listeners": listeners}


def bench_due(runs: int) -> Figures:
    """The clock's poll "what is due" with 20,000 running clocks, against SELECT 1."""
    now = timezone.now()
    ticket = Ticket.objects.order_by("pk")[0]
    template = Clock.objects.filter(ticket=ticket)[0]
    later = now + timedelta(hours=5)
    Clock.objects.update(next_at=None)
    Clock.objects.filter(pk__gt=0).update(due_at=later)
    wanted = 20_000 - Clock.objects.count()
    tickets = [
        Ticket(number=f"BENCH{n:06d}", department_id=ticket.department_id, reported_at=now)
        for n in range(max(0, wanted))
    ]
    Ticket.objects.bulk_create(tickets, batch_size=500)
    rows = [
        Clock(ticket=t, metric="response", priority=3, calendar_id=template.calendar_id, target_minutes=30, started_at=now,
              due_at=later, warn_at=later, next_at=later)
        for t in tickets
    ]  # fmt: skip
    Clock.objects.bulk_create(rows, batch_size=1000)

    def floor() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    figures = against(timed(lambda: sla.fire_due(timezone.now()), runs), timed(floor, runs))
    return figures | {"running_clocks": Clock.objects.filter(next_at__isnull=False).count()}


def bench_report(runs: int) -> Figures:
    """A ward's report: page, post, and until an engineer is assigned and the fact has its number. Page weight in bytes."""
    client = Client()
    usable = Device.objects.for_display().filter(tickets__isnull=True, status__in=["ready", "in_use"])
    devices = list(usable[: min(runs, 60) + 3])
    token = report_url(devices[0]).removeprefix(settings.PUBLIC_BASE_URL)
    page = client.get(token)
    sheet = Path(settings.BASE_DIR, "static/css/ward.css").stat().st_size
    script = Path(settings.BASE_DIR, "static/js/ward.js").stat().st_size
    log.lead("bench")
    posts, assigned = [], []
    for device in devices:
        symptom = device.type.group.presets.order_by("order")[0].code
        address = report_url(device).removeprefix(settings.PUBLIC_BASE_URL)
        start = time.perf_counter()
        answer = client.post(address, {"in_use": "yes", "symptom": symptom, "client_id": str(uuid.uuid4())})
        posts.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 303:
            raise RuntimeError(f"report answered {answer.status_code}")
        matching.dispatch(at=timezone.now())
        log.sequence("bench")
        assigned.append((time.perf_counter() - start) * 1000)
    return {
        "n": len(posts),
        "post_median_ms": round(statistics.median(posts), 1),
        "assigned_and_sequenced_median_ms": round(statistics.median(assigned), 1),
        "assigned_and_sequenced_p95_ms": round(sorted(assigned)[int(len(assigned) * 0.95) - 1], 1),
        "page_html_bytes": len(page.content),
        "page_total_bytes": len(page.content) + sheet + script,
    }


BENCHES: dict[str, Callable[[int], Figures]] = {
    "list": bench_list,
    "create": bench_create,
    "fanout": bench_fanout,
    "due": bench_due,
    "report": bench_report,
}
