"""Real processes on the scratch database: web (uvicorn), worker, clock; started, waited for, stopped by their own ids."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError

from assets.models import User
from integrations.management.bench.scratch import address

READY_WITHIN = 90.0


@dataclass
class House:
    """Its address and its children by name."""

    port: int
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sockets(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/desk/?after="


@contextmanager
def house(*names: str) -> Iterator[House]:
    """The named processes (`web`, `worker`, `clock`), up and answering."""
    home = House(free_port())
    with ExitStack() as stack:
        for name in names:
            home.children[name] = stack.enter_context(running(name, _command(name), _environment(home)))
        if "web" in names:
            wait_for(f"{home.base}/healthz", home.children["web"])
        yield home


@contextmanager
def running(name: str, command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child with its words in .data/bench-<name>.log, ended with the block."""
    log: IO[bytes]
    with Path(settings.DATA_DIR, f"bench-{name}.log").open("wb") as log:
        child = subprocess.Popen(
            command, env=environment, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def wait_for(url: str, child: subprocess.Popen[bytes]) -> float:
    """Seconds until `url` answers; CommandError when the child ends first."""
    began = time.monotonic()
    while time.monotonic() - began < READY_WITHIN:
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                return time.monotonic() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise CommandError(f"{url} does not answer; see {settings.DATA_DIR}/bench-*.log")


def session_of(user: User) -> str:
    """The cookie of a signed-in browser."""
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(name: str) -> list[str]:
    return [sys.executable, "manage.py", {"worker": "qcluster"}.get(name, name)]


def _environment(home: House) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "WARDLINE_PROCESS"}
    return kept | {
        "DATABASE_URL": address(),
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "PUBLIC_BASE_URL": home.base,
        "HOST": "127.0.0.1",
        "PORT": str(home.port),
        "DEBUG": "false",
        "PYTHONUNBUFFERED": "1",
    }
