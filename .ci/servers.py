"""PostgreSQL and Redis of one test run: own ports, own folder, no durability, gone at the end."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

SLOWEST_START = 30.0


class Servers(NamedTuple):
    database_url: str
    redis_url: str


def postgres_bin() -> Path | None:
    """Debian keeps initdb beside the server, outside PATH."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    known = found[-1] if found else shutil.which("initdb")
    return Path(known).parent if known else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running() -> Iterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="wardline-test-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the postgres user must pass through
        with _postgres(Path(folder)) as database_url, _redis(Path(folder)) as redis_url:
            yield Servers(database_url, redis_url)


@contextlib.contextmanager
def postgres_alone(*, settings_given: tuple[str, ...]) -> Iterator[str]:
    """PostgreSQL with these settings and Debian's defaults otherwise, fsync included: for measuring, not for tests."""
    with tempfile.TemporaryDirectory(prefix="wardline-bench-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the postgres user must pass through
        with _postgres(Path(folder), settings_given) as database_url:
            yield database_url


CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@contextlib.contextmanager
def _postgres(folder: Path, given: tuple[str, ...] = CARELESS) -> Iterator[str]:
    binaries, data, port = postgres_bin(), folder / "postgres", free_port()
    if binaries is None:
        raise FileNotFoundError("initdb")
    owner: dict[str, str | int] = {}
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:  # the server refuses to run as root
        account = pwd.getpwnam("postgres")
        os.chown(data, account.pw_uid, account.pw_gid)
        owner = {"user": account.pw_uid, "group": account.pw_gid}
    initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    quiet = {"stdout": subprocess.DEVNULL, "cwd": data}
    subprocess.run([*initdb, "--no-sync"], check=True, **quiet, **owner)
    listen = (f"port={port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={data}", "log_min_messages=fatal")
    flags = [word for setting in (*listen, *given) for word in ("-c", setting)]
    command = [binaries / "postgres", "-D", data, *flags]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, **quiet, **owner)
    with _stopped_at_the_end(server, signal.SIGINT):
        ask = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        _wait_until(lambda: subprocess.run(ask, check=False).returncode == 0, server, "PostgreSQL")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextlib.contextmanager
def _redis(folder: Path) -> Iterator[str]:
    port = free_port()
    flags = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = subprocess.Popen(["redis-server", *flags], stdout=subprocess.DEVNULL)
    with _stopped_at_the_end(server, signal.SIGTERM):
        _wait_until(lambda: _accepts(port), server, "Redis")
        yield f"redis://127.0.0.1:{port}/0"


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_until(ready: Callable[[], bool], server: "subprocess.Popen[bytes]", name: str) -> None:
    limit = time.monotonic() + SLOWEST_START
    while not ready():
        if server.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(f"{name} does not start.")
        time.sleep(0.1)


@contextlib.contextmanager
def _stopped_at_the_end(server: "subprocess.Popen[bytes]", how: signal.Signals) -> Iterator[None]:
    try:
        yield
    finally:
        server.send_signal(how)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
