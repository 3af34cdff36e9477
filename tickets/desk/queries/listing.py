"""The list: named filters out of the address, search, pages by position. No count, no offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, QuerySet
from django.http import QueryDict
from django.utils import timezone

from assets.places.models import Department, User
from assets.register.models import DeviceGroup
from config.kernel.moments import is_sane
from tickets.policies import visible_tickets
from tickets.record.models import State, Ticket
from tickets.record.queries import search
from tickets.sla.models import Clock

PAGE = 50
LISTS = {"state": State.values, "priority": ["1", "2", "3", "4"]}
CODES = ("department", "engineer", "group")
DAYS = ("from", "to")
FLAGS = ("open", "overdue", "repeat", "mine")
FILTERS = (*LISTS, *CODES, *DAYS, *FLAGS, "q")
LONGEST = 100


def read_filters(given: QueryDict | Mapping[str, Any]) -> dict[str, Any]:
    """Known filters with acceptable values, whatever the address says."""
    found: dict[str, Any] = {}
    for name, known in LISTS.items():
        asked = given.getlist(name) if isinstance(given, QueryDict) else given.get(name, [])
        if values := [value for value in known if value in asked]:
            found[name] = values
    for name in (*CODES, "q"):
        if value := str(given.get(name, "")).strip()[:LONGEST]:
            found[name] = value
    for name in DAYS:
        if day := _day(str(given.get(name, ""))):
            found[name] = day.isoformat()
    for name in FLAGS:
        if str(given.get(name, "")) in ("1", "True"):
            found[name] = "1"
    return found


def unread_filters(given: QueryDict, found: Mapping[str, Any]) -> set[str]:
    """Names in the address that filter nothing: unknown, or with a value that cannot be read."""
    return {name for name in given if str(given[name]).strip() and name not in found} - {"after", "before", "lang"}


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if is_sane(day) else None


def address(given: Mapping[str, Any], **more: Any) -> str:
    """The query string of some filters."""
    return urlencode({**given, **more}, doseq=True)


def filtered(user: Any, given: Mapping[str, Any], now: datetime) -> QuerySet[Ticket]:
    """Rows this person may see that match every filter, newest first."""
    rows = search(visible_tickets(user, Ticket.objects.for_board()), given.get("q", ""))
    plain = {
        "state__in": given.get("state"),
        "priority__in": given.get("priority"),
        "department__code": given.get("department"),
        "assignee__username": given.get("engineer"),
        "device__type__group__code": given.get("group"),
    }
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    if given.get("from"):
        rows = rows.filter(reported_at__gte=_midnight(given["from"]))
    if given.get("to"):
        rows = rows.filter(reported_at__lt=_midnight(given["to"]) + timedelta(days=1))
    if given.get("open"):
        rows = rows.filter(ended_at__isnull=True)
    if given.get("mine"):
        rows = rows.filter(assignee=user)
    if given.get("repeat"):
        rows = rows.filter(repeat_of__isnull=False)
    if given.get("overdue"):
        running = Clock.objects.filter(
            ticket=OuterRef("pk"), met_at__isnull=True, stopped_at__isnull=True, paused=False
        )
        rows = rows.filter(Exists(running.filter(due_at__lt=now)), ended_at__isnull=True)
    return rows.order_by("-id")


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), timezone.get_current_timezone())


@dataclass(frozen=True)
class Page:
    """One screen of the list; `newer` and `older` are positions, None at the ends."""

    tickets: list[Ticket]
    newer: int | None
    older: int | None


def page(rows: QuerySet[Ticket], *, after: int | None = None, before: int | None = None, size: int = PAGE) -> Page:
    """The `size` rows older than `after`, or newer than `before`: rows that come in between move nothing."""
    if before is not None:
        found = list(rows.filter(id__gt=before).order_by("id")[: size + 1])
        more, found = len(found) > size, found[:size][::-1]
        return Page(found, found[0].pk if more and found else None, found[-1].pk if found else None)
    found = list((rows.filter(id__lt=after) if after else rows)[: size + 1])
    more, found = len(found) > size, found[:size]
    return Page(found, found[0].pk if after and found else None, found[-1].pk if more else None)


def choices() -> dict[str, Any]:
    """What the filter form offers. Three queries."""
    return {
        "departments": list(Department.objects.order_by("code")),
        "engineers": list(User.objects.filter(role=User.Role.ENGINEER).order_by("username")),
        "groups": list(DeviceGroup.objects.order_by("code")),
        "states": State.choices,
    }
