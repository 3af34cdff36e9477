"""A whole Wardline of its own for the browser tests: web, worker and clock as real processes over a small demo hospital."""

import json
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from tests.furnished import MANAGE, ROOT, fill_file, fill_postgres

SLOWEST_START = 90.0


class Hospital:
    """SQLite in its folder, or a fresh database on the server that DATABASE_URL names. `facts` is what `demo --json` says.
    `originals` is the folder of this run's furnished databases."""

    def __init__(self, folder: Path, originals: Path) -> None:
        self._folder, self._originals = folder, originals
        self.port = _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.facts: dict[str, Any] = {}
        self._server = os.environ.get("DATABASE_URL", "")
        self._database = f"browser_{uuid4().hex[:12]}"
        self._log = (folder / "processes.log").open("w")
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "DEBUG": "0",
            "WARDLINE_DEMO": "1",
            "DATA_DIR": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "PUBLIC_BASE_URL": self.base_url,
            "DATABASE_URL": self._address(folder),
            "REDIS_URL": _redis_of_this_process(),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def _address(self, folder: Path) -> str:
        if not self._server.startswith("postgresql"):
            return f"sqlite:///{folder / 'hospital.sqlite3'}"
        return urlsplit(self._server)._replace(path=f"/{self._database}").geturl()

    def start(self) -> None:
        if self._server.startswith("postgresql"):
            self._on_server("CREATE DATABASE")
            fill_postgres(self._environment["DATABASE_URL"], self._originals)
        else:
            fill_file(self._folder / "hospital.sqlite3", self._originals)
        self.facts = json.loads(self.manage("demo", "--json"))
        self.start_web()
        self._processes["worker"] = self._run(*MANAGE, "qcluster")
        self._processes["clock"] = self._run(*MANAGE, "clock")
        self.wait_for("/readyz")

    def start_web(self) -> None:
        self._processes["web"] = self._run(*MANAGE, "web")
        self.wait_for("/healthz")

    def kill(self, name: str) -> None:
        """End one process as a crash would."""
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()
        if self._server.startswith("postgresql"):
            self._on_server("DROP DATABASE IF EXISTS", " WITH (FORCE)")

    def manage(self, *arguments: str) -> str:
        command = [*MANAGE, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, code: str) -> Any:
        """What a few lines in the hospital's own shell print, read as JSON."""
        return json.loads(self.manage("shell", "-v0", "-c", f"import json\n{code}").strip().splitlines()[-1])

    def login(self, role: str) -> dict[str, str]:
        return next(login for login in self.facts["logins"] if login["role"] == role)

    def answers(self, path: str) -> bool:
        return _answers(self.base_url + path)

    def wait_for(self, path: str) -> None:
        limit = time.monotonic() + SLOWEST_START
        while not self.answers(path):
            assert time.monotonic() < limit, f"{path} does not answer; see {self._log.name}"
            dead = [name for name, process in self._processes.items() if process.poll() is not None]
            assert not dead, f"{dead} died; see {self._log.name}: {Path(self._log.name).read_text()[-2000:]}"
            threading.Event().wait(0.2)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        limit = time.monotonic() + SLOWEST_START
        while not happened():
            assert time.monotonic() < limit, f"it did not happen; see {self._log.name}"
            threading.Event().wait(0.2)

    def _run(self, *command: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT)

    def _on_server(self, before: str, after: str = "") -> None:
        with psycopg.connect(self._server, autocommit=True) as server:
            server.execute(f"{before} {self._database}{after}".encode())


def _redis_of_this_process() -> str:
    """Tests in two processes are two hospitals: each has a numbered database of the one Redis to itself."""
    address, worker = os.environ.get("REDIS_URL", ""), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return urlsplit(address)._replace(path=f"/{worker.removeprefix('gw')}").geturl() if address else ""


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
