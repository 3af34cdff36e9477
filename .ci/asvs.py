"""The totals of the ASVS sheet (config/decisions/asvs.md), and whether every proof that it names exists."""

import ast
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import setup

ROOT = Path(setup.ROOT)
SHEET = ROOT / "config" / "decisions" / "asvs.md"
STATES = ("met", "open", "later")


class Row(NamedTuple):
    id: str
    requirement: str
    state: str
    reason: str
    proofs: list[str]


def rows() -> list[Row]:
    found = []
    for line in SHEET.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and re.fullmatch(r"\d+\.\d+\.\d+", cells[0]):
            found.append(Row(*cells[:4], re.findall(r"`(tests\.[\w.]+)`", cells[4])))
    return found


def exists(proof: str) -> bool:
    """Whether the dotted path names a test function of this tree."""
    module, _dot, name = proof.rpartition(".")
    path = ROOT / (module.replace(".", "/") + ".py")
    if not path.is_file():
        return False
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for node in ast.parse(path.read_text()).body
    )


def missing() -> list[str]:
    return [f"{row.id}: {proof} does not exist" for row in rows() for proof in row.proofs if not exists(proof)]


def main() -> int:
    every = rows()
    totals = Counter(row.state for row in every)
    proved = sum(row.state == "met" and bool(row.proofs) for row in every)
    print(f"{len(every)} requirements: " + ", ".join(f"{totals[state]} {state}" for state in STATES))
    print(f"{proved} of {totals['met']} met ones proved by {len({p for r in every for p in r.proofs})} tests")
    print(*(f"  open {row.id} {row.requirement}: {row.reason}" for row in every if row.state == "open"), sep="\n")
    problems = missing()
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
