"""Steps that time takes: called by the clock's timers with the ticket's key and the moment."""

from __future__ import annotations

from datetime import datetime

from config.kernel.events import publish
from tickets import events
from tickets.lifecycle import services as lifecycle
from tickets.record.models import State, Ticket
from tickets.record.queries import envelope


def resume_when_due(ticket_pk: int, *, at: datetime) -> None:
    """A wait that came to its stated end: work goes on by itself. Nothing to do when it already went on."""
    ticket = Ticket.objects.filter(pk=ticket_pk, state=State.PAUSED).first()
    if ticket:
        lifecycle.resume(ticket, by=None, at=at, automatic=True)


def close_when_silent(ticket_pk: int, *, at: datetime) -> None:
    """48 h without a word from the ward (P3 and P4, never life support)."""
    ticket = Ticket.objects.filter(pk=ticket_pk, state=State.VERIFYING).first()
    if ticket:
        lifecycle.close(ticket, by=None, at=at, automatic=True)


def remind_ward(ticket_pk: int, *, at: datetime) -> None:
    """One reminder a day after the repair; the request is announced again and messages follow it."""
    ticket = Ticket.objects.select_related("device", "department").filter(pk=ticket_pk, state=State.VERIFYING).first()
    if ticket:
        publish(events.VerificationRequested(**envelope(ticket), at=at))
