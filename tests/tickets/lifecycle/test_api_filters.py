"""Lists of the API answer what was asked or say what they did not understand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from assets.models import Device, FaultPreset, User
from tickets.lifecycle import services as lifecycle

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("prioriti=1", "prioriti"),
        ("priority=", "priority"),
        ("priority=9", "priority"),
        ("open=maybe", "open"),
        ("open=1", "open"),
        ("open=true&open=false", "open"),
        ("page_size=2&page_size=3", "page_size"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(
    query: str, at: str, dispatcher: User, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(dispatcher).get(f"/api/v1/tickets/?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [at]


@pytest.mark.parametrize(
    ("path", "query"), [("devices", "q=x&colour=red"), ("places", "kind=bed"), ("shifts", "who=li")]
)
def test_other_lists_refuse_unknown_names_too(
    path: str, query: str, dispatcher: User, signed_in: Callable[[User], Client]
) -> None:
    assert signed_in(dispatcher).get(f"/api/v1/{path}/?{query}").status_code == 400


def test_filters_add_up(
    ventilator: Device,
    stopped: FaultPreset,
    dispatcher: User,
    signed_in: Callable[[User], Client],
    now: datetime,
    rules: Any,
) -> None:
    made = lifecycle.submit(device=ventilator, preset=stopped, in_use=True, by=None, at=now)
    client = signed_in(dispatcher)

    found = client.get("/api/v1/tickets/?priority=1&priority=2&open=true&state=triaged").json()["results"]
    none = client.get("/api/v1/tickets/?open=false").json()["results"]

    assert [one["number"] for one in found] == [made.number]
    assert none == []
