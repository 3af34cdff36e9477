"""All waiting tickets against all engineers as matrices. What one number means is in `rules`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dispatch.matching import rules
from dispatch.matching.rules import CostTerms, Engineer, Job, Weights
from dispatch.roster.rules import Presence

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Problem:
    """One moment's tickets and people in a fixed order, with feasibility and cost of every pair."""

    jobs: tuple[Job, ...]
    engineers: tuple[Engineer, ...]
    now: datetime
    weights: Weights
    allowed: Mask
    cost: Matrix
    defer: Matrix
    busy_mean: float

    def terms(self, job: Job, engineer: Engineer, *, interrupting: bool = False) -> CostTerms:
        return rules.cost(job, engineer, self.now, self.weights, busy_mean=self.busy_mean, interrupting=interrupting)


def build(jobs: Sequence[Job], engineers: Sequence[Engineer], now: datetime, weights: Weights) -> Problem:
    """Sort both sides by id, then fill the matrices column-wise: 50 x 500 pairs are too many for a loop."""
    rows = tuple(sorted(jobs, key=lambda job: job.id))
    columns = tuple(sorted(engineers, key=lambda engineer: engineer.id))
    busy_mean = rules.mean_busy(columns)
    walk = _walks(rows, columns, weights)
    work, fixed = _expectations(rows, columns)
    allowed = _allowed(rows, columns, now, walk, work)
    return Problem(
        jobs=rows,
        engineers=columns,
        now=now,
        weights=weights,
        allowed=_on_call_last(allowed, _can_go(rows, columns, now, weights, allowed, walk), columns),
        cost=_costs(rows, columns, now, weights, busy_mean, walk, work, fixed),
        defer=np.array([rules.defer_cost(job, now, weights) for job in rows]).reshape(-1, 1),
        busy_mean=busy_mean,
    )


def _walks(jobs: Sequence[Job], engineers: Sequence[Engineer], weights: Weights) -> Matrix:
    """Walking minutes; tickets and people share few places, so each pair of places is looked up once."""
    job_places, job_rows = _unique([job.position for job in jobs])
    own_places, own_columns = _unique([engineer.position for engineer in engineers])
    table = np.array(
        [[weights.travel.minutes(start, end) for start in own_places] for end in job_places], dtype=float
    ).reshape(len(job_places), len(own_places))
    called = np.array([rules.call_in(engineer, weights) for engineer in engineers])
    return np.asarray(table[np.ix_(job_rows, own_columns)] + called)


def _unique(values: Sequence[Any]) -> tuple[list[Any], list[int]]:
    seen: dict[Any, int] = {}
    places = [seen.setdefault(value, len(seen)) for value in values]
    return list(seen), places


def _expectations(jobs: Sequence[Job], engineers: Sequence[Engineer]) -> tuple[Matrix, Matrix]:
    """Expected minutes of work and first-fix probability of every pair, averaged over the class posterior."""
    codes, _ = _unique([guess.code for job in jobs for guess in job.classes])
    at = {code: number for number, code in enumerate(codes)}
    share = np.zeros((len(jobs), len(codes)))
    weighted = np.zeros((len(jobs), len(codes)))
    for row, job in enumerate(jobs):
        for guess in job.classes:
            share[row, at[guess.code]] += guess.probability
            weighted[row, at[guess.code]] += guess.probability * guess.minutes
    people = len(engineers)
    pace = np.array([[person.pace(code) for person in engineers] for code in codes]).reshape(len(codes), people)
    p = np.array([[person.chance(code).p for person in engineers] for code in codes]).reshape(len(codes), people)
    fixed = share @ p
    fixed[share.sum(axis=1) == 0] = [engineer.usual_chance.p for engineer in engineers]
    return weighted @ pace, fixed


def _allowed(jobs: Sequence[Job], engineers: Sequence[Engineer], now: datetime, walk: Matrix, work: Matrix) -> Mask:
    """The hard constraints for all pairs. Those that depend on few properties are asked once per kind of ticket."""
    allowed = np.zeros((len(jobs), len(engineers)), dtype=bool)
    kinds: dict[tuple[Any, ...], list[bool]] = {}
    left = np.array([_minutes_left(engineer, now) for engineer in engineers])
    free = np.array([rules.free_minutes(engineer, now) for engineer in engineers])
    column = {engineer.id: number for number, engineer in enumerate(engineers)}
    for row, job in enumerate(jobs):
        site = job.position.site if job.position else None
        kind = (job.skill, job.skill_level, job.qualifications, site, job.priority == 1)
        if kind not in kinds:
            kinds[kind] = [_broken(job, engineer, now) is None for engineer in engineers]
        allowed[row] = kinds[kind]
        for person in job.refused | job.excluded:
            if person in column:
                allowed[row, column[person]] = False
        if job.priority != 1:
            allowed[row] = np.logical_and(allowed[row], free + walk[row] + work[row] <= left)
    return allowed


