"""When -> then. In the transaction of the fact, database only; mail goes out in the worker.

assigned                the engineer, with sound; P1 by mail too
ladder rung             the role it names; urgent ones with sound and mail
breached                the desk; P1 and P2 with sound
reopened                the desk and whoever had repaired it
verification requested  the accounts of the ward
nobody available        the desk and the leads, with sound and mail
interrupted             the engineer who was called off, and the desk
nudged three times      the desk and the engineer, with sound
password guessed        heads and administrators, by mail too, once an hour for an account
person erased           their tokens and messages go
commented               whoever follows the ticket and has an account; the ward hears of public ones only
"""

from __future__ import annotations

from typing import Any

from assets.events import PasswordGuessed, PersonErased
from assets.places.models import Person, User
from config.kernel.events import react
from dispatch import events as decided
from integrations.identity.models import ApiToken
from integrations.notifications.models import Notification
from integrations.notifications.queries import recipients
from integrations.notifications.services import notify
from tickets import events as said
from tickets.record.models import Ticket, Watcher

Level = Notification.Level
P1, P2 = 1, 2
PATIENCE = 3  # asked this often, a ward wants a person, not a counter


def _ticket(event: said.TicketEvent) -> Ticket:
    return Ticket.objects.select_related("department", "assignee").get(public_id=event.ticket)


def _about(event: said.TicketEvent, *key: Any) -> dict[str, Any]:
    """What every message of a ticket's fact has in common; `key` tells two facts of one kind apart."""
    return {
        "subject": f"ticket:{event.ticket}",
        "at": event.at,
        "dedup": ":".join(str(part) for part in (event.type, event.ticket, *(key or (event.at.timestamp(),)))),
    }


def _params(event: said.TicketEvent, **more: Any) -> dict[str, Any]:
    return {"number": event.number, "priority": event.priority, **more}


@react(said.TicketAssigned)
def tell_the_engineer(event: said.TicketAssigned) -> None:
    urgent = event.priority == P1
    notify(
        recipients.person(event.to),
        template="assigned",
        level=Level.URGENT if urgent else Level.INFO,
        params=_params(event, automatic=event.automatic),
        sound=True,
        email=urgent,
        **_about(event),
    )
    if event.previous and event.previous != event.to:
        notify(recipients.person(event.previous), template="taken", params=_params(event), **_about(event))


@react(said.EscalationRaised)
def tell_the_rung(event: said.EscalationRaised) -> None:
    notify(
        recipients.for_rung(event.tell, event.ticket, event.at),
        template="escalation",
        level=Level.URGENT if event.urgent else Level.WARNING,
        params=_params(event, metric=event.metric, tell=event.tell),
        sound=event.urgent,
        email=event.urgent,
        **_about(event, event.rung, event.due.timestamp()),
    )


@react(said.SlaBreached)
def tell_the_desk(event: said.SlaBreached) -> None:
    notify(
        recipients.desk(),
        template="breached",
        level=Level.WARNING,
        params=_params(event, metric=event.metric),
        sound=event.priority <= P2,
        **_about(event, event.metric, event.due.timestamp()),
    )


@react(said.TicketReopened)
def tell_of_a_failed_repair(event: said.TicketReopened) -> None:
    failed = _ticket(event).answers.get("failed_engineer")
    people = recipients.desk() + list(User.objects.filter(pk=failed, is_active=True))
    notify(people, template="reopened", level=Level.WARNING, params=_params(event), sound=True, **_about(event))


@react(said.VerificationRequested)
def ask_the_ward(event: said.VerificationRequested) -> None:
    notify(recipients.ward(event.ticket), template="verify", params=_params(event), **_about(event))


@react(decided.NobodyAvailable)
def nobody_may_go(event: decided.NobodyAvailable) -> None:
    people = recipients.desk() + recipients.leads(event.at)
    # One ticket may be tried again every minute; it is said once an hour.
    hour = f"{event.at:%Y%m%d%H}"
    notify(
        people,
        template="nobody",
        level=Level.URGENT,
        params=_params(event),
        sound=True,
        email=True,
        **_about(event, hour),
    )


@react(decided.WorkInterrupted)
def called_off(event: decided.WorkInterrupted) -> None:
    people = recipients.person(event.engineer) + recipients.desk()
    notify(people, template="interrupted", level=Level.WARNING, params=_params(event), sound=True, **_about(event))


@react(said.TicketNudged)
def asked_again(event: said.TicketNudged) -> None:
    if event.count < PATIENCE:
        return
    assignee = _ticket(event).assignee
    people = recipients.desk() + ([assignee] if assignee else [])
    params = _params(event, count=event.count)
    notify(people, template="nudged", level=Level.WARNING, params=params, sound=True, **_about(event, event.count))


@react(said.CommentAdded)
def somebody_wrote(event: said.CommentAdded) -> None:
    ticket = _ticket(event)
    following = Watcher.objects.filter(ticket=ticket, by__isnull=False).values("by")
    people = list(User.objects.filter(person__in=following, is_active=True))
    if ticket.assignee and ticket.assigned_at != event.at:  # the reason of an assignment comes with its own message
        people.append(ticket.assignee)
    told = [one for one in people if one.person_id != _author(event) and (event.public or one.role != User.Role.NURSE)]
    notify(told, template="commented", params=_params(event), **_about(event, event.comment))


def _author(event: said.CommentAdded) -> int | None:
    return Person.objects.filter(public_id=event.by).values_list("pk", flat=True).first()


@react(PasswordGuessed)
def warn_of_guesses(event: PasswordGuessed) -> None:
    """Once an hour for an account, however long it goes on."""
    notify(
        recipients.keepers(),
        template="guessed",
        level=Level.WARNING,
        params={"by": event.person, "guesses": event.guesses},
        subject=f"person:{event.person}",
        at=event.at,
        dedup=f"guessed:{event.person}:{event.at:%Y%m%d%H}",
        email=True,
    )


@react(PersonErased)
def forget_their_messages(event: PersonErased) -> None:
    """Tokens and messages of an account that is nobody's any more."""
    ApiToken.objects.filter(user__person__public_id=event.person).delete()
    Notification.objects.filter(user__person__public_id=event.person).delete()
