"""django-helpdesk 2.6 beside Wardline: same machine, same server, same kind of database, same client, in turn.

Never part of the tests: it installs the peer into .data/peer/venv, with pip, at its first run.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.core.management import CommandError
from django.db import connection

from assets.models import Device, User
from assets.register.queries import report_url
from integrations.management.bench import seed
from integrations.management.bench.figures import Figures, goal, interleaved, share
from integrations.management.bench.house import free_port, house, running, session_of, wait_for
from integrations.management.bench.scratch import scratch
from tickets.models import Ticket

VERSION = "2.6.*"
GOALS = {"postgresql": 75, "sqlite": 200}  # times the list's requests a second at 100,000 tickets
KEPT_SECONDS = 3  # uvicorn lets an idle connection go after five
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')


def bench_peer(tickets: int) -> Figures:
    """List and public report of both at that many tickets."""
    runs = 30
    with scratch(), peer(tickets) as (their_port, cookie):
        loaded = seed.seed(max(1, tickets - Ticket.objects.count()))
        with house("web") as home:
            ours = _Client(home.port, session_of(User.objects.filter(role="dispatcher")[0]))
            theirs = _Client(their_port, cookie)
            table = base64.b64encode(json.dumps({"sorting": "created", "sortreverse": True}).encode()).decode()
            page = f"/datatables_ticket_list/{table}?" + urlencode({"draw": 1, "start": 0, "length": 50})
            lists = interleaved(
                [lambda: ours.get("/api/v1/tickets/?page_size=50"), lambda: theirs.get(page)], runs, warm=2
            )
            reports = interleaved([_our_report(home.port), _their_report(their_port)], runs, warm=2)
            weights = (len(ours.get("/api/v1/tickets/?page_size=50")), len(theirs.get(page)))
    vendor = connection.vendor
    times = statistics.median(lists[1]) / statistics.median(lists[0])
    at_goal = tickets >= 100_000
    return {
        "n": runs,
        "tickets": tickets,
        "list_ms": round(statistics.median(lists[0]), 1),
        "peer_list_ms": round(statistics.median(lists[1]), 1),
        "list_times": round(times, 1),
        "list_bytes": f"{weights[0]} ours, {weights[1]} theirs",
        "report_ms": round(statistics.median(reports[0]), 1),
        "report_p95_ms": round(share(reports[0], 0.95), 1),
        "peer_report_ms": round(statistics.median(reports[1]), 1),
        "seed_s": loaded["seconds"],
        "answers": "list: 50 rows as JSON, session, newest first (ours: due times of 4 clocks, device, place, assignee;"
        " theirs: queue, last follow-up, time spent, exact counts). report: the public form with its CSRF token, ours with"
        " priority, clocks, follower, facts and dispatch job, theirs with a ticket, a follow-up and mail to a dummy.",
    } | (goal(f"list >= {GOALS[vendor]}x", met=times >= GOALS[vendor]) if at_goal else goal("told", met=True))


@contextmanager
def peer(tickets: int) -> Iterator[tuple[int, str]]:
    """The peer with that many tickets, serving: its port and a signed-in cookie."""
    folder = Path(settings.DATA_DIR, "peer")
    python = _environment(folder)
    shutil.copytree(Path(__file__).parent / "helpdesk_site", folder / "helpdesk_site", dirs_exist_ok=True)
    with _database(folder) as url:
        environment = {"PATH": os.environ["PATH"], "PEER_DATABASE": url, "PEER_FOLDER": str(folder)}
        done = subprocess.run(
            [python, "-m", "helpdesk_site.load", str(tickets)], cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CommandError(done.stderr[-1500:])
        facts = json.loads(done.stdout.splitlines()[-1])
        port = free_port()
        command = [
            *(
                str(python),
                "-m",
                "uvicorn",
                "helpdesk_site.asgi:application",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ),
            *("--lifespan", "off", "--log-level", "warning", "--no-access-log", "--app-dir", str(folder)),
        ]
        with running("peer", command, environment | {"PYTHONPATH": str(folder)}) as child:
            wait_for(f"http://127.0.0.1:{port}/tickets/submit/", child)  # the public form
            yield port, facts["cookie"]


def _environment(folder: Path) -> Path:
    python = folder / "venv" / "bin" / "python"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        wanted = [f"django-helpdesk=={VERSION}", "psycopg[binary,pool]", "uvicorn", "tzdata"]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        (folder / "installed").write_text(VERSION)
    return python


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        file = folder / "peer.sqlite3"
        for old in folder.glob("peer.sqlite3*"):
            old.unlink()
        yield f"sqlite://{file}"
        return
    name = f"wardline_peer_{os.getpid()}"
    server = f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{server}/{name}"
        finally:
            link.execute(f"DROP DATABASE {name} WITH (FORCE)")


class _Client:
    """One kept connection, one cookie jar: the same for both."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.at = time.monotonic()
        self.base, self.cookies = f"http://127.0.0.1:{port}", dict([cookie.split("=", 1)] if cookie else [])

    def get(self, path: str) -> bytes:
        status, body, _to = self._ask("GET", path)
        if status != 200:
            raise CommandError(f"{self.base}{path} answered {status}: {body[:200]!r}")
        return body

    def post(self, path: str, fields: dict[str, str]) -> None:
        status, body, _to = self._ask("POST", path, urlencode(fields))
        if status not in (302, 303):
            raise CommandError(f"{self.base}{path} answered {status}: {body[-400:]!r}")

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes, str]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Referer": self.base}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base}
        if time.monotonic() - self.at > KEPT_SECONDS:
            self.link.close()  # the next request opens it again
        self.link.request(method, path, body, headers)
        answer = self.link.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";", 1)[0].split("=", 1)
            self.cookies[name] = value
        text = answer.read()
        self.at = time.monotonic()
        return answer.status, text, answer.headers.get("Location", "")


def _token(page: bytes) -> str:
    found = _TOKEN.search(page)
    return found.group(1).decode() if found else ""


def _our_report(port: int) -> Callable[[], Any]:
    """The ward's form, on another device each time, from another phone each time."""
    devices = Device.objects.for_display().filter(status__in=["ready", "in_use"])[:200]
    labels = [("/q/" + report_url(d).split("/q/", 1)[1], d.type.group.presets.all()[0].code) for d in devices]
    turns = itertools.cycle(labels)

    def call() -> None:
        (path, symptom), client = next(turns), _Client(port)
        fields = {"in_use": "no", "symptom": symptom, "client_id": str(uuid.uuid4()), "separate": "1"}
        client.post(path, fields | {"csrfmiddlewaretoken": _token(client.get(path))})

    return call


def _their_report(port: int) -> Callable[[], Any]:
    def call() -> None:
        client = _Client(port)
        page = client.get("/tickets/submit/")
        fields = {
            "title": "Ventilator HV-300 stopped",
            "body": "alarm, no flow",
            "submitter_email": "ward1@example.test",
        }
        client.post("/tickets/submit/", fields | {"csrfmiddlewaretoken": _token(page)})

    return call