def _minutes_left(engineer: Engineer, now: datetime) -> float:
    return float("inf") if engineer.shift_end is None else rules.minutes(engineer.shift_end - now)


def _broken(job: Job, engineer: Engineer, now: datetime) -> rules.Rejection | None:
    found = (constraint(job, engineer, now) for constraint in rules.ALL)
    return next((broken for broken in found if broken and broken.code not in ("refused", "no_answer")), None)


def _here(engineers: Sequence[Engineer]) -> Mask:
    return np.array([engineer.presence == Presence.ON_SITE for engineer in engineers], dtype=bool)


def _on_call_last(allowed: Mask, going: Mask, engineers: Sequence[Engineer]) -> Mask:
    """People on call are woken only for tickets that nobody on site can go to."""
    here = _here(engineers)
    if not allowed.size or here.all():
        return allowed
    covered: Mask = np.asarray(going.any(axis=1))
    return np.asarray(allowed & (here[None, :] | ~covered[:, None]))


def _can_go(
    jobs: Sequence[Job], engineers: Sequence[Engineer], now: datetime, weights: Weights, allowed: Mask, walk: Matrix
) -> Mask:
    """Who on site would really be there, not only who has the skill: now, or before the ticket must be reached. Late, but
    before anybody on call could come, is still no reason to wake them. To a P1 goes who is idle or on lesser work."""
    here = _here(engineers)
    if not allowed.size or here.all():
        return allowed
    idle = np.array([engineer.idle(now) for engineer in engineers], dtype=bool)
    lesser = np.array([engineer.can_be_called_off() for engineer in engineers], dtype=bool)
    there = walk + np.array([rules.free_minutes(engineer, now) for engineer in engineers])
    left = np.array([rules.minutes(rules.arrival_due(job, weights) - now) for job in jobs])
    called = np.where(allowed & ~here, there, np.inf).min(axis=1)
    in_time = there <= np.maximum(left, called)[:, None]
    urgent = np.array([[job.priority == 1] for job in jobs])
    going = allowed & here & (idle | np.where(urgent, lesser, in_time))
    # Called off to a P1, the load limit does not count: the few who are full are asked one by one.
    full = [n for n, one in enumerate(engineers) if here[n] and lesser[n] and one.open_count >= one.max_open]
    for row, column in ((row, column) for row in np.flatnonzero(urgent).tolist() for column in full):
        broken = rules.reject_reason(jobs[row], engineers[column], now, weights, interrupting=True)
        going[row, column] = broken is None
    return np.asarray(going)


def _costs(
    jobs: Sequence[Job],
    engineers: Sequence[Engineer],
    now: datetime,
    weights: Weights,
    busy_mean: float,
    walk: Matrix,
    work: Matrix,
    fixed: Matrix,
) -> Matrix:
    """`rules.cost(...).total` for every pair at once; a test holds the two together."""
    target = np.array([[weights.target_minutes[job.priority]] for job in jobs]).reshape(-1, 1)
    urgency = np.array([[weights.urgency[job.priority]] for job in jobs]).reshape(-1, 1)
    age = np.array([[rules.minutes(now - job.created)] for job in jobs]).reshape(-1, 1)
    again = np.array([[weights.rework if job.rework else 1.0] for job in jobs]).reshape(-1, 1)
    free = np.array([rules.free_minutes(engineer, now) for engineer in engineers])
    busy = np.array([engineer.busy_minutes for engineer in engineers])
    x = (age + free + walk) / target
    total = urgency * (x * x + np.maximum(0.0, x - 1)) + weights.fix * (1 - fixed) * again
    total += weights.touch * (work + walk) + weights.load * (busy - busy_mean) / 60
    column = {engineer.id: number for number, engineer in enumerate(engineers)}
    for row, job in enumerate(jobs):
        if job.failed_engineer in column:
            total[row, column[job.failed_engineer]] += weights.fail_again
        if job.last_engineer in column and job.last_engineer != job.failed_engineer:
            total[row, column[job.last_engineer]] -= weights.continuity
    return np.asarray(total)


def input_hash(problem: Problem) -> str:
    """SHA-256 of everything that went in, so that a decision can be proved to belong to its inputs."""
    content = {
        "now": problem.now,
        "jobs": problem.jobs,
        "engineers": problem.engineers,
        "weights": problem.weights,
    }
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(content, default=sorted, option=options)).hexdigest()  # sets have no order
