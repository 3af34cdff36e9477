"""Reads of the story: which step may still be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from assets.places.models import User
from tickets.lifecycle.rules import UNDO_WITHIN
from tickets.record.models import LastStep, Ticket


def undoable(ticket: Ticket, *, by: User, at: datetime) -> LastStep | None:
    """The step that `by` may take back at this moment, if any. No query where the ticket was read with its last step."""
    step: LastStep | None = getattr(ticket, "last_step", None)
    if step is None or (step.by_id, step.version) != (by.person_id, ticket.version):
        return None
    return step if timedelta(0) <= at - step.at <= UNDO_WITHIN else None
