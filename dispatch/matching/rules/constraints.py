"""Minutes of a pair, and the hard constraints: the first rule broken is told by name, and only ever one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from dispatch.engineers.rules import Chance
from dispatch.matching.rules.facts import Engineer, Job, Rejection
from dispatch.matching.rules.weights import Weights
from dispatch.roster.rules import NEARNESS, Presence


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
