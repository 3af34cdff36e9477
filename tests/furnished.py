"""One small demo hospital for all real processes of a run: made once, copied by whoever needs one of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, "manage.py"]
SCALE = "0.05"
sys.path.append(str(ROOT / ".ci"))
import servers  # noqa: E402 - the tools of `make test` are not a package


def of_this_run(base: Path) -> Path:
    """Where the copies' originals lie: `make test` names a folder for all its groups, else this run of pytest has one.
    `base` is pytest's own, one for each process of `-n`."""
    folder = Path(
        os.environ.get("WARDLINE_FURNISHED") or (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fill_file(target: Path, folder: Path) -> None:
    """`target` becomes a furnished SQLite database, all of it in one file."""
    original = folder / "furnished.sqlite3"
    with _first(original) as making:
        if making:
            draft = folder / "draft.sqlite3"
            _furnish(f"sqlite:///{draft}", folder)
            draft.rename(original)
    shutil.copyfile(original, target)


def fill_postgres(url: str, folder: Path) -> None:
    """The empty database at `url` becomes a furnished one."""
    original, binaries = folder / "furnished.dump", servers.postgres_bin()
    assert binaries is not None, "PostgreSQL is not installed"
    with _first(original) as making:
        if making:
            draft = folder / "draft.dump"
            _furnish(url, folder)
            subprocess.run([binaries / "pg_dump", "-Fc", "-Z0", "-f", draft, url], check=True)
            draft.rename(original)
    if not making:
        told = [binaries / "pg_restore", "--no-owner", "--exit-on-error", "-d", url, original]
        subprocess.run(told, check=True)


@contextmanager
def _first(original: Path) -> Iterator[bool]:
    """True for the one process of the run that has to make it; the others wait for that."""
    with original.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not original.exists()


def _furnish(url: str, folder: Path) -> None:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "DEBUG": "0",
        "WARDLINE_DEMO": "1",
        "DATA_DIR": str(folder),
        "DATABASE_URL": url,
    }
    for words in (["migrate", "-v0"], ["demo", "--scale", SCALE]):
        done = subprocess.run([*MANAGE, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
