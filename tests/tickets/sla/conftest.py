"""A ticket with running clocks, made without its story: these tests are about the clocks alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.db import transaction

from assets.models import Device
from tickets.record.models import Ticket
from tickets.sla import queries
from tickets.sla import services as sla
from tickets.sla.models import Target

_numbers = count(1)
Make = Callable[..., Ticket]


@pytest.fixture
def p1_may_wait(rules: None) -> None:
    """A hospital that lets the fix of a P1 wait as well; as shipped it does not (test_gross.py)."""
    Target.objects.filter(priority=1, metric="fix").update(pausable=True)
    queries.forget_rulebook()


@pytest.fixture
def ticket_of(rules: None, ventilator: Device, now: datetime) -> Make:
    """`ticket_of(1)`: a P1 reported at `now`, its clocks running."""

    def make(priority: int, *, reported_at: datetime = now, **more: Any) -> Ticket:
        ticket = Ticket.objects.create(
            number=f"WX20261118-{next(_numbers):04d}",
            device=ventilator,
            department=ventilator.department,
            priority=priority,
            reported_at=reported_at,
            **more,
        )
        with transaction.atomic():
            sla.start_clocks(ticket, at=reported_at)
        return ticket

    return make
