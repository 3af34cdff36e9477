"""The API against its own description: schemathesis with all its checks, each operation as each role, in process.

`--full` asks fifty times an operation and role; without it thrice an operation, each by one role drawn by its name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.utils import timezone
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from rest_framework.throttling import SimpleRateThrottle
from schemathesis.checks import CHECKS
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import FailureGroup

from assets.models import Department, Device
from integrations.identity import services as identity
from tests import factories
from tests.architecture.people import OWN, PLACES, House, furnish, undone
from tickets.lifecycle import services as lifecycle
from tickets.record.models import Decon

pytestmark = pytest.mark.django_db
ROLES = ("ward", "engineer", "dispatcher", "manager", "administrator")
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
# 400 beside the usual answers to well-formed input: a description cannot say that a symptom belongs to another device.
ACCEPTED = ("2xx", "304", "400", "401", "403", "404", "409")


@pytest.fixture
def house(icu: Department, surgery: Department, ventilator: Device, now: datetime, settings: Any, tmp_path: Any,
          monkeypatch: pytest.MonkeyPatch) -> House:  # fmt: skip
    """The house of the matrix, with tickets that are further on their way."""
    settings.MEDIA_ROOT = tmp_path
    for rate in SimpleRateThrottle.THROTTLE_RATES:
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, rate, None)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    house = furnish(icu, surgery, ventilator, now)
    engineer = house.people["engineer"]
    for steps in range(1, 4):
        ticket = lifecycle.submit(device=factories.device(icu, ventilator.type), by=house.people["ward"], at=now)
        lifecycle.assign(ticket, to=engineer, by=house.people["dispatcher"], at=now)
        for step in (lifecycle.accept, lifecycle.arrive, partial(lifecycle.start, decon=Decon.CLEANED))[:steps]:
            step(ticket, by=engineer, at=now)
        house.tickets[f"after {steps} steps"] = ticket
    return house


def authorization(house: House, role: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A token of the role; administrators get none by password, so that door is held open for them here."""
    monkeypatch.setattr(identity, "can_get_token_by_password", lambda user: True)
    _row, clear = identity.issue_token(house.people[role], at=timezone.now())
    return {"Authorization": f"Token {clear}"}


@pytest.mark.parametrize("role", ROLES)
def test_the_api_answers_as_described(
    role: str, house: House, full: bool, figures: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = authorization(house, role, monkeypatch)
    checks = ChecksConfig(positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=ACCEPTED))
    config = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(checks=checks)))
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/schema/?format=json", get_wsgi_application(), config=config, headers=headers
    )
    schema.config.update(headers=headers)
    tally = {"requests": 0, "checks": len(CHECKS.get_all_names())}
    broken: dict[str, str] = {}

    for result in schema.get_all_operations():
        if not full and crc32(result.ok().label.encode()) % len(ROLES) != ROLES.index(role):
            continue
        for mode in MODES:
            try:
                ask(result.ok(), mode, house, headers, tally, 50 if full else 3)
            except Unsatisfiable:
                assert mode is schemathesis.GenerationMode.NEGATIVE, result.ok().label  # nothing there to get wrong
            except FailureGroup as failures:
                broken[f"{result.ok().label} {mode.value}"] = "\n".join(str(one)[:400] for one in failures.exceptions)

    figures("described API", requests=tally["requests"], failures=len(broken))
    assert broken == {}, "\n\n".join(f"{where}\n{what}" for where, what in broken.items())


def ask(operation: Any, mode: Any, house: House, headers: dict[str, str], tally: dict[str, int], times: int) -> None:
    tickets = [ticket.public_id for ticket in house.tickets.values()]
    devices = [house.tickets[place].device.public_id for place in PLACES]
    known = st.sampled_from(devices if "/devices/" in operation.path else tickets)

    @settings(
        max_examples=times, database=None, deadline=None, derandomize=True, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), real=known, fits=st.booleans())
    def once(case: Any, real: str, fits: bool) -> None:
        # A filter without a value is no filter, and a made-up session beside a good token changes nothing.
        assume("" not in (case.query or {}).values())
        case.cookies = {}
        tally["requests"] += 1
        if mode is schemathesis.GenerationMode.POSITIVE:
            make_real(case, real, house, fits=fits)
        with undone():
            case.call_and_validate(headers=headers)  # said here, or the check takes the token for a made-up one

    once()


def make_real(case: Any, real: str, house: House, *, fits: bool) -> None:
    """Names of things that exist, so that the request gets past the first look-up."""
    if "public_id" in (case.path_parameters or {}):
        case.path_parameters["public_id"] = real
    if not fits or not isinstance(case.body, dict):
        return
    device = house.tickets[OWN].device
    there = {"device": device.public_id, "symptom": "ventilator-stopped", "to": "li", "parent": real}
    case.body.update({key: value for key, value in there.items() if key in case.body})
