"""From impact and criticality to a priority, with every reason that moved it. The matrix is data."""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_URGENT, LEAST_URGENT = 1, 4

MATRIX: Mapping[tuple[str, str], int] = {
    ("I1", "C1"): 1, ("I1", "C2"): 1, ("I1", "C3"): 1, ("I1", "C4"): 2,
    ("I2", "C1"): 1, ("I2", "C2"): 1, ("I2", "C3"): 2, ("I2", "C4"): 2,
    ("I3", "C1"): 2, ("I3", "C2"): 2, ("I3", "C3"): 3, ("I3", "C4"): 3,
    ("I4", "C1"): 3, ("I4", "C2"): 3, ("I4", "C3"): 4, ("I4", "C4"): 4,
}  # fmt: skip
"""What a new installation starts with, and what stands in for a cell that was deleted."""

REPEAT_LIMIT = 2
"""A repeat alone makes nothing more urgent than P2."""


@dataclass(frozen=True)
class Decision:
    """A priority, 1 to 4, and the codes of what decided it in the order applied.

    Codes: `matrix:<impact>x<criticality>`, `backups_short`, `repeat`, `danger`.
    """

    priority: int
    reasons: tuple[str, ...]


def raised(priority: int, limit: int = MOST_URGENT) -> int:
    """One step more urgent, but not beyond `limit`; a priority already there or above stays."""
    return max(priority - 1, limit) if priority > limit else priority


def decide(
    impact: str,
    criticality: str,
    *,
    danger: bool = False,
    backups_short: bool = False,
    repeat: bool = False,
    matrix: Mapping[tuple[str, str], int] = MATRIX,
) -> Decision:
    """The priority of a ticket and why.

    Order: matrix, fewer ready units than the backup group needs (one step up), the same fault on the same device
    within the repeat window (one step up, not beyond P2), danger (always P1). A modifier that changes nothing leaves
    no reason, except two facts that people act on: danger and a repeat. A cell that `matrix` lacks is taken from `MATRIX`.
    """
    cell = (impact, criticality)
    priority = matrix.get(cell, MATRIX[cell])
    reasons = [f"matrix:{impact}x{criticality}"]
    if backups_short and raised(priority) != priority:
        priority = raised(priority)
        reasons.append("backups_short")
    if repeat:
        priority = raised(priority, REPEAT_LIMIT)
        reasons.append("repeat")
    if danger:
        priority = MOST_URGENT
        reasons.append("danger")
    return Decision(priority, tuple(reasons))
