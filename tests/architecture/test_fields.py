"""Which fields leave the house to whom: golden lists of every answer of the API by side, and canaries on the open pages.

A new field fails here until somebody says who may read it. "+" marks what only the equipment department gets.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from assets.models import Department, Device
from assets.register.queries import token_of
from config.kernel import log
from tests.architecture.addresses import every_address
from tests.architecture.people import OWN, PRINCIPALS, House, furnish, knocker
from tests.architecture.rights import DOORS, NONE
from tickets.record import services as record

pytestmark = pytest.mark.django_db

WARD, HOUSE = "ward", ("engineer", "engineer, another's job", "dispatcher", "manager", "administrator")
_DEVICE = """asset_no criticality department group life_support location manufacturer model name public_id serial_no
    short_code status status_reason udi_di warranty_ends_on"""
_TICKET = """assignee assignee_name criticality danger[] department description device device_name due duplicate_of eta
    id impact in_use location needs_callback number parent priority priority_reasons[] repeat_of reported_at state
    symptom symptom_name targets.arrival targets.fix targets.response targets.restoration tracking_url version"""
_FACT = """at by hash seq subject type data.automatic data.comment data.criticality data.danger[] data.device
    data.impact data.in_use data.number data.previous data.priority data.public data.reason data.reasons[]
    data.repeat_of data.source data.state data.symptom data.to"""
PAGED = "next previous"


def _each(fields: str, before: str) -> str:
    return " ".join(f"{before}{name}" for name in fields.split())


GOLDEN = {
    "api-devices": f"{PAGED} {_each(_DEVICE, 'results[].')}",
    "api-device": f"{_DEVICE} symptoms[].code symptoms[].default_impact symptoms[].name",
    "api-places": f"{PAGED} {_each('code floor kind name parent path', 'results[].')}",
    "api-departments": f"{PAGED} {_each('code extension location name', 'results[].')}",
    "api-engineers": f"""+next +previous {
        _each(
            '''active is_lead max_open name qualifications[].code
        qualifications[].valid_until skills[].code skills[].level username''',
            "+results[].",
        )
    }""",
    "api-shifts": f"+next +previous {_each('ends_at engineer name presence role starts_at', '+results[].')}",
    "api-events": f"next {_each(_FACT, 'results[].')}",
    "api-tickets": f"{PAGED} {_each(_TICKET, 'results[].')}",
    "api-ticket": _TICKET,
    "api-ticket-comments": _each("at by id masked public text", "[]."),
    "api-ticket-attachments": _each("at content_type id kind public sha256 size url", "[]."),
    "api-ticket-costs": _each("amount at kind note", "+[]."),
    "api-ticket-timeline": f"{_each(_FACT, '[].')} [].by_name",
    "api-ticket-sla": f"""number priority ticket {
        _each(
            '''always breached_at calendar due_at due_short gross_seconds
        gross_text label met_at metric net_seconds net_text paused priority reported_at share_left status
        target_minutes warn_at''',
            "clocks[].",
        )
    } {
        _each(
            '''amount_seconds at kind params.always params.calendar
        params.count params.metric params.open params.priority text value''',
            "clocks[].lines[].",
        )
    }""",
    "api-ticket-assignment": "+[]",  # explanations are looked at in tests/dispatch/matching
}
ELSEWHERE = {"api-schema", "api-docs"}


@pytest.fixture
def house(icu: Department, surgery: Department, ventilator: Device, now: datetime, settings: Any, tmp_path: Any) -> House:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    house = furnish(icu, surgery, ventilator, now)
    ticket, by = house.tickets[OWN], house.people["engineer"]
    record.comment(ticket, text="备件在路上", by=by, at=now)
    record.comment(ticket, text="canary-private-note", by=by, at=now, public=False)
    record.add_cost(ticket, kind="vendor", amount=Decimal("98765.43"), by=by, at=now, note="canary-cost-note")
    log.lead("test")
    log.sequence("test")
    return house


@pytest.mark.parametrize("name", [WARD, *HOUSE])
def test_answers_of_the_api_hold_the_listed_fields_and_no_other(name: str, house: House, figures: Any) -> None:
    who = knocker(next(one for one in PRINCIPALS if one.name == name), house)
    seen, wrong = 0, {}

    for address in every_address():
        if (
            not address.name.startswith("api-")
            or DOORS.get(address.name, (NONE,))[0] == NONE
            or address.name in ELSEWHERE
        ):
            continue
        answer = who.ask("GET", house.path(address))
        allowed = allowed_to(name, address.name)
        found = filled(keys(json.loads(answer.content))) if answer.status_code == 200 else set()
        seen += len(found)
        if found != allowed:
            wrong[address.name] = {"new": sorted(found - allowed), "gone": sorted(allowed - found)}

    figures("fields", fields=seen, differences=len(wrong))
    assert wrong == {}


def allowed_to(name: str, door: str) -> set[str]:
    marked = GOLDEN[door].split()
    return {field.lstrip("+") for field in marked if name != WARD or not field.startswith("+")}


def keys(value: Any, path: str = "") -> set[str]:
    """Paths of all leaves: `results[].id`. Empty lists and objects are leaves."""
    if isinstance(value, dict) and value:
        return set().union(*(keys(inner, f"{path}.{key}" if path else key) for key, inner in value.items()))
    if isinstance(value, list) and value:
        return set().union(*(keys(inner, f"{path}[]") for inner in value))
    return {f"{path}[]" if isinstance(value, list) else path}


def filled(paths: set[str]) -> set[str]:
    """Without the empty lists that other rows have filled."""
    return {one for one in paths if not any(other.startswith(f"{one}.") for other in paths)}


def test_the_open_pages_tell_no_staff_name_no_cost_and_nothing_internal(house: House) -> None:
    ticket = house.tickets[OWN]
    pages = [f"/q/{token_of(ticket.device)}/", f"/t/{ticket.tracking_token}/"]
    staff = [word for user in house.people.values() for word in (user.display_name, f'"{user.username}"', user.email)]
    canaries = [*staff, "canary-private-note", "canary-cost-note", "98765", ticket.public_id, ticket.device.public_id,
                ticket.device.serial_no, "普外科", "东院"]  # fmt: skip

    told = [
        (page[:3], word) for page in pages for word in canaries if word and word in Client().get(page).content.decode()
    ]

    assert told == []
