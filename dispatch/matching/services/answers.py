"""What people and deadlines answer: no acceptance in time, refusals, confirmed suggestions, taking an open ticket."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import User
from config.kernel import timers
from config.kernel.errors import NotAllowedNow
from config.kernel.events import publish
from config.kernel.jobs import enqueue
from config.kernel.models import EventRecord
from dispatch import events
from dispatch.matching import queries
from dispatch.matching.models import Decision, Exclusion, Weights
from dispatch.matching.services.dispatching import JOB, acceptance_key, lock_weights
from tickets.lifecycle import services as lifecycle
from tickets.record import services as record
from tickets.record.models import State, Ticket
from tickets.record.queries import envelope

UNBEGUN = (State.ASSIGNED, State.ACCEPTED)


def look_again() -> None:
    """A round will run soon, in the worker."""
    enqueue(JOB)


def retry(*, at: datetime) -> None:
    """The retry timer fired."""
    look_again()


@transaction.atomic
def not_accepted(ticket_pk: int, user_pk: int, *, at: datetime) -> None:
    """The acceptance time ran out: this engineer is out for a while and the ticket is free again.

    `AcceptanceTimedOut`. Nothing happens when it was accepted or given to somebody else meanwhile.
    """
    ticket = Ticket.objects.filter(pk=ticket_pk, assignee_id=user_pk, state=State.ASSIGNED).first()
    if ticket is None:
        return
    user = User.objects.select_related("person").get(pk=user_pk)
    _exclude(ticket, user, Exclusion.Reason.TIMED_OUT, at)
    free = lifecycle.unassign(ticket, by=None, at=at, reason="timed_out", holder=user)
    publish(events.AcceptanceTimedOut(**envelope(free), at=at, engineer=user.person.public_id))


def stop_waiting(ticket: Ticket) -> None:
    """Accepted, cancelled or taken away: no acceptance is due, no suggestion open any more."""
    timers.cancel_timer(acceptance_key(ticket.pk))
    Decision.objects.filter(ticket=ticket, open=True).update(open=False)


def wait_again(ticket: Ticket, *, at: datetime) -> None:
    """An acceptance was taken back: it is due when it was due before, if the machine had given the ticket out."""
    given = (
        EventRecord.objects.filter(subject=f"ticket:{ticket.public_id}", type="TicketAssigned").order_by("-id").first()
    )
    if given is None or not given.data.get("automatic") or ticket.assigned_at is None:
        return
    active = queries.active_weights()  # not locked: a round holds it and wants this ticket
    due = queries.accept_due(ticket, queries.settings_of(active).manner, since=ticket.assigned_at)
    timers.set_timer(
        acceptance_key(ticket.pk),
        max(due, at),
        "dispatch.matching.services.not_accepted",
        ticket.pk,
        ticket.assignee_id,
    )


def keep_out(ticket: Ticket, person_id: str, reason: str, *, at: datetime) -> None:
    """Afterwards matching does not offer this ticket to the person who held it. `reason` as in TicketUnassigned."""
    user = User.objects.filter(person__public_id=person_id).first()
    if user is not None and reason in (Exclusion.Reason.REFUSED, Exclusion.Reason.BY_HAND):
        _exclude(ticket, user, reason, at)


def _exclude(ticket: Ticket, user: User, reason: str, at: datetime) -> None:
    Exclusion.objects.update_or_create(ticket=ticket, user=user, defaults={"reason": reason, "at": at})


@transaction.atomic
def confirm(decision: Decision, *, by: User, at: datetime) -> Ticket:
    """The suggested engineer has the ticket. Of two dispatchers one wins; the other gets NotAllowedNow."""
    ticket = record.lock(decision.ticket)  # first, as giving it out by hand does, which then ends the suggestion
    claimed = Decision.objects.filter(pk=decision.pk, open=True).update(
        open=False, outcome=Decision.Outcome.ASSIGNED, needs_review=False
    )
    if not claimed:
        raise NotAllowedNow(_("这条建议已经处理过了。看最新。"))
    fresh = Decision.objects.select_related("chosen__person").get(pk=decision.pk)
    if fresh.chosen is None:
        raise NotAllowedNow(_("建议的人已不在名单里。看最新。"))
    return lifecycle.assign(ticket, to=fresh.chosen, by=by, at=at)


@transaction.atomic
def keep_weights(version: Weights) -> None:
    """A new or changed version is stored; in use, it takes the place of the one before. No round runs meanwhile."""
    last = lock_weights()
    if version._state.adding:
        version.version = Weights.objects.order_by("-version").values_list("version", flat=True)[0] + 1
    if version.active and last.pk != version.pk:
        last.active = False
        last.save(update_fields=["active"])
    version.save()


def mark_reviewed(decision: Decision) -> bool:
    """A human looked at it and let it stand."""
    return bool(Decision.objects.filter(pk=decision.pk, needs_review=True).update(needs_review=False))


@transaction.atomic
def note_by_hand(ticket: Ticket, person_id: str, *, at: datetime) -> None:
    """Somebody at the desk gave the ticket out: open suggestions end, and a different choice is kept as a label."""
    stop_waiting(ticket)
    last = queries.latest(ticket)
    user = User.objects.filter(person__public_id=person_id).first()
    if last is None or user is None or last.chosen_id in (None, user.pk):
        return
    Decision.objects.create(
        ticket=ticket,
        at=at,
        outcome=Decision.Outcome.OVERRIDDEN,
        chosen=user,
        mode="by_hand",
        weights_version=last.weights_version,
        input_hash=last.input_hash,
        explanation=last.explanation,
    )


@transaction.atomic
def grab(ticket: Ticket, *, by: User, at: datetime) -> Ticket:
    """抢单: the first engineer who may do it has it, already accepted. Refuses with the rule that stands against it."""
    return lifecycle.accept(ticket, by=by, at=at)


def check_may_take(ticket: Ticket, by: User, at: datetime) -> None:
    """Every door that takes a free ticket asks this: the same hard constraints as a round."""
    # The weights are not locked: a round holds them and wants this ticket, which the caller holds. The price: what a round
    # gives to this person in the same moment is not counted, so for once he may have one more than `max_open`.
    situation = queries.load(at, queries.active_weights(), only=[ticket.pk])
    if not situation.jobs:
        raise NotAllowedNow(_("这张单已经有人接了。看最新。"))
    reason = queries.reasons_against(situation, by).get(ticket.pk)
    if reason is not None:
        raise NotAllowedNow(_("不能接这张单：%(reason)s。要你来做就请调度派给你。") % {"reason": reason})


@transaction.atomic
def free_tickets_of(person_id: str, *, at: datetime, until: datetime) -> int:
    """Somebody fell ill: what they have not begun goes back to the pool; begun work is the lead's to hand over.

    Returns how many were freed. Nothing happens for an absence that has not started or is over.
    """
    if until <= at:
        return 0
    user = User.objects.filter(person__public_id=person_id).first()
    held = Ticket.objects.filter(assignee=user, state__in=UNBEGUN) if user else Ticket.objects.none()
    freed = 0
    for ticket in held.order_by("pk"):
        current = record.lock(ticket)
        if current.assignee_id != ticket.assignee_id or current.state not in UNBEGUN:
            continue  # begun or given to another while this waited for it
        lifecycle.unassign(ticket, by=None, at=at, reason="by_hand", holder=user)
        freed += 1
    return freed
