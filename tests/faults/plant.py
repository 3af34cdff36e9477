"""One Wardline of real processes that a test may kill: web on its ports, worker, clock, over a small demo hospital."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.faults.servers import free_port, until
from tests.furnished import MANAGE, ROOT

SLOWEST_START = 120.0
FACTS = """
import json
from django.utils import timezone
from assets.models import Device, User
from integrations.identity.services import issue_token
from assets.policies import visible_devices
people = User.objects.filter(is_active=True, role__in=["dispatcher", "nurse", "engineer"]).order_by("role", "pk")[:12]
desk = User.objects.filter(role="dispatcher").order_by("pk")[0]
rows = visible_devices(desk, Device.objects.filter(status__in=["ready", "in_use"]))
devices = rows.values_list("public_id", "type__group__presets__code").order_by("pk")
told = {pk: code for pk, code in devices if code}
print(json.dumps({"devices": list(told.items()), "tokens": [issue_token(desk, at=timezone.now())[1] for _ in people]}))
"""


class Plant:
    """Processes by name (`web-1`, `worker-1`, `clock-2`); `stop` leaves none of them, however they were left."""

    def __init__(self, folder: Path, database_url: str, redis_url: str = "", **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.database_url = folder, database_url
        self.ports: dict[str, int] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.log = folder / "processes.log"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DEBUG": "0",
            "WARDLINE_DEMO": "1",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "PUBLIC_BASE_URL": "http://127.0.0.1",
            "LOG_LEVEL": "WARNING",
            **environment,
        }

    # --- Asking ------------------------------------------------------------------
    def passes(self) -> dict[str, Any]:
        """Tokens of people and devices to report on."""
        return dict(self.ask(FACTS))

    def manage(self, *arguments: str) -> str:
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        told = [*MANAGE, *arguments]
        return subprocess.run(told, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def ask(self, code: str) -> Any:
        """What a few lines in a shell of this hospital print last, read as JSON."""
        return json.loads(self.manage("shell", "-v0", "-c", code).strip().splitlines()[-1])

    # --- Processes ---------------------------------------------------------------
    def launch(self, name: str) -> None:
        """Start `web-1`, `worker-1` or `clock-1` and return at once."""
        kind = name.split("-", maxsplit=1)[0]
        told = {"web": "web", "worker": "qcluster", "clock": "clock"}[kind]
        more = {"PGAPPNAME": name}  # so that PostgreSQL knows which of them asks
        if kind == "web":
            port = self.ports.setdefault(name, free_port())
            more |= {"HOST": "127.0.0.1", "PORT": str(port)}
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*MANAGE, told],
                cwd=ROOT,
                env=self.environment | more,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *names: str) -> None:
        for name in names:
            self.launch(name)
        for name in names:
            if name.startswith("web"):
                self.await_web(name)

    def await_web(self, name: str) -> None:
        address = f"http://127.0.0.1:{self.ports[name]}/healthz"
        until(lambda: self._lives(name) and self.answers(address), f"the start of {name}", within=SLOWEST_START)

    def _lives(self, name: str) -> bool:
        assert self.processes[name].poll() is None, f"{name} died: {self.log.read_text()[-3000:]}"
        return True

    def ready(self) -> None:
        port = next(iter(self.ports.values()))
        until(lambda: self.answers(f"http://127.0.0.1:{port}/readyz"), "readiness", within=SLOWEST_START, every=0.2)

    @staticmethod
    def answers(address: str) -> bool:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """The whole session at once: a killed worker leaves no children that go on working."""
        process = self.processes[name]
        if process.poll() is None:
            os.killpg(process.pid, how)
        if how == signal.SIGKILL:
            process.wait()

    def stop(self) -> None:
        for name in self.processes:
            self.kill(name)
        self.processes.clear()

    # --- Looking -----------------------------------------------------------------
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database itself says, past every line of Wardline."""
        if self.database_url.startswith("postgresql"):
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                return connection.execute(query.encode()).fetchall()
        with sqlite3.connect(urlsplit(self.database_url).path[1:], timeout=30) as connection:
            return connection.execute(query).fetchall()

    def number(self, query: str) -> int:
        return int(self.rows(query)[0][0])

    def all_numbered(self) -> None:
        """Wait until the clock has given every fact its place."""
        left = "SELECT count(*) FROM kernel_eventrecord WHERE seq IS NULL"
        until(lambda: self.number(left) == 0, "the numbering of all facts", every=0.1)

    def chain_is_whole(self) -> bool:
        return bool(self.ask("import json; from config.kernel import log; print(json.dumps(log.verify() is None))"))

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
