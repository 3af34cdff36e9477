"""The cost of a pair in points, term by term (algorithms.md section 1)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from dispatch.matching.rules.constraints import chance_for, free_minutes, minutes, travel_minutes, work_minutes
from dispatch.matching.rules.facts import CostTerms, Engineer, Job
from dispatch.matching.rules.weights import Weights
from dispatch.roster.rules import Presence

Z_90 = 1.2816  # one-sided 90 % of a normal


def delay_cost(priority: int, waited: float, weights: Weights) -> float:
    """W (x^2 + max(0, x - 1)), x = minutes waited / target."""
    x = waited / weights.target_minutes[priority]
    return weights.urgency[priority] * (x * x + max(0.0, x - 1))


def defer_cost(job: Job, now: datetime, weights: Weights) -> float:
    """What leaving the ticket for later costs: its delay cost at the horizon, plus a constant."""
    waited = minutes(now - job.created) + weights.horizon_minutes
    return delay_cost(job.priority, waited, weights) + weights.defer


def cannot_wait(job: Job, engineer: Engineer, now: datetime, weights: Weights) -> bool:
    """The person meant for it will not be free before somebody must have accepted: asking later only breaks a promise."""
    if job.priority == 1:
        return False  # interrupts, or a human decides
    return now + timedelta(minutes=free_minutes(engineer, now)) >= answer_due(job, weights)


def answer_due(job: Job, weights: Weights) -> datetime:
    """When somebody must have accepted; a ticket whose clock does not run has the minutes of its priority."""
    return job.respond_by or job.created + timedelta(minutes=weights.respond_minutes[job.priority])


def arrival_due(job: Job, weights: Weights) -> datetime:
    """When somebody must be there."""
    return job.arrive_by or job.created + timedelta(minutes=weights.target_minutes[job.priority])


def mean_busy(engineers: Iterable[Engineer]) -> float:
    busy = [engineer.busy_minutes for engineer in engineers if engineer.presence == Presence.ON_SITE]
    return sum(busy) / len(busy) if busy else 0.0


def cost(
    job: Job, engineer: Engineer, now: datetime, weights: Weights, *, busy_mean: float = 0.0, interrupting: bool = False
) -> CostTerms:
    """All terms of sending this engineer to this ticket. Says nothing about whether it is allowed."""
    walk = travel_minutes(job, engineer, weights)
    free = 0.0 if interrupting else free_minutes(engineer, now)
    work = work_minutes(job, engineer)
    arrival = minutes(now - job.created) + free + walk
    chance = chance_for(job, engineer)
    return CostTerms(
        wait=delay_cost(job.priority, arrival, weights),
        quality=weights.fix * (1 - chance.p) * (weights.rework if job.rework else 1.0),
        travel=weights.touch * (work + walk),
        load=weights.load * (engineer.busy_minutes - busy_mean) / 60,
        continuity=-weights.continuity if engineer.id == job.last_engineer != job.failed_engineer else 0.0,
        fail_again=weights.fail_again if engineer.id == job.failed_engineer else 0.0,
        wait_minutes=arrival,
        travel_minutes=walk,
        free_minutes=free,
        work_minutes=work,
        chance=chance,
    )


def eta(terms: CostTerms, weights: Weights) -> tuple[float, float]:
    """Minutes from now to arrival, median and 90 %: walk and rest of the work in hand are log-normal."""
    q50 = weights.accept_minutes + terms.free_minutes + terms.travel_minutes
    q90 = (
        weights.accept_minutes * 2
        + terms.free_minutes * math.exp(Z_90 * weights.busy_sigma)
        + terms.travel_minutes * math.exp(Z_90 * weights.travel_sigma)
    )
    return q50, q90


def marginal_rate(job: Job, terms: CostTerms, weights: Weights) -> float:
    """Generalised c-mu index: C'(wait) x mu. Minutes of delay cost saved per minute of work."""
    target = weights.target_minutes[job.priority]
    x = terms.wait_minutes / target
    slope = weights.urgency[job.priority] * (2 * x + (1.0 if x > 1 else 0.0)) / target
    return slope / max(terms.work_minutes + terms.travel_minutes, 1.0)
