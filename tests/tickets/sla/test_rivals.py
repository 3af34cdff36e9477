"""Several clock processes and an engineer at the same second, each on its own connection."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest
from django.db import transaction

from config.kernel.models import EventRecord
from tests.dispatch.rivals import at_once
from tests.tickets.sla.calendars import minutes
from tests.tickets.sla.conftest import Make
from tickets.sla import services as sla
from tickets.sla.models import Alert, Clock

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def keep_firing(at: datetime) -> int:
    """Turn after turn of one clock process, until nothing is due."""
    fired = sla.fire_due(at)
    while Clock.objects.filter(next_at__lte=at).exists():
        fired += sla.fire_due(at)
    return fired


def test_four_clock_processes_fire_every_step_once(ticket_of: Make, now: datetime) -> None:
    tickets = [ticket_of(1) for _ in range(6)]
    at = now + minutes(3)

    at_once([partial(keep_firing, at)] * 4)

    assert Alert.objects.count() == 5 * len(tickets)
    assert EventRecord.objects.filter(type="SlaBreached").count() == len(tickets)
    assert EventRecord.objects.filter(type="EscalationRaised").count() == 3 * len(tickets)


def test_accepting_at_the_second_of_the_breach_is_announced_once(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    at = now + minutes(3.01)

    def accept() -> int:
        with transaction.atomic():
            sla.meet(ticket, "response", at=at)
        return 0

    at_once([accept, partial(keep_firing, at), partial(keep_firing, at)])

    response = Clock.objects.get(ticket=ticket, metric="response")
    assert (response.met_at, response.next_at, response.breached_at) == (at, None, now + minutes(3))
    assert EventRecord.objects.filter(type="SlaBreached").count() == 1
