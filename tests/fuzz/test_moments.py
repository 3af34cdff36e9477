"""The ends of the calendar at every door that takes a moment: refused with a sentence or finding nothing, never a fault."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.register.queries import token_of
from integrations.identity.services import issue_token
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
# A day more than the last, or in another zone, is no date any more.
DAYS = ["0001-01-01", "9999-12-31"]
MOMENTS = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59"]


@pytest.fixture
def key(manager):
    _row, token = issue_token(manager, at=timezone.now())
    return {"Authorization": f"Token {token}"}


@pytest.fixture
def in_repair(ventilator, stopped, engineer, dispatcher, now) -> Ticket:
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)
    return lifecycle.start(ticket, by=engineer, at=now, decon="cleaned")


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_day_of_the_list(name, day, signed_in, dispatcher):
    answer = signed_in(dispatcher).get("/desk/tickets/?" + urlencode({name: day}))

    assert answer.status_code == 200


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/api/v1/tickets/", "reported_after"), ("/api/v1/tickets/", "reported_before"), ("/api/v1/shifts/", "at")],
)
def test_a_moment_of_a_filter(path, name, moment, client, key):
    answer = client.get(f"{path}?{urlencode({name: moment})}", headers=key)

    assert answer.status_code in (200, 400), answer.content


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_end_of_a_pause(moment, in_repair, engineer, client, signed_in):
    _row, token = issue_token(engineer, at=timezone.now())
    address = f"/api/v1/tickets/{in_repair.public_id}/pause/"
    told = {"reason": "awaiting_parts", "until": moment}

    by_api = client.post(address, told, content_type="application/json", headers={"Authorization": f"Token {token}"})
    by_phone = signed_in(engineer).post(f"/field/{in_repair.public_id}/do/pause/", told)

    assert by_api.status_code in (400, 409), by_api.content
    assert by_phone.status_code < 500
    assert Ticket.objects.get(pk=in_repair.pk).state == in_repair.state


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_phone_whose_clock_is_off_reports_all_the_same(moment, ventilator, stopped, client):
    told = {"symptom": stopped.code, "in_use": "no", "client_id": str(uuid4()), "client_at": moment}

    answer = client.post(f"/q/{token_of(ventilator)}/", told)

    assert answer.status_code == 303
    assert Ticket.objects.get().client_reported_at is None
