"""Why this engineer: one JSON-able record per decision, stored as it was decided and rendered later."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from dispatch.matching import rules
from dispatch.matching.estimators.batch import Outcome, Pair
from dispatch.matching.estimators.problem import Problem
from dispatch.matching.rules import CostTerms, Engineer, Job
from dispatch.roster.rules import Presence


@dataclass(frozen=True)
class Candidate:
    """One line of the explanation, before it becomes data."""

    engineer: Engineer
    terms: CostTerms | None = None
    broken: rules.Rejection | None = None
    rank: tuple[float, int] = field(default=(0.0, 0))


def explanation(outcome: Outcome, job: Job) -> dict[str, Any]:
    """Why this one: every candidate's terms on one scale, every rejected one with the rule they broke. JSON-able."""
    pair = next((found for found in outcome.pairs if found.job.id == job.id), None)
    lines = [_candidate(outcome.problem, job, engineer, pair) for engineer in outcome.problem.engineers]
    ranked = sorted((line for line in lines if line.terms), key=lambda line: line.rank)
    rejected = [line for line in lines if line.broken]
    waiting = next((found for found in outcome.deferred if found.job.id == job.id), None)
    return {
        "version": rules.VERSION,
        "mode": outcome.mode,
        "failure": outcome.failure,
        "input_hash": outcome.input_hash,
        "at": outcome.problem.now.isoformat(),
        "ticket": job.id,
        "priority": job.priority,
        "target_minutes": outcome.problem.weights.target_minutes[job.priority],
        "confidence": round(job.confidence, 4),
        "chosen": _chosen(pair) if pair else None,
        "make_safe": make_safe(outcome, job),
        "planned": waiting.engineer.id if waiting and waiting.engineer else None,
        "candidates": [_told(line, outcome.problem) for line in ranked],
        "rejected": [
            {"engineer": line.engineer.id, "code": line.broken.code, "params": dict(line.broken.params)}
            for line in rejected
            if line.broken
        ],
    }


def make_safe(outcome: Outcome, job: Job) -> int | None:
    """For a P1 that nobody can repair now: the nearest pair of hands on site, to make it safe and bring the backup only."""
    if job.priority != 1 or any(pair.job.id == job.id for pair in outcome.pairs):
        return None
    problem = outcome.problem
    near = [
        (rules.travel_minutes(job, engineer, problem.weights), engineer.id)
        for engineer in problem.engineers
        if engineer.presence == Presence.ON_SITE and (engineer.current is None or engineer.current.priority > 1)
    ]
    return min(near)[1] if near else None


def _candidate(problem: Problem, job: Job, engineer: Engineer, pair: Pair | None) -> Candidate:
    chosen = pair is not None and pair.engineer.id == engineer.id
    interrupting = chosen and pair is not None and pair.interrupts is not None
    broken = rules.reject_reason(job, engineer, problem.now, problem.weights, interrupting=interrupting)
    if broken is not None:
        return Candidate(engineer, broken=broken)
    if not chosen and job.priority == 1 and engineer.current is not None and engineer.current.priority == 1:
        return Candidate(engineer, broken=rules.Rejection("on_p1"))
    if not chosen and _kept_asleep(problem, job, engineer):
        return Candidate(engineer, broken=rules.Rejection("on_call_not_needed"))
    terms = problem.terms(job, engineer, interrupting=interrupting)
    return Candidate(engineer, terms=terms, rank=(terms.total, engineer.id))


def _kept_asleep(problem: Problem, job: Job, engineer: Engineer) -> bool:
    row, column = problem.jobs.index(job), problem.engineers.index(engineer)
    return engineer.presence != Presence.ON_SITE and not problem.allowed[row, column]


def _chosen(pair: Pair) -> dict[str, Any]:
    return {
        "engineer": pair.engineer.id,
        "presence": pair.engineer.presence.value,
        "eta_minutes": {"q50": round(pair.eta_q50, 1), "q90": round(pair.eta_q90, 1)},
        "gap": None if pair.choice.gap is None else round(pair.choice.gap, 4),
        "best": round(pair.choice.best, 4),
        "regret": round(pair.choice.regret, 4),
        "review": list(pair.review),
        "interrupts": asdict(pair.interrupts) if pair.interrupts else None,
    }


def _told(line: Candidate, problem: Problem) -> dict[str, Any]:
    engineer = line.engineer
    assert line.terms is not None
    busy = None if engineer.idle(problem.now) else round(line.terms.free_minutes)
    free_at = problem.now + timedelta(minutes=line.terms.free_minutes)
    return {
        "engineer": engineer.id,
        "presence": engineer.presence.value,
        "open": engineer.open_count,
        "limit": engineer.max_open,
        "busy_minutes_left": busy,
        "free_at": free_at.isoformat(),
        "terms": rules.terms_as_data(line.terms),
    }
