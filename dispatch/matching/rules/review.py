"""How sure a choice is, and when a human should look at it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dispatch.matching.rules.constraints import minutes
from dispatch.matching.rules.costs import Z_90, eta
from dispatch.matching.rules.facts import CostTerms, Job, Work
from dispatch.matching.rules.weights import Weights


@dataclass(frozen=True)
class Choice:
    """How sure it is that the chosen one is best, against the best other candidate."""

    gap: float | None  # other's cost minus own; negative when another ticket needed the cheaper one
    best: float  # probability of being the better of the two
    regret: float  # expected points lost if not


def compare(job: Job, chosen: CostTerms, other: CostTerms | None, weights: Weights) -> Choice:
    """Normal approximation; the uncertainty is that of the two first-fix probabilities."""
    if other is None:
        return Choice(gap=None, best=1.0, regret=0.0)
    gap = other.total - chosen.total
    scale = weights.fix * (weights.rework if job.rework else 1.0)
    sd = scale * math.hypot(chosen.chance.spread, other.chance.spread)
    if sd == 0:
        return Choice(gap=gap, best=float(gap >= 0), regret=max(0.0, -gap))
    z = gap / sd
    best = 0.5 * (1 + math.erf(z / math.sqrt(2)))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return Choice(gap=gap, best=best, regret=sd * density - gap * (1 - best))


def breach_probability(job: Job, terms: CostTerms, now: datetime, weights: Weights) -> float:
    """Chance of arriving after the target, from the log-normal through the ETA's median and 90 % point."""
    left = weights.target_minutes[job.priority] - minutes(now - job.created)
    if left <= 0:
        return 1.0
    q50, q90 = eta(terms, weights)
    sigma = max(math.log(q90 / q50) / Z_90, 1e-6)
    return 0.5 * (1 - math.erf(math.log(left / q50) / (sigma * math.sqrt(2))))


def review_reasons(
    job: Job, terms: CostTerms, choice: Choice, now: datetime, weights: Weights, interrupts: Work | None = None
) -> tuple[str, ...]:
    """Why a human should look at this assignment. A P1 goes out at once and is looked at in parallel."""
    found = {
        "low_confidence": job.confidence < weights.confident,
        "unclear_best": choice.best < weights.best_least and choice.regret > weights.regret_most,
        "interrupts_p2": interrupts is not None and interrupts.priority == 2,
        "breach_likely": breach_probability(job, terms, now, weights) > weights.breach_most,
        "repeat": job.repeat,
    }
    return tuple(code for code, holds in found.items() if holds)


def terms_as_data(terms: CostTerms) -> dict[str, Any]:
    """For storing: every value rounded to what a reader can use."""
    plain = {key: _stored(value) for key, value in asdict(terms).items() if key != "chance"}
    chance = {"p": _stored(terms.chance.p), "n": round(terms.chance.n, 1)}
    interval = {"low": _stored(terms.chance.low), "high": _stored(terms.chance.high)}
    return {**plain, "chance": chance | interval, "total": _stored(terms.total)}


def _stored(value: float) -> float:
    """Four places, and never -0.0: PostgreSQL keeps it as 0.0, and a restored decision would differ from the saved."""
    return round(value, 4) + 0.0
