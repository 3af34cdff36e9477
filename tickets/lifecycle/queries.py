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


# What model properties say about objects, said about rows; a test holds the two together.


def _named(row: Row, table: str, english: bool) -> str:
    return (english and row[f"{table}__name_en"]) or row[f"{table}__name"] or ""


def _device_name(row: Row, english: bool) -> str:
    if row["device__public_id"] is None:
        return _named(row, "department", english)
    return f"{_named(row, 'device', english)} {row['device__model']}".strip()


def _path(row: Row, english: bool) -> str:
    return (english and row["location__path_en"]) or row["location__path_zh"] or row["location__name"] or ""


def _short_name(row: Row, english: bool) -> str | None:
    if row["assignee__username"] is None:
        return None
    if english and row["assignee__display_name_en"]:
        return str(row["assignee__display_name_en"].split()[-1])
    name = row["assignee__display_name"] or row["assignee__username"]
    return f"{name[:1]}工" if row["assignee__role"] == User.Role.ENGINEER else str(name)


def _local(moment: datetime | None) -> datetime | None:
    return timezone.localtime(moment) if moment else None
