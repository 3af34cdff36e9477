"""Pages of the desk that only show: nothing is sent to them, and none of them pretends that it was taken."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from assets.models import Device, FaultPreset, User
from tests.tickets.desk import stories

PAGES = (
    "/desk/", "/desk/_board/", "/desk/_roster/", "/desk/_alerts/", "/desk/tickets/", "/desk/tickets/export.csv",
    "/desk/tickets/{}/", "/desk/tickets/{}/_assignment/", "/desk/tickets/{}/_candidates/", "/ward/", "/files/x/",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_a_reading_page_takes_nothing(
    ventilator: Device, stopped: FaultPreset, manager: User, signed_in: Callable[[User], Client],
    now: datetime, path: str,
) -> None:  # fmt: skip
    ticket = stories.reported(ventilator, stopped, now)
    client = signed_in(manager)
    address = path.format(ticket.public_id)

    assert client.get(address).status_code != 405
    assert [send(address).status_code for send in (client.post, client.put, client.delete)] == [405] * 3
