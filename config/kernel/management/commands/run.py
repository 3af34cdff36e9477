"""The whole of Wardline in the foreground on one machine: web, worker and clock, until Ctrl-C."""

import contextlib
import fcntl
import io
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

import segno
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from ._children import Child, Family

READY_WITHIN: Final = 60.0
TOO_MANY_DEATHS: Final = 3
PAGES: Final = (
    ("Board 看板", "/desk/"),
    ("Engineer 工程师", "/field/"),
    ("Admin 管理", "/admin/"),
    ("API", "/api/v1/docs/"),
)


class Command(BaseCommand):
    help = "Migrate, load the demo hospital into an empty database, then run web, worker and clock until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        self.stopping = False
        _require_free_port()
        try:
            with _alone():
                if _behind():
                    call_command("migrate", verbosity=0, interactive=False)
                self._supervise(with_demo=not no_demo)
        except KeyboardInterrupt:
            raise CommandError("stopped before it was ready.") from None

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _say(self, sentence: str) -> None:
        self.stdout.write(f"wardline: {sentence}")
        self.stdout.flush()

    def _supervise(self, *, with_demo: bool) -> None:
        family = Family(_environment(), self._say)
        ready = False
        try:
            family.start(_manage("web", "web"))  # reads its program while the hospital is built
            if with_demo and not get_user_model().objects.exists():
                self._say("loading the demo hospital (模拟数据) ...")
                call_command("demo", stdout=self.stdout)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._ask_to_stop)
            ready = self._until_ready(family)
            if ready:
                family.start(_manage("worker", "qcluster"), _manage("clock", "clock"))
                self.stdout.write(banner(_demo_facts()))
                self.stdout.flush()
            while ready and not self.stopping:
                family.tend()
                time.sleep(0.2)
        finally:
            self._say("stopping ...")
            family.stop()
        if not ready and not self.stopping:
            raise CommandError("the web process does not start; its messages stand above.")

    def _until_ready(self, family: Family) -> bool:
        limit = time.monotonic() + READY_WITHIN
        while time.monotonic() < limit and not self.stopping:
            if _answers():
                return True
            family.tend()
            if family.children[0].deaths >= TOO_MANY_DEATHS:
                return False
            time.sleep(0.1)
        return False


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One family on one data folder. The lock ends with this process, however it dies; its children do not inherit it."""
    with (settings.DATA_DIR / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Wardline is running on {settings.DATA_DIR} already; stop it first, or give this one a DATA_DIR of its own."
            ) from None
        yield


def _behind() -> bool:
    """Whether migrations wait. Asking is much quicker than running `migrate` to find nothing."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _manage(name: str, command: str) -> Child:
    return Child(name, [sys.executable, "manage.py", command])


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "PUBLIC_BASE_URL": public_base_url(),
        "PYTHONUNBUFFERED": "1",
        "LEAVE_WITHIN": "2",  # less than what the family waits before it kills
        # Visitors see the house's own pages; only who asks for it sees Django's.
        "DEBUG": os.environ.get("DEBUG", "0"),
    }


def public_base_url() -> str:
    """The address that a phone can open: with HOST=0.0.0.0 that is this machine's own, not the wildcard."""
    if "PUBLIC_BASE_URL" in os.environ or settings.HOST not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return str(settings.PUBLIC_BASE_URL)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; it only asks which address would be used
        return f"http://{probe.getsockname()[0]}:{settings.PORT}"


def _require_free_port() -> None:
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            raise CommandError(f"{settings.HOST} port {settings.PORT} cannot be used: {error.strerror}.") from error


def _answers() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.PORT}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _demo_facts() -> dict[str, Any]:
    """What `demo --json` says, or only the address when this database holds no demo."""
    out = io.StringIO()
    settings.PUBLIC_BASE_URL = public_base_url()
    with contextlib.suppress(CommandError):
        with contextlib.redirect_stdout(out):
            call_command("demo", "--json")
        facts: dict[str, Any] = json.loads(out.getvalue())
        return facts
    return {"base_url": settings.PUBLIC_BASE_URL, "logins": [], "devices": []}


def banner(facts: dict[str, Any]) -> str:
    base = facts["base_url"].rstrip("/")
    lines = ["", f"  Wardline  {base}", ""]
    lines += [f"  {title:<16}{base}{path}" for title, path in PAGES]
    lines += ["", *(f"  {login['role']:<12}{login['username']:<16}{login['password']}" for login in facts["logins"])]
    for device in facts["devices"][:1]:
        code = io.StringIO()
        segno.make(device["report_url"], error="l").terminal(out=code, border=2, compact=True)
        lines += [
            "",
            f"  Scan to report  扫码报修: {device['name']}  {device['short_code']}",
            f"  {device['report_url']}",
        ]
        lines += ["", code.getvalue().rstrip("\n")]
        if settings.HOST in {"127.0.0.1", "localhost", "::1"}:
            lines += ["", "  For a real phone  手机扫码: HOST=0.0.0.0 make run"]
    return "\n".join([*lines, "", "  Ctrl-C stops everything.", ""])
