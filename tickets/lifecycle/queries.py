"""Reads of the story: which step may still be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from assets.places.models import User
from tickets.lifecycle.rules import UNDO_WITHIN
from tickets.record.models import LastStep, Ticket


def undoable(ticket: Ticket, *, by: User, at: datetime) -> LastStep | None:
    """The step that `by` may take back at this moment, if any."""
    step = LastStep.objects.filter(ticket=ticket, by=by.person_id, version=ticket.version).first()
    return step if step and timedelta(0) <= at - step.at <= UNDO_WITHIN else None
