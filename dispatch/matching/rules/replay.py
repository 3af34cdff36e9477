"""What other weights would have done to decisions already made. Works on stored figures only; saves nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from dispatch.matching.rules.costs import delay_cost
from dispatch.matching.rules.weights import Weights

TERMS = ("wait", "quality", "travel", "load", "continuity", "fail_again")
READ = ("target_minutes", "urgency", "fix", "rework", "touch", "load", "continuity", "fail_again")
TIE = 0.001  # points are stored with four digits: closer than this is the same, and who was sent keeps it

Points = dict[str, float]


@dataclass(frozen=True)
class Past:
    """One decision as it was stored, the weights it was made with, and who had another ticket in the same round."""

    number: str
    explanation: Mapping[str, Any]
    weights: Weights
    taken: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Change:
    """A ticket that would have gone to somebody else. `waits`: minutes until that person would have been free."""

    number: str
    was: int
    would: int
    why: str  # the term that moved most in favour of the other one
    points: float  # how far it moved
    waits: int | None


@dataclass(frozen=True)
class Mean:
    """One term of the people sent and of those the new weights would send: points by the new weights, and its measure."""

    term: str
    before: float
    after: float
    measured: tuple[float, float] | None  # minutes, or probability of fixing it at once


@dataclass(frozen=True)
class Replay:
    """What came of it. `skipped` counts decisions that cannot be replayed, by reason; `alone` had one candidate."""

    asked: int
    replayable: int
    alone: int
    changes: tuple[Change, ...]
    means: tuple[Mean, ...]
    skipped: Mapping[str, int]


class Unplayable(Exception):
    """This decision cannot be replayed; the code says why."""


def replay(decisions: Iterable[Past], new: Weights) -> Replay:
    """Price the stored candidates of each decision anew and see who is cheapest then.

    Assumed: stored terms are points, weighted by `Past.weights`. Waiting and work are priced again from their stored
    minutes, first fix from its stored probability; load and history are divided by the old weight and multiplied by
    the new one. Minutes of walking, of calling in and of work in hand stay as they were; so do the hard constraints,
    who else was busy with the round's other tickets, and whether the ticket should have waited. Not replayable:
    `no_terms` nothing stored, `not_by_cost` fallback or interruption, `other_tickets` the cheapest was not sent,
    `unknown_weights` the old weights do not give the stored points, `zero_then` a term was switched off then.
    """
    skipped: Counter[str] = Counter()
    changes: list[Change] = []
    pairs: list[tuple[_Priced, _Priced]] = []
    asked = alone = 0
    for past in decisions:
        asked += 1
        try:
            was, would, among = _picks(past, new)
        except Unplayable as reason:
            skipped[str(reason)] += 1
            continue
        alone += among == 1
        pairs.append((was, would))
        if was.engineer != would.engineer:
            changes.append(_change(past.number, was, would))
    return Replay(asked, len(pairs), alone, tuple(changes), tuple(_means(pairs)), dict(skipped))


@dataclass(frozen=True)
class _Priced:
    engineer: int
    stored: Mapping[str, Any]
    old: Points
    new: Points
    waits: int | None


def _picks(past: Past, new: Weights) -> tuple[_Priced, _Priced, int]:
    """Who was sent, who would be, and among how many."""
    told = past.explanation
    chosen = told.get("chosen") or {}
    lines = [one for one in told.get("candidates") or [] if one["engineer"] not in past.taken]
    if not any(one["engineer"] == chosen.get("engineer") for one in lines):
        raise Unplayable("no_terms")
    if told.get("mode") != "assignment" or chosen.get("interrupts"):
        raise Unplayable("not_by_cost")
    priced = _priced(lines, told["priority"], past.weights, new)
    was = next(one for one in priced if one.engineer == chosen["engineer"])
    if _cheapest(priced, was, "old") != was:
        raise Unplayable("other_tickets")
    return was, _cheapest(priced, was, "new"), len(priced)


def _cheapest(priced: list[_Priced], was: _Priced, by: str) -> _Priced:
    def total(one: _Priced) -> float:
        return math.fsum(getattr(one, by).values())

    best = min(priced, key=lambda one: (total(one), one.engineer))
    return was if total(was) <= total(best) + TIE else best


def _priced(lines: list[Mapping[str, Any]], priority: int, old: Weights, new: Weights) -> list[_Priced]:
    rework = _was_rework(lines, old, new)
    priced = []
    for one in lines:
        terms = one["terms"]
        then = _points(terms, priority, rework, old, old)
        if not math.isclose(math.fsum(then.values()), terms["total"], rel_tol=0.001, abs_tol=0.005):
            raise Unplayable("unknown_weights")
        now = _points(terms, priority, rework, old, new)
        priced.append(_Priced(one["engineer"], terms, then, now, one.get("busy_minutes_left")))
    return priced


def _was_rework(lines: list[Mapping[str, Any]], old: Weights, new: Weights) -> bool:
    """Not stored as such: what the stored quality points say about the factor they were multiplied with."""
    risk = math.fsum(1 - one["terms"]["chance"]["p"] for one in lines)
    if risk == 0 or new.fix == old.fix == 0 or new.rework == old.rework == 1:
        return False  # it makes no difference
    if old.fix == 0 or old.rework == 1:
        raise Unplayable("zero_then")
    plain = old.fix * risk
    factor = math.fsum(one["terms"]["quality"] for one in lines) / plain
    return abs(factor - old.rework) < abs(factor - 1)


def _points(terms: Mapping[str, Any], priority: int, rework: bool, old: Weights, new: Weights) -> Points:
    """The stored terms, by other weights."""
    return {
        "wait": delay_cost(priority, terms["wait_minutes"], new),
        "quality": new.fix * (1 - terms["chance"]["p"]) * (new.rework if rework else 1.0),
        "travel": new.touch * (terms["work_minutes"] + terms["travel_minutes"]),
        "load": _scaled(terms["load"], old.load, new.load),
        "continuity": _scaled(terms["continuity"], old.continuity, new.continuity),
        "fail_again": _scaled(terms["fail_again"], old.fail_again, new.fail_again),
    }


def _scaled(points: float, old: float, new: float) -> float:
    if old == 0 and new != 0:
        raise Unplayable("zero_then")
    return points * new / old if old else 0.0


def _change(number: str, was: _Priced, would: _Priced) -> Change:
    moved = {
        term: (was.new[term] - would.new[term]) - (was.old[term] - would.old[term]) for term in TERMS
    }  # how much dearer the new weights make the one who was sent, against the other
    why = max(TERMS, key=lambda term: moved[term])
    return Change(number, was.engineer, would.engineer, why, moved[why], would.waits)


def _means(pairs: list[tuple[_Priced, _Priced]]) -> Iterable[Mean]:
    if not pairs:
        return
    for term in TERMS:
        before, after = (fmean(pair[side].new[term] for pair in pairs) for side in (0, 1))
        first, then = (_measured(term, [pair[side] for pair in pairs]) for side in (0, 1))
        yield Mean(term, before, after, None if first is None or then is None else (first, then))


def _measured(term: str, people: list[_Priced]) -> float | None:
    if term == "wait":
        return fmean(one.stored["wait_minutes"] for one in people)
    if term == "quality":
        return fmean(one.stored["chance"]["p"] for one in people)
    if term == "travel":
        return fmean(one.stored["work_minutes"] + one.stored["travel_minutes"] for one in people)
    return None
