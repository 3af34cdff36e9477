"""`make test`: every test on SQLite, those about the database again on PostgreSQL + Redis, journeys in Chromium."""

import setup

if __name__ == "__main__":
    setup.require_python()

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import servers

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
CORES = ["-n", str(min(os.cpu_count() or 1, 4))]
BOTH_CORES, APART = [*CORES, "--dist", "loadfile"], [*CORES, "--dist", "load"]
NO_TESTS = 5  # pytest's exit code when a mark selects nothing


class Need(NamedTuple):
    """A thing from outside Python, how it is recognised, and the Debian package that brings it."""

    name: str
    there: bool
    package: str


class Group(NamedTuple):
    name: str
    arguments: list[str]
    environment: Mapping[str, str]


def needs(*, best: bool = False) -> dict[str, Need]:
    """What the tests use and whether it is there; `best` asks for the browser that is three times faster to open."""
    chinese = (
        subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False).stdout
        if shutil.which("fc-list")
        else b""
    )
    shell, whole = shutil.which("chromium-headless-shell"), shutil.which("chromium")
    return {
        "chromium": Need("Chromium", bool(shell or (whole and not best)), "chromium-headless-shell"),
        "fonts": Need("a Chinese font", bool(chinese), "fonts-noto-cjk"),
        "postgresql": Need("PostgreSQL", servers.postgres_bin() is not None, "postgresql"),
        "redis": Need("Redis", bool(shutil.which("redis-server")), "redis-server"),
        "gettext": Need("gettext", bool(shutil.which("xgettext")), "gettext"),
    }


def provide() -> dict[str, Need]:
    """Install what is missing if we may; returns the state afterwards."""
    missing = [need.package for need in needs(best=True).values() if not need.there]
    if missing and setup.may_install():
        setup.apt_install(["fontconfig", *missing])
    return needs()


def absent(state: Mapping[str, Need], *names: str) -> str:
    return ", ".join(state[name].name for name in names if not state[name].there)


def run(group: Group, more: list[str], originals: str) -> tuple[int, Counter[str]]:
    """Run one group with its output shown; the answer is pytest's exit code and its counts. `originals` is the folder of
    the demo hospitals that all groups copy."""
    print(f"\n==== {group.name}", flush=True)
    command = [setup.PYTHON, "-m", "pytest", "--durations=8", "--durations-min=8", *group.arguments, *more]
    environment = {**os.environ, **group.environment, "PYTHONUNBUFFERED": "1", "WARDLINE_FURNISHED": originals}
    process = subprocess.Popen(command, cwd=setup.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout or ():
        sys.stdout.write(line)
        sys.stdout.flush()
        last = line if line.strip() else last
    counts = Counter(
        {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped|xfailed)", last)}
    )
    return process.wait(), counts


def groups(state: Mapping[str, Need], outside: servers.Servers | None) -> tuple[list[Group], list[str]]:
    """What can run here, and one sentence for each group that cannot."""
    possible = [Group("SQLite", ["-m", "not browser and not faults", *BOTH_CORES], {})]
    impossible = []
    no_servers, no_browser = absent(state, "postgresql", "redis"), absent(state, "chromium", "fonts")
    real = {"DATABASE_URL": outside.database_url, "REDIS_URL": outside.redis_url} if outside else {}
    if outside:
        possible.append(Group("PostgreSQL + Redis", ["-m", "database and not browser and not faults"], real))
        # Faults have servers of their own, to be stopped; they mostly wait.
        possible.append(Group("Faults, small counts", ["-m", "faults and not lengthy", *APART], {}))
    else:
        impossible.append(f"Faults did not run: {no_servers or 'the servers did not start'}.")
        impossible.append(f"PostgreSQL + Redis did not run: {no_servers or 'the servers did not start'}.")
    if no_browser:
        impossible.append(f"Chromium did not run: {no_browser} missing.")
    else:
        possible.append(Group("Chromium on SQLite", ["-m", "browser", *BOTH_CORES], {}))
        if outside:
            possible.append(Group("Chromium on PostgreSQL + Redis", ["-m", "browser and database", *APART], real))
    return possible, impossible


def run_all(state: Mapping[str, Need], outside: servers.Servers | None, more: list[str]) -> int:
    possible, impossible = groups(state, outside)
    begun, total, failed = time.monotonic(), Counter[str](), []
    lines = []
    originals = tempfile.TemporaryDirectory(prefix="wardline-furnished-")
    for group in possible:
        start = time.monotonic()
        code, counts = run(group, more, originals.name)
        total += counts
        ran = code != NO_TESTS
        if not ran and not more:
            impossible.append(f"{group.name}: no test belongs to this group.")
        failed += [group.name] if code and ran else []
        word = "FAILED" if code and ran else "ok"
        lines.append(f"  {group.name:<32}{word:<8}{_said(counts)} in {time.monotonic() - start:.0f} s")
    originals.cleanup()
    print("\n==== groups", *lines, *(f"  {sentence}" for sentence in impossible), sep="\n")
    print(f"==== {_said(total)} in {time.monotonic() - begun:.2f}s ====", flush=True)
    return 1 if failed or (CI and impossible) else 0


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in sorted(counts.items())) or "no tests ran"


def main() -> int:
    setup.ensure_venv()
    setup.sync("dev")
    state, more = provide(), sys.argv[1:]
    if absent(state, "postgresql", "redis"):
        return run_all(state, None, more)
    with servers.running() as outside:
        return run_all(state, outside, more)


if __name__ == "__main__":
    sys.exit(main())
