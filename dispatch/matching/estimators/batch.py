"""The decision: assignment solver first, c-mu index behind it, least loaded behind that; then P1 pre-emption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

import numpy as np

from dispatch.matching import rules
from dispatch.matching.estimators.problem import Mask, Matrix, Problem, build, input_hash
from dispatch.matching.rules import CostTerms, Engineer, Job, Weights, Work
from dispatch.roster.rules import NEARNESS, Presence

Planned = list[tuple[int, int]]  # (row of a job, column of an engineer)
Solver = Callable[[Matrix], Planned]
Index = Callable[[Problem, Mask], Planned]
Way = Callable[[Engineer, datetime], bool]
FAILURES = (ValueError, ArithmeticError, TypeError, MemoryError, RuntimeError, LookupError)


@dataclass(frozen=True)
class Pair:
    """Give it now: this engineer has this ticket. `interrupts` is the work they put down for it."""

    job: Job
    engineer: Engineer
    terms: CostTerms
    eta_q50: float
    eta_q90: float
    choice: rules.Choice
    review: tuple[str, ...] = ()
    interrupts: Work | None = None


@dataclass(frozen=True)
class Waiting:
    """Left for a later event: everyone suitable is busy. `engineer` is who it is meant for, if anyone."""

    job: Job
    engineer: Engineer | None = None


@dataclass(frozen=True)
class Outcome:
    """What to start, what waits, what nobody may do, and by which way it was found."""

    problem: Problem
    pairs: tuple[Pair, ...]
    deferred: tuple[Waiting, ...]
    unassigned: tuple[Job, ...]
    mode: str
    failure: str
    input_hash: str


def match(
    jobs: Sequence[Job],
    engineers: Sequence[Engineer],
    now: datetime,
    weights: Weights | None = None,
    *,
    solver: Solver | None = None,
    index: Index | None = None,
    elapsed_ms: Callable[[], float] = lambda: 0.0,
) -> Outcome:
    """One decision for all waiting tickets. The order of the inputs does not matter.

    `elapsed_ms` is a stop-watch of the caller: an answer later than the box is dropped for the next simpler way.
    """
    weights = weights or Weights()
    problem = build(jobs, engineers, now, weights)
    import_module("scipy.optimize")  # the first import takes two seconds that must not count against the box
    planned, mode, failure = _plan(problem, solver or solve, index or c_mu, elapsed_ms)
    started = [(row, column) for row, column in planned if problem.engineers[column].idle(now)]
    used = {column for _, column in started}
    urgent = _urgent(problem, {row for row, _ in started}, used)
    # Only now may ordinary work be added to a busy list: whoever a P1 calls away gets nothing else in this round.
    started += _at_work(problem, dict(planned), {row for row, _ in started}, used)
    pairs = [_pair(problem, row, column) for row, column in started] + urgent
    return _outcome(problem, pairs, dict(planned), mode, failure)


def _asked_now(problem: Problem, row: int, column: int) -> bool:
    """Busy people are asked only when waiting for them would outlast the promise to answer."""
    return rules.cannot_wait(problem.jobs[row], problem.engineers[column], problem.now, problem.weights)


def _at_work(problem: Problem, planned: dict[int, int], started: set[int], used: set[int]) -> Planned:
    """Busy people who are asked now, the most urgent ticket first: by the plan, or, for a ticket that the plan put off
    although nobody will be free before it must be answered, the best one still unasked. The plan alone would give that one
    a calmer ticket, round after round."""
    rows = [row for row, job in enumerate(problem.jobs) if row not in started and job.priority != 1]
    asked: Planned = []
    for row in sorted(rows, key=lambda row: (problem.jobs[row].priority, problem.jobs[row].created, row)):
        able = [planned[row]] if row in planned else np.flatnonzero(problem.allowed[row]).tolist()
        free = [column for column in able if column not in used]
        if free and all(_asked_now(problem, row, column) for column in able):
            column = min(free, key=lambda number: (problem.cost[row, number], number))
            used.add(column)
            asked.append((row, column))
    return asked


def solve(gain: Matrix) -> Planned:
    """The least-cost assignment; pairs worth nothing are left out."""
    from scipy.optimize import linear_sum_assignment  # two seconds that the web process need not spend at its start

    rows, columns = linear_sum_assignment(gain)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if gain[row, column] < 0]


def _plan(problem: Problem, solver: Solver, index: Index, elapsed_ms: Callable[[], float]) -> tuple[Planned, str, str]:
    """Optimiser, then the c-mu index, then least loaded. Returns the plan, its mode and why the first failed."""
    if not problem.jobs or not problem.engineers:
        return [], "assignment", ""
    began = elapsed_ms()
    try:
        gain = np.where(problem.allowed, np.minimum(problem.cost - problem.defer, 0.0), 0.0)
        planned = _sound(problem, solver(gain))
        if elapsed_ms() - began <= problem.weights.box_ms:
            return planned, "assignment", ""
        failure = "too_slow"
    except FAILURES as error:
        failure = type(error).__name__
    idle = np.array([engineer.idle(problem.now) for engineer in problem.engineers], dtype=bool)
    open_pairs = problem.allowed & idle[None, :]
    try:
        return _sound(problem, index(problem, open_pairs)), "c_mu", failure
    except FAILURES as error:
        return least_loaded(problem, open_pairs), "least_loaded", f"{failure}, {type(error).__name__}"


def _sound(problem: Problem, planned: Planned) -> Planned:
    """A plan is believed only if every pair is allowed and nobody is used twice."""
    rows, columns = [row for row, _ in planned], [column for _, column in planned]
    if len(set(rows)) < len(rows) or len(set(columns)) < len(columns):
        raise ValueError("the plan uses somebody twice")
    if not all(problem.allowed[row, column] for row, column in planned):
        raise ValueError("the plan breaks a hard constraint")
    return planned


def c_mu(problem: Problem, open_pairs: Mask) -> Planned:
    """P1 first, then the ticket that loses most per minute of work, each to its cheapest idle engineer."""
    if not np.isfinite(problem.cost).all():
        raise ArithmeticError("a cost is not a number")
    masked = np.where(open_pairs, problem.cost, np.inf)
    ranked = []
    for row in np.flatnonzero(open_pairs.any(axis=1)).tolist():
        job = problem.jobs[row]
        terms = problem.terms(job, problem.engineers[int(masked[row].argmin())])
        ranked.append((job.priority != 1, -rules.marginal_rate(job, terms, problem.weights), job.id, int(row)))
    planned: Planned = []
    for *_, row in sorted(ranked):
        column = int(masked[row].argmin())
        if np.isfinite(masked[row, column]):
            planned.append((row, column))
            masked[:, column] = np.inf
    return planned


def least_loaded(problem: Problem, open_pairs: Mask) -> Planned:
    """Needs no cost at all: most urgent first, oldest first, to whoever has the fewest open tickets."""
    order = sorted(
        range(len(problem.jobs)),
        key=lambda row: (problem.jobs[row].priority, problem.jobs[row].created, problem.jobs[row].id),
    )
    planned: Planned = []
    used: set[int] = set()
    for row in order:
        free = [column for column in np.flatnonzero(open_pairs[row]).tolist() if column not in used]
        if free:
            column = min(free, key=lambda number: (problem.engineers[number].open_count, problem.engineers[number].id))
            used.add(column)
            planned.append((row, column))
    return planned


def _urgent(problem: Problem, started: set[int], used: set[int]) -> list[Pair]:
    """A P1 that nobody idle takes interrupts P2-P4 work, never a P1; failing that it wakes somebody on call: an idle one,
    then one who has only lesser work in hand."""
    waiting = [
        (job.created, job.id, row) for row, job in enumerate(problem.jobs) if job.priority == 1 and row not in started
    ]
    pairs = []
    for *_, row in sorted(waiting):
        for way in (_interruptible, _can_be_woken, _interruptible_on_call):
            interrupting = way is not _can_be_woken
            column = _cheapest(problem, row, used, way, interrupting)
            if column is not None:
                used.add(column)
                pairs.append(_pair(problem, row, column, interrupting=interrupting))
                break
    return pairs


def _cheapest(problem: Problem, row: int, used: set[int], way: Way, interrupting: bool) -> int | None:
    job = problem.jobs[row]
    open_to = [
        (problem.terms(job, engineer, interrupting=interrupting).total, engineer.id, column)
        for column, engineer in enumerate(problem.engineers)
        if column not in used
        and way(engineer, problem.now)
        and rules.reject_reason(job, engineer, problem.now, problem.weights, interrupting=interrupting) is None
    ]
    return min(open_to)[2] if open_to else None


def _interruptible(engineer: Engineer, _now: datetime) -> bool:
    return engineer.presence == Presence.ON_SITE and engineer.can_be_called_off()


def _interruptible_on_call(engineer: Engineer, _now: datetime) -> bool:
    return engineer.presence in NEARNESS and engineer.presence != Presence.ON_SITE and engineer.can_be_called_off()


def _can_be_woken(engineer: Engineer, now: datetime) -> bool:
    return engineer.presence in NEARNESS and engineer.presence != Presence.ON_SITE and engineer.idle(now)


def _pair(problem: Problem, row: int, column: int, *, interrupting: bool = False) -> Pair:
    job, engineer, weights = problem.jobs[row], problem.engineers[column], problem.weights
    terms = problem.terms(job, engineer, interrupting=interrupting)
    choice = rules.compare(job, terms, _runner_up(problem, row, column), weights)
    q50, q90 = rules.eta(terms, weights)
    work = engineer.current if interrupting else None
    return Pair(
        job=job,
        engineer=engineer,
        terms=terms,
        eta_q50=q50,
        eta_q90=q90,
        choice=choice,
        review=rules.review_reasons(job, terms, choice, problem.now, weights, work),
        interrupts=work,
    )


def _runner_up(problem: Problem, row: int, column: int) -> CostTerms | None:
    others = np.where(problem.allowed[row], problem.cost[row], np.inf)
    others[column] = np.inf
    best = int(others.argmin())
    return problem.terms(problem.jobs[row], problem.engineers[best]) if np.isfinite(others[best]) else None


def _outcome(problem: Problem, pairs: list[Pair], planned: dict[int, int], mode: str, failure: str) -> Outcome:
    started = {pair.job.id for pair in pairs}
    deferred, unassigned = [], []
    for row, job in enumerate(problem.jobs):
        if job.id in started:
            continue
        if problem.allowed[row].any():
            column = planned.get(row)
            deferred.append(Waiting(job, None if column is None else problem.engineers[column]))
        else:
            unassigned.append(job)
    return Outcome(
        problem=problem,
        pairs=tuple(sorted(pairs, key=lambda pair: pair.job.id)),
        deferred=tuple(deferred),
        unassigned=tuple(unassigned),
        mode=mode,
        failure=failure,
        input_hash=input_hash(problem),
    )
