"""Free tickets that an engineer would be refused: the same hard constraints as a round, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from assets.places.models import User
from dispatch.matching import rules
from dispatch.matching.models import Weights
from dispatch.matching.queries.explained import labels_of, reason
from dispatch.matching.queries.situation import Situation, load


def reasons_against(situation: Situation, person: User) -> dict[int, str]:
    """Ticket: why this engineer may not take it. What he may take is left out."""
    found = next((one for one in situation.engineers if one.id == person.pk), None)
    if found is None:
        return {job.id: _("你不在派单名单里") for job in situation.jobs}
    weights = situation.settings.weights
    broken = {job.id: rules.reject_reason(job, found, situation.at, weights) for job in situation.jobs}
    labels = labels_of(one.params for one in broken.values() if one)
    return {ticket: reason(one.code, one.params, labels) for ticket, one in broken.items() if one}


def against_taking(person: User, tickets: Iterable[int], at: datetime) -> dict[int, str]:
    """The same for a page that offers these free tickets, without holding up a round."""
    active = Weights.objects.filter(active=True).first() or Weights()
    return reasons_against(load(at, active, only=tickets), person)
