"""What each fault cost, as counts: printed at once, and one JSON line each where `make faults` asks for them."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

NOTED: list[tuple[str, dict[str, float]]] = []  # since somebody last took them; see conftest
FULL = os.environ.get("WARDLINE_FAULTS") == "full"


def count(small: int, full: int) -> int:
    """How often a fault is tried: a few times in `make test`, as often as performance.md says in `make faults`."""
    return full if FULL else small


def note(row: str, **counts: float | str) -> None:
    """One row of the table. `tried`, `acknowledged`, `lost` and `doubled` have columns of their own."""
    said = {"row": row, "at": datetime.now(UTC).isoformat(timespec="seconds"), **counts}
    NOTED.append((row, {name: value for name, value in counts.items() if not isinstance(value, str)}))
    print("\n" + row + ": " + ", ".join(f"{name} {value}" for name, value in counts.items()))  # noqa: T201
    if path := os.environ.get("WARDLINE_FAULTS_LEDGER"):
        with Path(path).open("a") as ledger:
            ledger.write(json.dumps(said, ensure_ascii=False) + "\n")
