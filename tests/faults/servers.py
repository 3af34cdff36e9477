"""PostgreSQL and Redis that can be stopped in the middle of things and started again where they were. Nothing careless here."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.furnished import servers as ci

SLOWEST = 60.0


def until(happened: Callable[[], bool], what: str, *, within: float = SLOWEST, every: float = 0.02) -> float:
    """Seconds until `happened`; fails with a sentence when it does not."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < within, f"{what} did not happen within {within:.0f} s"
        threading.Event().wait(every)
    return time.monotonic() - begun


def free_port() -> int:
    """Below the range that outgoing connections take theirs from: a client that dials a server which is down must not
    end up holding its port."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """One process on one port; the folder and the port survive its death."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        return {}

    def start(self) -> None:
        told = self.folder.parent / f"{type(self).__name__}.log"
        with told.open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log, **self.options())
        until(lambda: self._lives(told) and self.answers(), f"the start of {self.command()[0]}")

    def _lives(self, told: Path) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, told.read_text()[-2000:]
        return True

    def stop(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(SLOWEST)
            self.process = None


class Postgres(Server):
    FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        found = ci.postgres_bin()
        assert found is not None, "PostgreSQL is not installed"
        self.bin = found
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
        initdb = [self.bin / "initdb", "-D", folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
        subprocess.run([*initdb, "--no-sync"], check=True, **quiet, **self.options())

    def options(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        account = pwd.getpwnam("postgres")
        return {"user": account.pw_uid, "group": account.pw_gid}

    def command(self) -> list[str]:
        told = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        flags = [
            word
            for setting in (*told, "max_connections=200", "recovery_init_sync_method=syncfs")
            for word in ("-c", setting)
        ]
        return [str(self.bin / "postgres"), "-D", str(self.folder), *flags]

    def answers(self) -> bool:
        ask = [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"


class Redis(Server):
    def command(self) -> list[str]:
        server = shutil.which("redis-server")
        assert server is not None, "Redis is not installed"
        return [server, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]

    def answers(self) -> bool:
        return ci._accepts(self.port)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"
