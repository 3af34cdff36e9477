"""What finds the few open tickets among millions, and what keeps a ticket's end and its state together."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from assets.models import Device
from tests.tickets.desk import stories
from tickets.models import Ticket
from tickets.record.queries import open_on

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", [{"state": "closed"}, {"ended_at": "now"}])
def test_a_ticket_has_an_end_exactly_when_it_has_ended(change, ventilator, stopped, now):
    ticket = stories.reported(ventilator, stopped, now)
    change = {field: now if value == "now" else value for field, value in change.items()}

    with pytest.raises(IntegrityError, match="ticket_ended_at_its_end"), transaction.atomic():
        Ticket.objects.filter(pk=ticket.pk).update(**change)

    Ticket.objects.filter(pk=ticket.pk).update(state="closed", ended_at=now)
    assert (Ticket.objects.open().count(), Ticket.objects.ended().get()) == (0, ticket)


def test_open_tickets_are_read_from_their_own_small_index(ventilator, stopped, now):
    ticket = stories.reported(ventilator, stopped, now)

    board, ward = Ticket.objects.for_board().open(), Ticket.objects.open().filter(department=ticket.department)

    one = Ticket.objects.open().filter(device=ventilator).order_by("reported_at")

    lent = Device.objects.ready_to_lend().filter(backup_group="vent")

    for index, rows in (
        ("ticket_open", board.order_by("-id")),
        ("ticket_now", ward.order_by("-id")),
        ("ticket_device_now", one),
        ("ticket_device_now", lent),
    ):
        plan = rows.explain()
        assert index in plan or connection.vendor == "postgresql"  # which reads a handful of rows without any index
    assert open_on(ventilator) == ticket
