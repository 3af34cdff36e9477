"""Who hears of what: roles of domain 2.3 to accounts, at the moment of the fact."""

from __future__ import annotations

from datetime import datetime

from assets.places.models import User
from dispatch.roster.queries import leads_on_duty, on_duty
from dispatch.roster.rules import Presence
from tickets.record.models import Ticket
from tickets.sla.models import Rung

Role, Tell = User.Role, Rung.Tell


def person(public_id: str) -> list[User]:
    return list(User.objects.filter(person__public_id=public_id, is_active=True)) if public_id else []


def desk() -> list[User]:
    return list(User.objects.filter(role=Role.DISPATCHER, is_active=True))


def heads() -> list[User]:
    return list(User.objects.filter(role=Role.MANAGER, is_active=True))


def keepers() -> list[User]:
    """Who can close an account: heads and administrators."""
    return list(User.objects.filter(role__in=(Role.MANAGER, Role.ADMIN), is_active=True))


def leads(at: datetime) -> list[User]:
    return [engineer.user for engineer in leads_on_duty(at)]


def secondary(at: datetime) -> list[User]:
    """Second line: who is on call; without anybody on call, the leads."""
    return [line.engineer.user for line in on_duty(at) if line.presence == Presence.ON_CALL] or leads(at)


def shift(at: datetime) -> list[User]:
    """Everybody on site now."""
    return [line.engineer.user for line in on_duty(at) if line.presence == Presence.ON_SITE]


def ward(ticket: Ticket) -> list[User]:
    return list(User.objects.filter(role=Role.NURSE, is_active=True, department_id=ticket.department_id))


def for_rung(tell: str, ticket: Ticket, at: datetime) -> list[User]:
    """The accounts behind one rung; a role without an account goes to the head, never to nobody."""
    found: list[User] = []
    if tell == Tell.ASSIGNEE:
        found = [ticket.assignee] if ticket.assignee else desk()
    elif tell == Tell.SECONDARY:
        found = secondary(at)
    elif tell == Tell.LEAD:
        found = leads(at)
    elif tell == Tell.WARD:
        found = ward(ticket)
    return found or heads() or desk()
