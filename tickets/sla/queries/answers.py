"""Tickets as the API answers them, read as flat rows: no model objects, as few joins as the answer needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from assets.places.models import User
from assets.policies import is_house_staff
from config.kernel.errors import Missing
from tickets.policies import speaks_for_ward, visible_tickets
from tickets.record.models import Ticket
from tickets.sla.models import Clock, Metric

Row = dict[str, Any]
_OWN = (
    "id", "public_id", "number", "state", "priority", "in_use", "danger", "description", "impact", "criticality",
    "priority_reasons", "eta_at", "reported_at", "tracking_token", "needs_callback", "version",
    "repeat_of_id", "duplicate_of_id", "parent_id",
)  # fmt: skip
_NEAR = {
    "device": ("public_id", "name", "name_en", "model"),
    "department": ("code", "name", "name_en"),
    "location": ("name", "path_zh", "path_en"),
    "preset": ("code", "name", "name_en"),
    "assignee": ("username", "display_name", "display_name_en", "role"),
}
_COLUMNS = (*_OWN, *(f"{table}__{column}" for table, columns in _NEAR.items() for column in columns))
_STOPS = Metric.values
# Other tickets are named by few; asking for them apart keeps three self-joins out of every page.
_RELATED = {"repeat_of": "repeat_of_id", "duplicate_of": "duplicate_of_id", "parent": "parent_id"}


class _Reader(NamedTuple):
    """For whom it is said, the same for every row of an answer."""

    english: bool
    zone: tzinfo
    address: str
    staff: bool
    ward: bool  # may speak for it


def _reader(user: Any) -> _Reader:
    english = (get_language() or "").startswith("en")
    address = f"{settings.PUBLIC_BASE_URL}/t/"
    staff, ward = is_house_staff(user), speaks_for_ward(user)
    return _Reader(english, timezone.get_current_timezone(), address, staff, ward)


@cache
def _flat() -> QuerySet[Ticket, Row]:
    """Built once: finding the joins of 35 columns costs as much as a query. Never read itself, only narrowed."""
    return Ticket.objects.values(*_COLUMNS)


def rows_for(user: Any) -> QuerySet[Ticket, Row]:
    """The tickets this account may see, as flat rows; `answers` makes of them what the API says."""
    return visible_tickets(user, _flat().all())


def answer_for(user: Any, public_id: str) -> Row:
    """One ticket as the API answers it; somebody else's is not there (Missing)."""
    row = rows_for(user).filter(public_id=public_id).first()
    if row is None:
        raise Missing(_("没有这一条，或者你看不到它。"))
    return answers([row], user)[0]


def answers(rows: Sequence[Row], user: Any) -> list[Row]:
    """What the API says to this account about these rows: one query for their clocks, one more only where other tickets are named."""
    dues = _dues([row["id"] for row in rows])
    names = _public_ids(row[column] for row in rows for column in _RELATED.values())
    reader = _reader(user)
    return [_answer(row, dues[row["id"]], names, reader) for row in rows]


def answer_of(ticket: Ticket, user: Any) -> Row:
    """The same about a ticket that was just opened and has all this in hand: no query."""
    row = {name: getattr(ticket, name) for name in _OWN}
    for table, columns in _NEAR.items():
        near = getattr(ticket, table)
        row |= {f"{table}__{column}": getattr(near, column) if near else None for column in columns}
    others = {other.pk: other.public_id for other in (ticket.repeat_of, ticket.duplicate_of, ticket.parent) if other}
    return _answer(row, ticket.first_dues or {}, others, _reader(user))


def _dues(tickets: Sequence[int]) -> dict[int, dict[str, datetime]]:
    found: dict[int, dict[str, datetime]] = defaultdict(dict)
    if tickets:
        clocks = Clock.objects.filter(ticket_id__in=tickets).order_by()
        for ticket, metric, due in clocks.values_list("ticket_id", "metric", "due_at"):
            found[ticket][metric] = due
    return found


def _public_ids(keys: Iterable[int | None]) -> dict[int, str]:
    wanted = {key for key in keys if key}
    return dict(Ticket.objects.filter(pk__in=wanted).values_list("pk", "public_id")) if wanted else {}


def _answer(row: Row, dues: dict[str, datetime], others: dict[int, str], reader: _Reader) -> Row:
    english, zone, address, staff, ward = reader
    symptom = _named(row, "preset", english)
    return {
        "id": row["public_id"],
        "number": row["number"],
        "state": str(row["state"]),
        "priority": row["priority"],
        "device": row["device__public_id"],
        "device_name": _device_name(row, english),
        "department": row["department__code"],
        "location": _path(row, english),
        "symptom": row["preset__code"] or "",
        "symptom_name": symptom.replace("\n", " " if symptom.isascii() else ""),
        "in_use": row["in_use"],
        "danger": row["danger"],
        "description": row["description"],
        "impact": str(row["impact"]),
        "criticality": str(row["criticality"]),
        "priority_reasons": row["priority_reasons"],
        "assignee": row["assignee__username"] if staff else None,
        "assignee_name": _short_name(row, english),
        "eta": _local(row["eta_at"], zone),
        "reported_at": _local(row["reported_at"], zone),
        "due": _local(dues.get("fix") or max(dues.values(), default=None), zone),
        "targets": {metric: dues[metric].astimezone(zone) for metric in _STOPS if metric in dues},
        "tracking_url": f"{address}{row['tracking_token']}/" if ward else None,
        **{name: others.get(row[column]) for name, column in _RELATED.items()},
        "needs_callback": row["needs_callback"],
        "version": row["version"],
    }


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


def _local(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return moment.astimezone(zone) if moment else None
