"""`make check`: every rule that a machine can hold, all of them run, the failed ones named at the end."""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import setup

BIN = os.path.dirname(setup.PYTHON)
FOLDERS = ["config", "assets", "tickets", "dispatch", "integrations"]
PYTHON_FILES = [*FOLDERS, "tests", ".ci", "manage.py"]


def production() -> dict[str, str]:
    """Settings of a hospital that does not exist, with secrets that live for this run."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": secrets.token_urlsafe(48),
        "QR_KEYS": f"p1:{secrets.token_urlsafe(48)}",
        "DATABASE_URL": "postgresql://wardline@db.invalid/wardline",
        "REDIS_URL": "redis://redis.invalid/0",
        "ALLOWED_HOSTS": "wardline.invalid",
        "PUBLIC_BASE_URL": "https://wardline.invalid",
        "HOSPITAL_PHONE": "8120",
        "DATA_DIR": tempfile.gettempdir(),
    }


def checks() -> list[tuple[str, list[str], dict[str, str]]]:
    def tool(name: str) -> str:
        return os.path.join(BIN, name)

    manage = [setup.PYTHON, "manage.py"]
    tests = {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return [
        ("lint", [tool("ruff"), "check", "-q", "--output-format", "concise", *PYTHON_FILES], {}),
        ("format", [tool("ruff"), "format", "--check", *PYTHON_FILES], {}),
        ("types", [tool("mypy"), "--no-error-summary", *FOLDERS], {}),
        ("contracts", [tool("lint-imports"), "--no-cache"], {}),
        ("rooms", [setup.PYTHON, ".ci/rooms.py"], {}),
        ("templates", [tool("djlint"), "templates", "--lint", "--quiet"], {}),
        ("migrations", [*manage, "makemigrations", "--check", "--dry-run"], tests),
        ("production settings", [*manage, "check", "--deploy", "--fail-level", "WARNING"], production()),
        ("translations", [setup.PYTHON, ".ci/translations.py"], {}),
        ("refused words", [setup.PYTHON, ".ci/refused.py"], {}),
        ("secrets", [setup.PYTHON, ".ci/leaks.py"], {}),
        ("known holes", [setup.PYTHON, ".ci/audit.py"], {}),
        ("lock", [setup.PYTHON, ".ci/lock.py", "--check"], {}),
    ]


class Outcome(NamedTuple):
    name: str
    code: int
    said: str
    seconds: float


def run(check: tuple[str, list[str], dict[str, str]]) -> Outcome:
    name, command, more = check
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=setup.ROOT, env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    return Outcome(name, done.returncode, done.stdout + done.stderr, time.monotonic() - begun)


def main() -> int:
    chosen = [check for check in checks() if check[0] in sys.argv[1:] or not sys.argv[1:]]
    failed = []
    with ThreadPoolExecutor(2) as pair:  # the slowest one takes as long as most of the others together
        for outcome in pair.map(run, chosen):
            print(f"{'FAILED' if outcome.code else 'ok':<8}{outcome.name} ({outcome.seconds:.1f} s)", flush=True)
            if outcome.code:
                failed.append(outcome.name)
                print(outcome.said, flush=True)
            else:  # what could not be looked at is said even where it is no failure
                for line in re.findall("^NOT CHECKED.*", outcome.said, re.MULTILINE):
                    print(f"        {line}", flush=True)
    if failed:
        print("wardline: failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
