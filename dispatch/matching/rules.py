"""Who may go, what it costs, and why: hard constraints, cost terms, human review. Pure: no clock, no database.

Formulas: algorithms.md section 1. `at` and `now` are local times, because a card is valid on a calendar day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.engineers.rules import UNKNOWN_CHANCE, Chance, Position, Travel
from dispatch.roster.rules import NEARNESS, Presence
from dispatch.triage.rules import ClassGuess

VERSION = "rules-1"
Z_90 = 1.2816  # one-sided 90 % of a normal


@dataclass(frozen=True)
class Work:
    """What an engineer has in hand."""

    ticket: int
    priority: int
    interruptible: bool = True


@dataclass(frozen=True)
class Engineer:
    """Everything that matching may know about one person. No name: people are looked up when shown."""

    id: int
    position: Position | None = None
    presence: Presence = Presence.ON_SITE
    shift_end: datetime | None = None
    rest_until: datetime | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    qualifications: Mapping[str, date | None] = field(default_factory=dict)  # code -> last valid day
    sites: frozenset[str] = frozenset()  # empty: every campus
    open_count: int = 0
    max_open: int = 5
    busy_until: datetime | None = None
    busy_minutes: float = 0.0
    current: Work | None = None
    chances: Mapping[str, Chance] = field(default_factory=dict)
    usual_chance: Chance = UNKNOWN_CHANCE
    paces: Mapping[str, float] = field(default_factory=dict)
    usual_pace: float = 1.0

    def chance(self, fault_class: str) -> Chance:
        return self.chances.get(fault_class, self.usual_chance)

    def pace(self, fault_class: str) -> float:
        return self.paces.get(fault_class, self.usual_pace)

    def idle(self, now: datetime) -> bool:
        """Nothing in hand: the only kind of engineer who is given work without interrupting other work."""
        return self.current is None and (self.busy_until is None or self.busy_until <= now)


@dataclass(frozen=True)
class Job:
    """Everything that matching may know about one ticket."""

    id: int
    priority: int
    created: datetime
    classes: tuple[ClassGuess, ...]
    position: Position | None = None
    skill: str = ""
    skill_level: int = 1
    qualifications: frozenset[str] = frozenset()
    rework: bool = False
    repeat: bool = False
    last_engineer: int | None = None
    failed_engineer: int | None = None
    refused: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()  # did not answer in time

    @property
    def confidence(self) -> float:
        return max((guess.probability for guess in self.classes), default=0.0)


def _targets() -> dict[int, float]:
    return {1: 15.0, 2: 60.0, 3: 240.0, 4: 480.0}


def _urgency() -> dict[int, float]:
    return {1: 20.0, 2: 6.0, 3: 1.0, 4: 0.4}


@dataclass(frozen=True)
class Weights:
    """Every number of the cost, as data that a manager edits. Defaults were measured in the simulator."""

    target_minutes: Mapping[int, float] = field(default_factory=_targets)
    urgency: Mapping[int, float] = field(default_factory=_urgency)
    fix: float = 1.5
    rework: float = 1.5
    touch: float = 0.01  # per minute of work and walking
    load: float = 0.01  # per hour more than the others today
    fail_again: float = 0.3
    continuity: float = 0.15
    defer: float = 50.0
    horizon_minutes: float = 30.0
    call_in_minutes: Mapping[str, float] = field(default_factory=lambda: {"on_call": 20.0, "home": 45.0})
    travel: Travel = field(default_factory=Travel)
    accept_minutes: float = 1.0
    travel_sigma: float = 0.35  # log-normal spread of a walk
    busy_sigma: float = 0.5  # and of the rest of the work in hand
    box_ms: float = 200.0
    confident: float = 0.6
    best_least: float = 0.6
    regret_most: float = 0.15
    breach_most: float = 0.5


@dataclass(frozen=True)
class Rejection:
    """Which hard constraint a candidate broke. `params` are plain values for the sentence."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CostTerms:
    """One candidate's cost in points, with the minutes and the probability behind them. Less is better."""

    wait: float
    quality: float
    travel: float
    load: float
    continuity: float
    fail_again: float
    wait_minutes: float  # report to arrival
    travel_minutes: float
    free_minutes: float  # until the work in hand is done
    work_minutes: float
    chance: Chance

    @property
    def total(self) -> float:
        return self.wait + self.quality + self.travel + self.load + self.continuity + self.fail_again


def minutes(span: timedelta) -> float:
    return span / timedelta(minutes=1)


def call_in(engineer: Engineer, weights: Weights) -> float:
    """Minutes until somebody who is not on site starts to walk."""
    return weights.call_in_minutes.get(engineer.presence.value, 0.0)


def travel_minutes(job: Job, engineer: Engineer, weights: Weights) -> float:
    return call_in(engineer, weights) + weights.travel.minutes(engineer.position, job.position)


def work_minutes(job: Job, engineer: Engineer) -> float:
    """Expected hands-on minutes over the class posterior, at this engineer's pace."""
    return sum(guess.probability * guess.minutes * engineer.pace(guess.code) for guess in job.classes)


