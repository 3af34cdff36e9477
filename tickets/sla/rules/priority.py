"""From impact and criticality to a priority, with every reason that moved it (domain.md 2.1). The matrix is data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

PRIORITIES = ("P1", "P2", "P3", "P4")
"""Most urgent first."""

MATRIX: Mapping[tuple[str, str], str] = {
    ("I1", "C1"): "P1", ("I1", "C2"): "P1", ("I1", "C3"): "P1", ("I1", "C4"): "P2",
    ("I2", "C1"): "P1", ("I2", "C2"): "P1", ("I2", "C3"): "P2", ("I2", "C4"): "P2",
    ("I3", "C1"): "P2", ("I3", "C2"): "P2", ("I3", "C3"): "P3", ("I3", "C4"): "P3",
    ("I4", "C1"): "P3", ("I4", "C2"): "P3", ("I4", "C3"): "P4", ("I4", "C4"): "P4",
}  # fmt: skip
"""What a new installation starts with; afterwards the table that managers edit is handed in."""


@dataclass(frozen=True)
class Facts:
    """What is known when a ticket is classified.

    `ready_units` and `min_ready` count the backup group of the device; None when it has none. `since_same` is the time
    since the same fault on the same device was closed; None when it never happened.
    """

    impact: str
    criticality: str
    danger: bool = False
    ready_units: int | None = None
    min_ready: int | None = None
    since_same: timedelta | None = None


@dataclass(frozen=True)
class Modifiers:
    """The numbers of the modifiers, as a manager may tune them."""

    repeat_within: timedelta = timedelta(days=30)
    repeat_limit: str = "P2"


@dataclass(frozen=True)
class Reason:
    """One thing that decided or moved the priority. `code` is matrix, low_backup, repeat or danger; `to` the result."""

    code: str
    to: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """A priority, the reasons in the order in which they were applied, and whether this is a repeat to be tagged."""

    priority: str
    reasons: tuple[Reason, ...]
    is_repeat: bool


def is_low_on_backup(facts: Facts) -> bool:
    """True when fewer units stand ready than the group needs."""
    return facts.ready_units is not None and facts.min_ready is not None and facts.ready_units < facts.min_ready


def is_repeat(facts: Facts, modifiers: Modifiers) -> bool:
    """True when the same fault was closed on this device within the window, its last day included."""
    return facts.since_same is not None and facts.since_same <= modifiers.repeat_within


def raised(priority: str, limit: str = PRIORITIES[0]) -> str:
    """One step more urgent, but not beyond `limit`; a priority already there or above stays."""
    rank, top = PRIORITIES.index(priority), PRIORITIES.index(limit)
    return PRIORITIES[max(rank - 1, top)] if rank > top else priority


def decide(
    facts: Facts, matrix: Mapping[tuple[str, str], str] = MATRIX, modifiers: Modifiers | None = None
) -> Decision:
    """The priority of a ticket and why.

    Order: matrix, few ready units (+1), repeat (+1 up to `repeat_limit`), danger (always P1). A modifier that changes
    nothing leaves no reason, except a repeat, which is a fact people act on. `KeyError` for a pair that the matrix
    does not hold: a matrix with holes must not be savable.
    """
    modifiers = modifiers or Modifiers()
    priority = matrix[facts.impact, facts.criticality]
    reasons = [Reason("matrix", priority, {"impact": facts.impact, "criticality": facts.criticality})]
    if is_low_on_backup(facts) and raised(priority) != priority:
        priority = raised(priority)
        counts = {"ready": facts.ready_units or 0, "min_ready": facts.min_ready or 0}
        reasons.append(Reason("low_backup", priority, counts))
    repeat = is_repeat(facts, modifiers)
    if repeat and facts.since_same is not None:
        priority = raised(priority, modifiers.repeat_limit)
        reasons.append(Reason("repeat", priority, {"days": facts.since_same.days}))
    if facts.danger and priority != PRIORITIES[0]:
        priority = PRIORITIES[0]
        reasons.append(Reason("danger", priority))
    return Decision(priority, tuple(reasons), repeat)
