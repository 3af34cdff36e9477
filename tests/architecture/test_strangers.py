"""What a stranger is told at the doors that are open to all, and that nothing made up opens another. Who else gets in
where stands in `rights.py`, and `test_matrix.py` asks it of everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from assets.models import Department, Device, User
from tests.architecture.addresses import every_address
from tests.architecture.people import Knocker, furnish, undone
from tests.architecture.rights import OPEN
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

ADDRESSES = every_address()


def test_a_stranger_hears_exactly_what_the_open_doors_say(
    icu: Department, surgery: Department, ventilator: Device, now: datetime, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    house = furnish(icu, surgery, ventilator, now)
    stranger, surprised = Knocker({}, {}), []

    for address in (known for known in ADDRESSES if known.name in OPEN):
        kind = "application/json" if address.name.startswith("api-") else ""
        for method, code in zip(("GET", "POST"), OPEN[address.name], strict=True):
            with undone():
                answer = stranger.ask(method, house.path(address), kind=kind)
            if answer.status_code != code:
                surprised.append((method, address.name, answer.status_code))

    assert surprised == []


def test_open_doors_are_all_still_there() -> None:
    assert set(OPEN) - {address.name for address in ADDRESSES} == set()


def test_nobody_makes_an_account_for_himself(client: Client) -> None:
    word = "Long-enough-9f3k"
    client.post("/accounts/signup/", {"email": "x@example.test", "username": "x", "password1": word, "password2": word})

    assert not User.objects.filter(username="x").exists()


@pytest.mark.parametrize("path", ["/q/{forged}/", "/t/{forged}/", "/t/{forged}/confirm/", "/t/{forged}/withdraw/"])
@pytest.mark.parametrize("forged", ["A" * 22, "x", "..", "%00", "t1.AAAA.BBBB", "é" * 9])
def test_a_made_up_token_opens_nothing(client: Client, path: str, forged: str) -> None:
    address = path.format(forged=forged)

    assert client.get(address).status_code in (404, 405)
    assert client.post(address, {"in_use": "yes"}).status_code in (404, 405)
    assert not Ticket.objects.exists()


@pytest.mark.parametrize(
    "path", ["/q/%00/", "/api/v1/tickets/%00/", "/q/?lang=%00", "/accounts/login/?next=%00", "/%00"]
)
def test_an_address_with_a_nul_names_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", ["/accounts/login/", "/api/v1/docs/", "/desk/", "/q/"])
def test_three_methods_are_spoken(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(path)

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"
