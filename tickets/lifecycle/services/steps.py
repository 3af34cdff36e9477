"""What every step shares: moving along an edge, ending a pause, closing time entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from assets.places.models import Person, User
from assets.register import services as devices
from config.kernel import timers
from config.kernel.errors import NotAllowedNow
from tickets.lifecycle import rules
from tickets.record.models import Ticket
from tickets.record.services import person_of
from tickets.sla import services as sla

Actor = User | Person | None


def advance(ticket: Ticket, edge: Callable[[], None], verb: str, **changes: Any) -> None:
    """Move `ticket` (locked) along one edge and save; a refusal says what the ticket is now."""
    try:
        edge()
    except TransitionNotAllowed as error:
        who = f"（{ticket.assignee.short_name}）" if ticket.assignee else ""
        raise NotAllowedNow(
            _("这张单现在是“%(state)s”%(who)s，不能%(verb)s。看最新。")
            % {"state": ticket.get_state_display(), "who": who, "verb": verb}
        ) from error
    for name, value in changes.items():
        setattr(ticket, name, value)
    ticket.version += 1
    ticket.save()


def end_pause(ticket: Ticket, *, by: Actor, at: datetime, automatic: bool) -> None:
    timers.cancel_timer(resume_key(ticket))
    sla.resume(ticket, by=person_of(by), at=at, automatic=automatic)


def close_time_entries(ticket: Ticket, at: datetime) -> None:
    ticket.time_entries.filter(ended_at__isnull=True).update(ended_at=at)


def resume_key(ticket: Ticket) -> str:
    return f"resume:{ticket.pk}"


def stop_if_dangerous(ticket: Ticket, *, by: Actor, at: datetime) -> None:
    """Domain 1.2: a danger on a P1 or P2 fault puts the device out of use at once."""
    if ticket.device and rules.takes_out_of_use(priority=ticket.priority, danger=ticket.danger):
        devices.put_out_of_use(ticket.device, reason=ticket.fault_label or ticket.number, by=by, at=at)
