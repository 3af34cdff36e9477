"""Reads of the story: which step may still be taken back, which free ticket may be taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from assets.places.models import User
from tickets.lifecycle.rules import UNDO_WITHIN
from tickets.record.models import LastStep, Ticket

# Whoever knows the engineers (dispatch) adds a reader here: (engineer, free tickets, now) -> ticket: what stands against.
TAKING_REASONS: list[Callable[[User, Sequence[int], datetime], dict[int, str]]] = []


def reasons_against(tickets: Sequence[Ticket], *, by: User, at: datetime) -> dict[int, str]:
    """Of these free tickets those that `by` would be refused now, each with the reason in words."""
    keys = [ticket.pk for ticket in tickets]
    found: dict[int, str] = {}
    for reader in TAKING_REASONS if keys else ():
        found |= reader(by, keys, at)
    return found


def undoable(ticket: Ticket, *, by: User, at: datetime) -> LastStep | None:
    """The step that `by` may take back at this moment, if any. No query where the ticket was read with its last step."""
    step: LastStep | None = getattr(ticket, "last_step", None)
    if step is None or (step.by_id, step.version) != (by.person_id, ticket.version):
        return None
    return step if timedelta(0) <= at - step.at <= UNDO_WITHIN else None
