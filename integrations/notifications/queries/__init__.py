"""A person's messages in words: the language is the reader's, the ticket is as it is now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from assets.places.models import User
from assets.policies import is_ward
from config.kernel.models import Timer
from integrations.notifications.models import Delivery, Notification
from integrations.policies import own_notifications
from tickets.record.models import Ticket
from tickets.record.queries import names_of
from tickets.record.rules import short_number
from tickets.sla.models import Metric, Rung

PAGE = 50
MAIL_TIMER = "email:"


@dataclass(frozen=True)
class Shown:
    """One message, ready for a page or a mail."""

    notification: Notification
    title: str
    body: str
    url: str
    ticket: Ticket | None


def own(user: Any) -> QuerySet[Notification]:
    return own_notifications(user, Notification.objects.all()).order_by("-id")


def unread(user: Any) -> QuerySet[Notification]:
    return own(user).filter(read_at__isnull=True)


def left_waiting(*, before: datetime) -> QuerySet[Delivery]:
    """Mails that nothing has happened to since, nor will by a timer; the longest first."""
    timers = Timer.objects.filter(key=Concat(Value(MAIL_TIMER), Cast(OuterRef("pk"), CharField())))
    return Delivery.objects.filter(~Exists(timers), channel="email", state="waiting", at__lt=before).order_by(
        "at", "pk"
    )


def shown(notifications: Iterable[Notification], reader: User) -> list[Shown]:
    """Messages in the active language; two queries however many there are."""
    listed = list(notifications)
    ids = {row.subject.partition(":")[2] for row in listed if row.subject.startswith("ticket:")}
    tickets = {
        ticket.public_id: ticket
        for ticket in Ticket.objects.filter(public_id__in=ids).select_related(
            "device__type", "department", "location", "preset", "assignee"
        )
    }
    callers = names_of(str(row.params["by"]) for row in listed if row.params.get("by"))
    return [_shown(row, tickets.get(row.subject.partition(":")[2]), callers, reader) for row in listed]


def _shown(row: Notification, ticket: Ticket | None, callers: dict[str, str], reader: User) -> Shown:
    words = _words(row, ticket) | {"by": callers.get(str(row.params.get("by", "")), "")}
    said = render_to_string(f"messages/{row.template}.txt", words).strip()
    title, _sep, body = said.partition("\n")
    return Shown(row, title.strip(), " ".join(body.split()), _address(ticket, reader), ticket)


def _words(row: Notification, ticket: Ticket | None) -> dict[str, Any]:
    metric, tell = row.params.get("metric"), row.params.get("tell")
    return {
        **row.params,
        "ticket": ticket,
        "number": short_number(str(row.params.get("number", "")), timezone.localdate()),
        "metric": Metric(metric).label if metric in Metric.values else "",
        "to_self": tell == Rung.Tell.ASSIGNEE,
        "tell": Rung.Tell(tell).label if tell in Rung.Tell.values else "",
    }


def _address(ticket: Ticket | None, reader: User) -> str:
    """Where this person works on it: phone, desk, or the ward's tracking page."""
    if ticket is None:
        return ""
    if is_ward(reader):
        return f"/t/{ticket.tracking_token}/"
    names = ("field:ticket", "desk:ticket") if reader.role == User.Role.ENGINEER else ("desk:ticket",)
    for name in names:
        try:
            return reverse(name, args=[ticket.public_id])
        except NoReverseMatch:
            continue
    return ""
