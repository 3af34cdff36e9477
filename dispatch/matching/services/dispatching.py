"""One round: match everything that waits, carry it out ticket by ticket, keep the reasons."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django_fsm import ConcurrentTransition

from assets.places.models import User
from config.kernel import timers
from config.kernel.errors import Conflict, DomainError
from config.kernel.events import publish
from config.kernel.jobs import drop, enqueue, twins
from config.kernel.turns import Held, patience
from dispatch import events
from dispatch.matching import queries, rules
from dispatch.matching.estimators import Outcome, Pair, explanation, match
from dispatch.matching.estimators.batch import Solver
from dispatch.matching.models import Decision, Mode, Weights
from dispatch.matching.queries import Situation
from tickets.lifecycle import services as lifecycle
from tickets.record.models import HoldReason, State, Ticket
from tickets.record.queries import envelope
from tickets.record.services import lock

logger = logging.getLogger(__name__)
JOB = "dispatch.matching.jobs.dispatch"
RETRY = "dispatch:retry"
AGAIN = "dispatch:again"
PATIENCE = 300  # milliseconds; most rounds are shorter, those of a flood take seconds
SOON = timedelta(seconds=1)
CALLED_AWAY = "called_away"
NEARLY_FREE = timedelta(minutes=1)
MOST_NOTES = 50  # in one round: about two seconds
NEWS_FOR = timedelta(hours=1)


def dispatch(
    *, at: datetime, solver: Solver | None = None, only: Ticket | None = None, stands_in_line: bool = True
) -> Outcome | None:
    """Waiting tickets that somebody idle may take are assigned, suggested, or left open to take; each has a Decision.
    `only` one of them where it is asked for.

    One round runs at a time (lock on the active weights). Who does not stand in line (a worker, which others need too)
    is asked again by a timer when another round is not over soon. A ticket that changed meanwhile is left to the next
    round.
    `NobodyAvailable`, `SuggestionMade`, `WorkInterrupted`, `ReviewWanted`, `MatchingDegraded`.
    """
    # Each event of a busy minute asked for a round of its own; this one answers for all. They leave the queue with its
    # work: a worker killed before that leaves them to the next one.
    answered = twins(JOB) if only is None else []
    if not queries.anything_waiting():
        drop(answered)
        return None  # asked before the transaction: most rounds end here and must hold no lock
    try:
        with transaction.atomic():
            active = lock_weights() if stands_in_line else _lock_weights_soon()
            outcome = _round(at, active, solver, only)
            drop(answered)
    except Held:
        with transaction.atomic():
            timers.set_timer(AGAIN, at + SOON, "dispatch.matching.services.retry")
            drop(answered)
        return None
    return outcome


def _lock_weights_soon() -> Weights:
    with patience(PATIENCE):
        return lock_weights()


def _round(at: datetime, active: Weights, solver: Solver | None, only: Ticket | None) -> Outcome:
    situation = queries.load(at, active, only=[only.pk] if only else None)
    jobs = [job for job in situation.jobs if not _open_to_take(situation, job)]
    outcome = match(
        jobs,
        situation.engineers,
        situation.at,
        situation.settings.weights,
        solver=solver,
        elapsed_ms=lambda: time.perf_counter() * 1000,
    )
    for pair in outcome.pairs:
        _carry_out(situation, outcome, pair)
    new = _say_who_waits(situation, outcome)
    if new == MOST_NOTES or (new and situation.left_out):
        enqueue(JOB)
    _set_retry(situation, outcome)
    return outcome


def _say_who_waits(situation: Situation, outcome: Outcome) -> int:
    """A decision for each that could not be given out, the most urgent first; at most MOST_NOTES, so that a flood of
    reports cannot make a round longer than a job may take. How many were new."""
    # Everybody is on P1 work, or nobody was free when somebody should have answered: a human must know now.
    weights = situation.settings.weights
    waiting = [
        (one.job, one.job.priority > 1 and situation.at < rules.answer_due(one.job, weights))
        for one in outcome.deferred
    ]
    waiting += [(job, False) for job in outcome.unassigned]
    new = 0
    for job, can_wait in sorted(waiting, key=lambda pair: pair[0].priority):
        if can_wait:
            new += _note(situation, outcome, job, Decision.Outcome.DEFERRED)
        else:
            new += _nobody(situation, outcome, job)
        if new == MOST_NOTES:
            break
    return new


def lock_weights() -> Weights:
    """The active version, held until the transaction ends: rounds wait for each other here."""
    active = Weights.objects.select_for_update().filter(active=True).first()
    if active is not None:
        return active
    try:
        with transaction.atomic():
            last = Weights.objects.order_by("-version").first()
            return Weights.objects.create(version=last.version + 1 if last else 1, active=True)
    except IntegrityError:  # a rival round made the first version
        return Weights.objects.select_for_update().get(active=True)


def _open_to_take(situation: Situation, job: rules.Job) -> bool:
    """抢单 departments: engineers may take it first; after a while it is given out."""
    ticket = situation.tickets[job.id]
    if situation.mode(ticket) != Mode.GRAB:
        return False
    return rules.minutes(situation.at - job.created) < situation.settings.manner.open_to_take[job.priority]


def _carry_out(situation: Situation, outcome: Outcome, pair: Pair) -> None:
    """Assign or suggest one pair. The ticket may have changed since it was read: then nothing happens to it."""
    ticket, user = situation.tickets[pair.job.id], situation.users[pair.engineer.id]
    if situation.mode(ticket) == Mode.SUGGEST:
        _suggest(situation, outcome, pair, user)
        return
    with _unless_changed(ticket):
        if pair.interrupts is not None:
            _interrupt(situation, pair, user)
        _assign(situation, outcome, pair, user)


@contextmanager
def _unless_changed(ticket: Ticket) -> Iterator[None]:
    """What is done inside, or nothing of it where the ticket is no longer as the round read it; its lock ends then too."""
    try:
        with transaction.atomic():
            yield
    except (DomainError, ConcurrentTransition, Ticket.DoesNotExist) as error:
        logger.info("ticket %s changed while it was matched: %s", ticket.number, error)
        if isinstance(error, Conflict):  # it may still wait, with nothing said about it: not until the retry
            enqueue(JOB)


def _assign(situation: Situation, outcome: Outcome, pair: Pair, user: User) -> None:
    at = situation.at
    eta = at + timedelta(minutes=round(pair.eta_q50))
    ticket = lifecycle.assign(
        situation.tickets[pair.job.id],
        to=user,
        by=None,
        at=at,
        automatic=True,
        eta=eta,
        version=situation.tickets[pair.job.id].version,
    )
    _close_suggestions(ticket)
    _store(situation, outcome, pair.job, Decision.Outcome.ASSIGNED, user=user, review=bool(pair.review))
    _ask_in_time(ticket, user, situation, at)
    to = user.person.public_id
    if pair.review:
        publish(events.ReviewWanted(**envelope(ticket), at=at, to=to, reasons=pair.review))
    if outcome.failure:
        publish(events.MatchingDegraded(**envelope(ticket), at=at, mode=outcome.mode, failure=outcome.failure[:60]))


def _ask_in_time(ticket: Ticket, user: User, situation: Situation, at: datetime) -> None:
    due = queries.accept_due(ticket, situation.settings.manner, since=at)
    timers.set_timer(acceptance_key(ticket.pk), due, "dispatch.matching.services.not_accepted", ticket.pk, user.pk)


def acceptance_key(ticket: int) -> str:
    return f"accept:{ticket}"


def _interrupt(situation: Situation, pair: Pair, user: User) -> None:
    """Put down the work in hand: begun work is paused and goes on by itself, the rest goes back to the pool."""
    assert pair.interrupts is not None
    at, for_ticket = situation.at, situation.tickets[pair.job.id].public_id
    mine = [ticket for ticket in situation.in_hand.values() if ticket.assignee_id == user.pk]
    for held in sorted(mine, key=lambda ticket: ticket.pk):  # his leave locks them in this order too (decision 32)
        if held.state == State.PAUSED or held.priority == 1:
            continue
        if held.state == State.WORKING:
            until = at + timedelta(minutes=round(pair.terms.travel_minutes + pair.terms.work_minutes))
            left = lifecycle.pause(held, reason=_called_away(), by=None, at=at, until=until)
            how = "paused"
        else:
            left = lifecycle.unassign(held, by=None, at=at, reason="preempted", holder=user)
            how = "given_back"
        publish(
            events.WorkInterrupted(
                **envelope(left), at=at, engineer=user.person.public_id, for_ticket=for_ticket, how=how
            )
        )


def _called_away() -> HoldReason:
    """The clock of the interrupted ticket runs on: that we were needed elsewhere is no excuse to its ward."""
    reason, _ = HoldReason.objects.get_or_create(
        code=CALLED_AWAY,
        defaults={
            "name": "被急单调走",
            "name_en": "Called to an emergency",
            "owner": "调度",
            "stops_clock": False,
            "default_hours": 2,
        },
    )
    return reason


def _suggest(situation: Situation, outcome: Outcome, pair: Pair, user: User) -> None:
    """A dispatcher confirms; the same suggestion is not made twice."""
    ticket, last = situation.tickets[pair.job.id], situation.latest.get(pair.job.id)
    if last and last.open and last.chosen_id == user.pk:
        return
    review = bool(pair.review)
    with _unless_changed(ticket):
        lock(ticket, version=ticket.version)
        _close_suggestions(ticket)
        made = _store(situation, outcome, pair.job, Decision.Outcome.SUGGESTED, user=user, review=review, is_open=True)
        publish(events.SuggestionMade(**envelope(ticket), at=situation.at, to=user.person.public_id, decision=made.pk))


def _close_suggestions(ticket: Ticket) -> int:
    return Decision.objects.filter(ticket=ticket, open=True).update(open=False)


def _nobody(situation: Situation, outcome: Outcome, job: rules.Job) -> bool:
    """Said once per stretch of having nobody, not at every round."""
    ticket = situation.tickets[job.id]
    said_at = situation.said_at.get((job.id, Decision.Outcome.NOBODY))
    if not _note(situation, outcome, job, Decision.Outcome.NOBODY):
        return False
    if said_at and situation.at - said_at < NEWS_FOR and _was_waiting(situation, job):
        return True  # the board shows it again, nobody is told twice
    told = explanation(outcome, job)
    codes = tuple(code for code, _ in Counter(one["code"] for one in told["rejected"]).most_common())
    near = situation.users.get(told["make_safe"] or 0)
    publish(
        events.NobodyAvailable(
            **envelope(ticket), at=situation.at, codes=codes, make_safe=near.person.public_id if near else ""
        )
    )
    return True


def _note(situation: Situation, outcome: Outcome, job: rules.Job, result: str) -> bool:
    """Store a decision that changes nothing for the ticket, unless the last one already said so. That it waits is not
    said twice within an hour: where somebody nearly may go, the outcome comes and goes with every look at the clock.
    That nobody can go always is, because the board shows what was decided last. Nothing is said of a ticket that changed
    since it was read: somebody may have it."""
    last, said_at = situation.latest.get(job.id), situation.said_at.get((job.id, result))
    if last and last.outcome == result:
        return False
    news = result == Decision.Outcome.NOBODY or not _was_waiting(situation, job)
    if not news and said_at and situation.at - said_at < NEWS_FOR:
        return False
    ticket, made = situation.tickets[job.id], None
    with _unless_changed(ticket):
        lock(ticket, version=ticket.version)
        if last and last.open:  # the one who was suggested is busy or gone
            _close_suggestions(ticket)
        made = _store(situation, outcome, job, result, review=result == Decision.Outcome.NOBODY)
    return made is not None


def _was_waiting(situation: Situation, job: rules.Job) -> bool:
    last = situation.latest.get(job.id)
    return last is None or last.outcome in (Decision.Outcome.NOBODY, Decision.Outcome.DEFERRED)


def _store(
    situation: Situation,
    outcome: Outcome,
    job: rules.Job,
    result: str,
    *,
    user: User | None = None,
    review: bool = False,
    is_open: bool = False,
) -> Decision:
    return Decision.objects.create(
        ticket=situation.tickets[job.id],
        at=situation.at,
        outcome=result,
        chosen=user,
        mode=outcome.mode,
        weights_version=situation.version,
        input_hash=outcome.input_hash,
        explanation=explanation(outcome, job),
        needs_review=review,
        open=is_open,
    )


def _set_retry(situation: Situation, outcome: Outcome) -> None:
    """Shifts begin, walks end and silences lapse without an event: look again soon while somebody waits."""
    waiting = [job for job in situation.jobs if job.id not in {pair.job.id for pair in outcome.pairs}]
    if not waiting:
        timers.cancel_timer(RETRY)
        return
    manner = situation.settings.manner
    minutes = manner.retry_p1 if any(job.priority == 1 for job in waiting) else manner.retry
    timers.set_timer(RETRY, situation.at + timedelta(minutes=minutes), "dispatch.matching.services.retry")