def chance_for(job: Job, engineer: Engineer) -> Chance:
    """First-fix probability averaged over the class posterior."""
    if not job.classes:
        return engineer.usual_chance
    known = [(guess.probability, engineer.chance(guess.code)) for guess in job.classes]
    return Chance(
        p=sum(share * chance.p for share, chance in known),
        n=sum(share * chance.n for share, chance in known),
        low=sum(share * chance.low for share, chance in known),
        high=sum(share * chance.high for share, chance in known),
    )


def free_minutes(engineer: Engineer, now: datetime) -> float:
    if engineer.busy_until is None:
        return 0.0
    return max(0.0, minutes(engineer.busy_until - now))


# Hard constraints, in the order in which they are told. Each returns the rule that was broken, or None.


def _present(job: Job, engineer: Engineer, at: datetime) -> Rejection | None:
    if engineer.presence == Presence.LEAVE:
        return Rejection("on_leave")
    if engineer.presence not in NEARNESS:
        return Rejection("off_shift")
    if engineer.shift_end is not None and engineer.shift_end <= at:
        return Rejection("off_shift")
    if job.priority > 1 and engineer.rest_until is not None and engineer.rest_until > at:
        return Rejection("resting", {"until": engineer.rest_until.isoformat()})
    return None


def _willing(job: Job, engineer: Engineer, _at: datetime) -> Rejection | None:
    if engineer.id in job.refused:
        return Rejection("refused")
    if engineer.id in job.excluded:
        return Rejection("no_answer")
    return None


def _able(job: Job, engineer: Engineer, at: datetime) -> Rejection | None:
    if job.skill and engineer.skills.get(job.skill, 0) < job.skill_level:
        return Rejection("no_skill", {"skill": job.skill, "level": job.skill_level})
    for code in sorted(job.qualifications):
        if code not in engineer.qualifications:
            return Rejection("no_qualification", {"qualification": code})
        until = engineer.qualifications[code]
        if until is not None and until < at.date():
            return Rejection("qualification_expired", {"qualification": code, "until": until.isoformat()})
    return None


def _reachable(job: Job, engineer: Engineer, _at: datetime) -> Rejection | None:
    if engineer.sites and job.position is not None and job.position.site not in engineer.sites:
        return Rejection("unreachable", {"site": job.position.site})
    return None


def _spare(_job: Job, engineer: Engineer, _at: datetime) -> Rejection | None:
    if engineer.open_count >= engineer.max_open:
        return Rejection("load_limit", {"open": engineer.open_count, "limit": engineer.max_open})
    return None


Constraint = Callable[[Job, Engineer, datetime], Rejection | None]
PERSONAL: tuple[Constraint, ...] = (_present, _willing, _able, _reachable)
ALL: tuple[Constraint, ...] = (*PERSONAL, _spare)


def reject_reason(
    job: Job, engineer: Engineer, at: datetime, weights: Weights | None = None, *, interrupting: bool = False
) -> Rejection | None:
    """The first hard constraint this engineer breaks for this ticket, or None.

    Interrupting work for a P1 swaps what the hands do, so the load limit does not count there.
    """
    for constraint in PERSONAL if interrupting else ALL:
        broken = constraint(job, engineer, at)
        if broken is not None:
            return broken
    return _shift_lasts(job, engineer, at, weights or Weights(), interrupting)


def _shift_lasts(job: Job, engineer: Engineer, at: datetime, weights: Weights, interrupting: bool) -> Rejection | None:
    """Work must fit before the shift ends; a P1 may overrun."""
    if job.priority == 1 or engineer.shift_end is None:
        return None
    wait = 0.0 if interrupting else free_minutes(engineer, at)
    need = wait + travel_minutes(job, engineer, weights) + work_minutes(job, engineer)
    if at + timedelta(minutes=need) > engineer.shift_end:
        return Rejection("shift_ends", {"until": engineer.shift_end.isoformat(), "minutes": round(need)})
    return None


def delay_cost(priority: int, waited: float, weights: Weights) -> float:
    """W (x^2 + max(0, x - 1)), x = minutes waited / target."""
    x = waited / weights.target_minutes[priority]
    return weights.urgency[priority] * (x * x + max(0.0, x - 1))


def defer_cost(job: Job, now: datetime, weights: Weights) -> float:
    """What leaving the ticket for later costs: its delay cost at the horizon, plus a constant."""
    waited = minutes(now - job.created) + weights.horizon_minutes
    return delay_cost(job.priority, waited, weights) + weights.defer


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
    plain = {key: round(value, 4) for key, value in asdict(terms).items() if key != "chance"}
    chance = {"p": round(terms.chance.p, 4), "n": round(terms.chance.n, 1)}
    interval = {"low": round(terms.chance.low, 4), "high": round(terms.chance.high, 4)}
    return {**plain, "chance": chance | interval, "total": round(terms.total, 4)}
