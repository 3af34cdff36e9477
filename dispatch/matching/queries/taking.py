"""Free tickets that an engineer would be refused: the same hard constraints as a round, in words. And until when the one
asked must have accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from assets.places.models import User
from dispatch.matching import rules
from dispatch.matching.queries.explained import labels_of, reason
from dispatch.matching.queries.situation import Situation, active_weights, load
from tickets.record.models import Ticket
from tickets.sla.models import Metric
from tickets.sla.queries import rulebook


def reasons_against(situation: Situation, person: User) -> dict[int, str]:
    """Ticket: why this engineer may not take it. What he may take is left out.

    Who was too late to answer is not asked by the machine for a while; by his own hand he may have it, since nobody has.
    """
    found = next((one for one in situation.engineers if one.id == person.pk), None)
    if found is None:
        return {job.id: _("你不在派单名单里") for job in situation.jobs}
    weights = situation.settings.weights
    broken = {
        job.id: rules.reject_reason(replace(job, excluded=frozenset()), found, situation.at, weights)
        for job in situation.jobs
    }
    labels = labels_of(one.params for one in broken.values() if one)
    return {ticket: reason(one.code, one.params, labels) for ticket, one in broken.items() if one}


def accept_due(ticket: Ticket, manner: rules.Manner, *, since: datetime) -> datetime:
    """When the one asked is late. Counted in the calendar of the ticket's own promise to answer: at night nobody is late
    for a ticket that need not be answered before the morning."""
    book = rulebook()
    target = book.targets_of(ticket.priority).get(Metric.RESPONSE)
    calendar = book.calendar(target.calendar_id if target else None)
    return calendar.add_working(since, timedelta(minutes=manner.accept_within[ticket.priority]))


def against_taking(person: User, tickets: Iterable[int], at: datetime) -> dict[int, str]:
    """The same for a page that offers these free tickets, without holding up a round."""
    return reasons_against(load(at, active_weights(), only=tickets), person)
