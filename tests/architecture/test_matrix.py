"""The authorisation matrix: every address and method as every kind of person, at three places, against `rights.py`.

`--full` asks everything: each person, address, method and place. Without it a fifth of that, drawn by the names, and a
GET of every page of the admin by everybody who gets in there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zlib import crc32

import pytest
from django.template.response import TemplateResponse
from rest_framework.throttling import SimpleRateThrottle

from assets.models import Department, Device
from config.methods import SPOKEN
from tests.architecture.addresses import Address, every_address
from tests.architecture.people import (
    METHODS,
    OWN,
    PLACES,
    PRINCIPALS,
    House,
    Knocker,
    Principal,
    counted,
    furnish,
    knocker,
    letter,
    undone,
    writes,
)
from tests.architecture.rights import NONE, OPEN, STRANGER, WHO, expected, stands_in_the_table

pytestmark = pytest.mark.django_db
ADDRESSES = every_address()
# A session may remember what was asked for, a token when it was used; a refusal and a read change nothing else.
MEMORY = (
    'INSERT INTO "django_session"',
    'UPDATE "django_session"',
    'UPDATE "integrations_apitoken" SET "last_used_at"',
)


IN_THE_ADMIN = ("dispatcher", "manager", "admin_user")
DISTINCT = ("ward", "ward of another department", "engineer", "dispatcher", "manager", "administrator")


@pytest.fixture
def house(icu: Department, surgery: Department, ventilator: Device, now: datetime, settings: Any, tmp_path: Any,
          monkeypatch: pytest.MonkeyPatch) -> House:  # fmt: skip
    settings.MEDIA_ROOT = tmp_path
    for rate in SimpleRateThrottle.THROTTLE_RATES:
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, rate, None)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    return furnish(icu, surgery, ventilator, now)


def test_every_door_stands_in_the_table() -> None:
    assert [address for address in ADDRESSES if not stands_in_the_table(address)] == []


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda one: one.name)
def test_each_person_gets_what_the_table_says(
    principal: Principal, house: House, full: bool, figures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who gets in is decided before a page of the admin is drawn; the walk below draws them.
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    who = knocker(principal, house)
    before, wrong, asked = counted(), [], 0

    for address, place, method in questions(principal, full):
        asked += 1
        said, changed = ask(who, house, address, place, method)
        wanted = answer_by_the_table(principal, address, place, method)
        if said not in wanted:
            wrong.append(f"{method} {address.pattern} ({place}): {said} instead of {wanted}")
        elif changed and (said in "nh-" or method != "POST"):
            wrong.append(f"{method} {address.pattern} ({place}) answered {said} and wrote {changed}")

    figures("matrix", requests=asked, differences=len(wrong), principals=1)
    assert wrong == [], "\n" + "\n".join(wrong)
    assert counted() == before


def questions(principal: Principal, full: bool) -> Iterator[tuple[Address, str, str]]:
    """What one person asks: everything; or, in the small run, a lot drawn by name that people together make complete."""
    for address in ADDRESSES:
        places = PLACES if House.knows_places(address) else (OWN,)
        if full:
            yield from ((address, place, method) for place in places for method in METHODS)
            continue
        lot = crc32(f"{principal.name} {address.pattern}".encode())
        if address.name.startswith("admin:"):
            if principal.own in IN_THE_ADMIN:
                yield address, OWN, "GET"  # a page that takes a shortcut takes it here
            if lot % 2:
                yield address, OWN, METHODS[lot % len(METHODS)]
            continue
        yield address, places[lot % len(places)], "GET"
        yield address, places[lot // 3 % len(places)], "POST"
        yield address, OWN, METHODS[lot % len(METHODS)]


def ask(who: Knocker, house: House, address: Address, place: str, method: str) -> tuple[str, list[str]]:
    """The letter of the answer and what was written; only a door that opened has its effects undone."""
    path = house.path(address, place)
    with undone(), writes() as written:
        answer = who.ask(method, path, kind="application/json" if address.name.startswith("api-") else "")
    if answer.status_code >= 500 and (address.name, answer.status_code) != ("readyz", 503):
        return str(answer.status_code), written
    return letter(answer), [sql for sql in written if not sql.startswith(MEMORY)]


def answer_by_the_table(principal: Principal, address: Address, place: str, method: str) -> str:
    """The letter, or the letters, that will do."""
    if method not in SPOKEN:
        return "-"
    asked = "GET" if method == "HEAD" else method
    column = principal.column(place, address)
    row = expected(address, asked)
    if column == STRANGER:
        return _to_a_stranger(address, asked)
    if row == NONE:
        # Which of the three it is says nothing to anybody: no door stands there.
        return "-nh"
    return row[WHO.index(column)]


def _to_a_stranger(address: Address, method: str) -> str:
    if address.name not in OPEN:
        return "n" if expected(address, method) != NONE else "n-"
    return {405: "-", 404: "h"}.get(OPEN[address.name][("GET", "POST").index(method)], "y")


@pytest.mark.parametrize("name", ["anonymous", *DISTINCT])
def test_two_visits_to_every_page_write_nothing(name: str, house: House, full: bool, figures: Any) -> None:
    principal = next(one for one in PRINCIPALS if one.name == name)
    who, broken, wrote, visits = knocker(principal, house), [], [], 0

    for address in ADDRESSES:
        if not full and address.name.startswith("admin:") and crc32(f"{name}{address.pattern}".encode()) % 8:
            continue
        for _visit in range(2):
            visits += 1
            with writes() as written:
                answer = who.ask("GET", house.path(address))
            if answer.status_code >= 500 and address.name != "readyz":
                broken.append(f"{address.pattern} {answer.status_code}")
            wrote += [f"{address.pattern} {sql}" for sql in written if not sql.startswith(MEMORY)]

    figures("walk", visits=visits, writes=len(wrote), broken=len(broken))
    assert broken == []
    assert wrote == []


def test_a_write_from_another_site_is_refused_at_every_door(house: House, figures: Any) -> None:
    """Cookies alone sign nothing: without the token of the form, which another site cannot read, no door opens.

    The ward's pages stand apart: they carry no cookie of authority, and a phone without cookies must get through. So
    does the token door: it asks for the password itself, in JSON.
    """
    who = knocker(next(one for one in PRINCIPALS if one.name == "manager"), house)
    opened, asked = [], 0

    for address in ADDRESSES:
        if expected(address, "POST") == NONE or address.name in ("ward:code", "ward:report", "ward:act", "api-token"):
            continue
        asked += 1
        kind = "application/json" if address.name.startswith("api-") else ""
        with undone():
            answer = who.ask("POST", house.path(address), kind=kind, csrf=False)
        if answer.status_code not in (403, 404):
            opened.append(f"{address.pattern} {answer.status_code}")

    figures("cross-site", requests=asked, opened=len(opened))
    assert opened == []
