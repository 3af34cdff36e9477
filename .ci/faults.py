"""`make faults`: every fault of performance.md in full counts, against real processes; one table at the end."""

import setup

if __name__ == "__main__":
    setup.require_python()

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import test

DATA = Path(setup.ROOT) / ".data"
LEDGER, TABLE = DATA / "faults.jsonl", DATA / "faults.md"
COLUMNS = ("tried", "acknowledged", "lost", "doubled")
WALKS = 10_000
RUNS: tuple[tuple[list[str], dict[str, str]], ...] = (
    (["-m", "faults"], {}),
    (["tests/tickets/lifecycle/test_walks.py"], {"WARDLINE_WALKS": str(WALKS)}),
)


def rows() -> Iterator[dict[str, Any]]:
    for line in LEDGER.read_text().splitlines():
        yield json.loads(line)


def table(seconds: float, failed: list[str]) -> str:
    """The rows as they stand in the README's kind of table; what has no column of its own is written out."""
    lines = [
        f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, {seconds / 60:.0f} min"
        + (f"; **failed: {', '.join(failed)}**" if failed else ""),
        "",
        "| fault | tried | acknowledged | lost | doubled | more |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows():
        known = [str(row.get(name, "")) for name in COLUMNS]
        more = ", ".join(f"{k} {v}" for k, v in row.items() if k not in {"row", "at", *COLUMNS})
        lines.append(f"| {row['row']} | {' | '.join(known)} | {more} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    setup.ensure_venv()
    setup.sync("dev")
    missing = test.absent(test.provide(), "postgresql", "redis")
    if missing:
        setup.stop(f"make faults needs {missing}; install it or run this as root.")
    DATA.mkdir(exist_ok=True)
    LEDGER.write_text("")
    begun, failed = time.monotonic(), []
    environment = {**os.environ, "WARDLINE_FAULTS": "full", "WARDLINE_FAULTS_LEDGER": str(LEDGER)}
    for arguments, more in RUNS:
        command = [setup.PYTHON, "-m", "pytest", "-q", "-s", "-p", "no:randomly", *arguments, *sys.argv[1:]]
        if subprocess.run(command, cwd=setup.ROOT, env=environment | more, check=False).returncode:
            failed.append(" ".join(arguments))
    TABLE.write_text(table(time.monotonic() - begun, failed))
    print(f"\n{TABLE.read_text()}\nwardline: this table is in {TABLE}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
