"""Who may see and do what with tickets. Doors ask here; services never do."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from assets.places.models import User
from assets.policies import is_house_staff, is_ward
from config.kernel.models import EventRecord
from tickets.record.models import IN_HAND, Attachment, Ticket

Role = User.Role
Rows = TypeVar("Rows", bound=QuerySet[Ticket, Any])  # tickets as objects or as flat rows
DESK = (Role.DISPATCHER, Role.MANAGER, Role.ADMIN)
_OWNED = ("ticket", "comment", "attachment", "timeentry", "partline", "costline", "signature", "repairreport",
          "clock", "alert", "pause", "pauseend", "rebase")  # fmt: skip
_RULES = ("calendar", "calendarwindow", "calendarday", "priorityrule", "target", "rung", "holdreason")
ADMIN_RIGHTS: dict[str, dict[str, str]] = {
    Role.ADMIN: dict.fromkeys(_OWNED, "v") | dict.fromkeys(_RULES, "vacd") | {"savedview": "vacd"},
    Role.MANAGER: dict.fromkeys(_OWNED, "v") | dict.fromkeys(_RULES, "vacd") | {"savedview": "vacd"},
    Role.DISPATCHER: dict.fromkeys(_OWNED, "v") | dict.fromkeys(_RULES, "v"),
}


def visible_tickets(user: Any, tickets: Rows) -> Rows:
    """Rows this person may read: the equipment department all, a ward its own department's; none for strangers."""
    if is_house_staff(user):
        return tickets
    if is_ward(user) and user.department_id:
        return tickets.filter(department_id=user.department_id)
    return tickets.none()


def visible_files(user: Any, files: QuerySet[Attachment]) -> QuerySet[Attachment]:
    """Files of tickets this person may read; what came with a private note is the equipment department's."""
    files = files.filter(ticket__in=visible_tickets(user, Ticket.objects.all()))
    return files if is_house_staff(user) else files.filter(public=True)


def visible_events(user: Any, events: QuerySet[EventRecord]) -> QuerySet[EventRecord]:
    """Facts of the log this person may follow; a hole in `seq` says nothing."""
    if is_house_staff(user):
        return events
    if is_ward(user) and user.department_id:
        return events.filter(scope=user.department.code)
    return events.none()


def may_follow(user: Any, record: EventRecord) -> bool:
    """The same rule for one fact, for sockets."""
    if is_house_staff(user):
        return True
    return bool(is_ward(user) and user.department_id and record.scope == user.department.code)


def is_desk(user: Any) -> bool:
    """Runs the desk: dispatcher, manager, administrator."""
    return bool(user.is_authenticated and user.is_active and user.role in DESK)


def is_engineer(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.role == Role.ENGINEER)


def can_report(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active)


def can_work(user: Any, ticket: Ticket) -> bool:
    """Field verbs: only the engineer who has it."""
    return is_engineer(user) and ticket.assignee_id == user.pk


def can_take(user: Any, ticket: Ticket) -> bool:
    """Accept: the engineer it was given to, or any engineer when it is open to take."""
    return is_engineer(user) and (ticket.assignee_id in (None, user.pk))


def can_assign(user: Any, ticket: Ticket) -> bool:
    return is_desk(user)


def can_triage(user: Any, ticket: Ticket) -> bool:
    return is_desk(user)


def speaks_for_ward(user: Any) -> bool:
    """May hold the link of a ticket's tracking page, which confirms and rates; whoever repairs does not."""
    return is_desk(user) or is_ward(user)


def can_verify(user: Any, ticket: Ticket) -> bool:
    """Confirm or dispute: the ward that reported; the desk on its behalf, with its name in the log."""
    return is_desk(user) or (is_ward(user) and ticket.department_id == user.department_id)


def can_cancel(user: Any, ticket: Ticket) -> bool:
    """The ward withdraws before acceptance (the service checks the state); the desk at any time it is open."""
    return is_desk(user) or (is_ward(user) and ticket.department_id == user.department_id)


def can_close(user: Any, ticket: Ticket) -> bool:
    return is_desk(user)


def can_comment(user: Any, ticket: Ticket) -> bool:
    return is_house_staff(user) or (is_ward(user) and ticket.department_id == user.department_id)


def can_see_costs(user: Any) -> bool:
    return is_desk(user) or is_engineer(user)


def fieldwork(user: Any, tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """What an engineer's phone shows: own work and what is open to take."""
    return tickets.filter(
        Q(assignee=user, state__in=IN_HAND) | Q(assignee__isnull=True, state__in=["triaged", "reopened"])
    )
