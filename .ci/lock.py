"""`make lock`: the .in files resolved to plain, hashed lines that name no index. `--check` only compares."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import setup

ROOT = Path(setup.ROOT)
FOLDER = Path("config/requirements")
OLDEST = "3.11.2"  # Debian 12's: some packages need a backport there that 3.11.3 and newer do without


def resolve(name: str, target: Path, *more: str) -> None:
    source = ["--python", setup.PYTHON, "--python-version", OLDEST, f"{FOLDER / name}.in"]
    command = [setup.UV, "pip", "compile", "--generate-hashes", *source]
    quiet = ["--no-emit-index-url", "--no-header", "-q", "-o", str(target), *more]
    done = subprocess.run([*command, *quiet], cwd=ROOT, env=setup.index_environment(), check=False)
    if done.returncode:
        setup.stop(f"{name}.in could not be resolved; see the message above.")


def stale(name: str) -> bool:
    """Whether the lock no longer satisfies its .in file; newer releases alone do not make it stale."""
    lock = ROOT / FOLDER / f"{name}.txt"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, lock.name)
        shutil.copy(lock, copy)
        resolve(name, copy)
        return copy.read_text() != lock.read_text()


def main() -> None:
    names = ("base", "dev")
    if "--check" in sys.argv:
        behind = [name for name in names if stale(name)]
        if behind:
            setup.stop(f"The lock is behind {', '.join(f'{name}.in' for name in behind)}; run `make lock`.")
        return
    more = ["--upgrade"] if "--upgrade" in sys.argv else []
    for name in names:
        resolve(name, FOLDER / f"{name}.txt", *more)


if __name__ == "__main__":
    main()
