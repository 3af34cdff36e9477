"""What happens when a clock reaches a step: warned, breached, escalated. Called by the clock process with the moment."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, OperationalError, transaction

from config.kernel.errors import DomainError
from config.kernel.events import Event, publish
from tickets import events
from tickets.record.queries import envelope
from tickets.sla import rules
from tickets.sla.models import Alert, Clock, Rebase
from tickets.sla.queries import pauses_of, rulebook
from tickets.sla.services.clocks import steps_of

logger = logging.getLogger(__name__)
RETRY = timedelta(minutes=1)
# What counting can die of. One of them must not stop the clocks behind it.
_FAILURES = (
    DomainError, DatabaseError, LookupError, ObjectDoesNotExist, ValueError, TypeError, AttributeError, ArithmeticError,
)  # fmt: skip


def fire_due(now: datetime, *, limit: int = 500) -> int:
    """Fire every step due by `now`, oldest first, each once, however many clock processes run. Returns how many fired.

    Each clock is its own transaction. After a time without a clock process every step it missed fires once, in order.
    `SlaWarned`, `SlaBreached`, `EscalationRaised`. A clock that cannot be counted is logged and tried again in a minute.
    """
    due = Clock.objects.filter(next_at__lte=now).order_by("next_at").values_list("pk", "next_at")[:limit]
    fired = 0
    for pk, next_at in list(due):
        try:
            fired += _fire(pk, next_at, now)
        except OperationalError:  # a lock or the connection, not this clock: the next turn takes it up as it is
            logger.warning("clock %s waits for the database", pk)
        except _FAILURES:
            logger.exception("clock %s could not fire", pk)
            Clock.objects.filter(pk=pk, next_at=next_at).update(next_at=now + RETRY)
    return fired


@transaction.atomic
def _fire(pk: int, next_at: datetime | None, now: datetime) -> int:
    """The guarded UPDATE gives the clock to one process; a pause, a re-basing or the met time meanwhile takes it away."""
    if not Clock.objects.filter(pk=pk, next_at=next_at).update(next_at=None):
        return 0
    clock = Clock.objects.select_related("ticket__device", "ticket__department").get(pk=pk)
    if not clock.running or clock.paused:
        return 0
    ticket = clock.ticket
    spans = rules.settled([(p.started_at, p.ended_at) for p in pauses_of(ticket)], now) if clock.pausable else []
    known = set(Alert.objects.filter(clock=clock).values_list("step", flat=True))
    open_steps = [
        step for step in steps_of(clock, spans, Rebase.objects.filter(ticket=ticket).count()) if step.key not in known
    ]
    due = [step for step in open_steps if step.at <= now]
    Alert.objects.bulk_create(
        Alert(clock=clock, step=step.key, rung_id=int(step.rung_id) if step.rung_id else None, due_at=step.at, at=now)
        for step in due
    )
    _note(clock, due)
    clock.next_at = next((step.at for step in open_steps if step.at > now), None)
    clock.save(update_fields=["next_at", "warned_at", "breached_at"])
    if facts := _facts(clock, due, now):
        publish(*facts)
    return len(due)


def _note(clock: Clock, steps: Sequence[rules.Step]) -> None:
    for step in steps:
        if step.kind == "warning":
            clock.warned_at = step.at
        elif step.kind == "breach":
            clock.breached_at = step.at


def _facts(clock: Clock, steps: Sequence[rules.Step], now: datetime) -> list[Event]:
    """One fact a step, in the order of the steps. A rung that was switched off meanwhile tells nobody."""
    common = {**envelope(clock.ticket), "at": now, "metric": clock.metric, "due": clock.due_at}
    facts: list[Event] = []
    for step in steps:
        if step.kind == "warning":
            facts.append(events.SlaWarned(**common))
        elif step.kind == "breach":
            facts.append(events.SlaBreached(**common))
        elif rung := rulebook().rung(clock.priority, clock.metric, int(step.rung_id)):
            facts.append(events.EscalationRaised(**common, tell=rung.tell, urgent=rung.urgent, rung=rung.pk))
    return facts
