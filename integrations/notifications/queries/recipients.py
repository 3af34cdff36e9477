"""Who hears of what: roles of domain 2.3 to accounts, at the moment of the fact."""

from __future__ import annotations

from datetime import datetime

from assets.places.models import User
from dispatch.roster.queries import here, leads_on_duty
from dispatch.roster.rules import Presence
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
    return [engineer.user for engineer, where in here(at) if where.presence == Presence.ON_CALL] or leads(at)


def shift(at: datetime) -> list[User]:
    """Everybody on site now."""
    return [engineer.user for engineer, where in here(at) if where.presence == Presence.ON_SITE]


def assignee(ticket: str) -> list[User]:
    """Whoever has it, otherwise the desk. `ticket` is a public id, here and below."""
    return list(User.objects.filter(tickets__public_id=ticket, is_active=True)) or desk()


def ward(ticket: str) -> list[User]:
    return list(User.objects.filter(role=Role.NURSE, is_active=True, department__tickets__public_id=ticket))


def for_rung(tell: str, ticket: str, at: datetime) -> list[User]:
    """The accounts behind one rung; a role without an account goes to the head, never to nobody."""
    found: list[User] = []
    if tell == Tell.ASSIGNEE:
        found = assignee(ticket)
    elif tell == Tell.SECONDARY:
        found = secondary(at)
    elif tell == Tell.LEAD:
        found = leads(at)
    elif tell == Tell.WARD:
        found = ward(ticket)
    return found or heads() or desk()
