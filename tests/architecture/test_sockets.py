"""Every websocket against strangers: who may dial from where, what `after=` may say, whose facts arrive, what a wall shows.

That a socket ends with its session, its account or its rights within two seconds stands in tests/tickets/desk/test_socket.py.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as loaded
from django.db import transaction
from django.test import Client

from assets.models import Department, Device, FaultPreset, User
from config import asgi
from config.kernel import log
from config.kernel.events import publish
from config.kernel.models import EventRecord
from tests.tickets.desk.test_socket import BellRung
from tickets.lifecycle import services as lifecycle
from tickets.policies import visible_events

pytestmark = pytest.mark.django_db(transaction=True)
SOCKETS = [f"/{route.pattern}" for route in asgi.sockets]
ORIGINS = {
    "http://testserver": True,
    "https://testserver": False,
    "http://testserver:8080": False,
    "http://evil.example": False,
    "http://testserver.evil.example": False,
    "http://evil.example/http://testserver": False,
    "null": False,
    None: False,
}


def dial(path: str, client: Client | None, origin: str | None = "http://testserver", query: str = "after=0") -> Any:
    headers = [(b"host", b"testserver")] + ([(b"origin", origin.encode())] if origin else [])
    if client is not None:
        headers.append(
            (b"cookie", f"{loaded.SESSION_COOKIE_NAME}={client.cookies[loaded.SESSION_COOKIE_NAME].value}".encode())
        )
    scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers, "subprotocols": []}
    return ApplicationCommunicator(asgi.application, scope)


async def hang_up(channel: Any) -> None:
    await channel.send_input({"type": "websocket.disconnect", "code": 1000})
    await channel.wait(timeout=5)


@pytest.mark.parametrize("path", ["/ws/nothing/", "/ws/", "/desk/", "/"])
async def test_an_address_that_nobody_has_is_refused_before_it_opens(path: str) -> None:
    channel = dial(path, None)

    await channel.send_input({"type": "websocket.connect"})

    assert await channel.receive_output(timeout=5) == {"type": "websocket.close"}


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", ORIGINS)
async def test_another_site_cannot_dial_with_the_cookie_of_a_person(
    path: str, origin: str | None, signed_in: Any, dispatcher: User
) -> None:
    channel = dial(path, await sync_to_async(signed_in)(dispatcher), origin)
    await channel.send_input({"type": "websocket.connect"})

    said = await channel.receive_output(timeout=5)

    assert (said["type"] == "websocket.accept") is ORIGINS[origin]
    await hang_up(channel)


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("origin", ["http://testserver", "http://evil.example", None])
async def test_a_socket_tells_a_stranger_nothing(path: str, origin: str | None, rules: None) -> None:
    channel = dial(path, None, origin)
    await channel.send_input({"type": "websocket.connect"})

    said = await channel.receive_output(timeout=5)
    if said["type"] == "websocket.accept":  # only to say why: a browser shows no reason of a refused handshake
        assert origin == "http://testserver"
        said = await channel.receive_output(timeout=5)

    assert said["type"] == "websocket.close"
    assert said.get("code") in (4401, 4403, 1000, None)
    await hang_up(channel)


MALFORMED = ["after", "after=", "after=abc", "after=-1", "after=1e3", "after=1e9", "after=1.0", "after=+1", "after=%201",
             "after=1000000000000000000", "after=99999999999999999999", "after=0x1", "after=1_0", "after=\u0661", "after=%00",
             "after=0%00", "after=1'--", "after=0&after=99", "after=0&after=0", "after=0&after="]  # fmt: skip


@pytest.mark.parametrize("query", MALFORMED)
async def test_a_place_in_the_log_that_is_none_closes_the_socket_and_tells_nothing(
    query: str, signed_in: Any, nurse: User, now: datetime
) -> None:
    await sync_to_async(ring)(now, {"ours": nurse.department.code})
    channel = dial("/ws/desk/", await sync_to_async(signed_in)(nurse), query=query)
    await channel.send_input({"type": "websocket.connect"})

    said = [await channel.receive_output(timeout=5) for _ in range(2)]

    assert [one["type"] for one in said] == ["websocket.accept", "websocket.close"]
    assert said[1]["code"] == 4400
    await hang_up(channel)


@pytest.mark.parametrize("query", ["", "before=1", "after[]=1", "a" * 4000], ids=lambda text: text[:20] or "nothing")
async def test_a_socket_that_names_no_place_hears_what_happens_from_now_on(
    query: str, signed_in: Any, nurse: User, surgery: Department, now: datetime
) -> None:
    await sync_to_async(ring)(now, {"past": nurse.department.code})
    channel = dial("/ws/desk/", await sync_to_async(signed_in)(nurse), query=query)
    await channel.send_input({"type": "websocket.connect"})
    assert (await channel.receive_output(timeout=5))["type"] == "websocket.accept"
    beat = json.loads((await channel.receive_output(timeout=5))["text"])

    await sync_to_async(ring)(now, {"theirs": surgery.code, "ours": nurse.department.code})

    assert (beat["type"], beat["seq"]) == ("heartbeat", 1)
    assert await heard(channel, until=1) == ["bell:ours"]
    await hang_up(channel)


async def test_each_person_hears_what_the_log_would_show_and_no_more(
    signed_in: Any, nurse: User, outsider: User, engineer: User, manager: User, now: datetime
) -> None:
    scopes = {f"b{n}": ("", nurse.department.code, outsider.department.code, "ELSEWHERE")[n % 4] for n in range(40)}
    await sync_to_async(ring)(now, scopes)

    for person in (nurse, outsider, engineer, manager):
        allowed = await sync_to_async(
            lambda who=person: [row.subject for row in visible_events(who, EventRecord.objects.order_by("seq"))]
        )()
        channel = dial("/ws/desk/", await sync_to_async(signed_in)(person))
        await channel.send_input({"type": "websocket.connect"})
        assert await heard(channel, until=len(allowed)) == allowed
        assert 0 < len(allowed) <= 40
        assert await channel.receive_nothing(timeout=0.3)
        await hang_up(channel)


def ring(now: datetime, bells: dict[str, str]) -> None:
    assert log.lead("test")
    with transaction.atomic():
        for bell, scope in bells.items():
            publish(BellRung(at=now, bell=bell, scope=scope))
    log.sequence("test")


async def heard(channel: Any, *, until: int) -> list[str]:
    """Subjects of the facts that arrive, heartbeats left out, until there are so many."""
    found: list[str] = []
    while len(found) < until:
        said = await channel.receive_output(timeout=5)
        if said["type"] == "websocket.send" and (fact := json.loads(said["text"]))["type"] != "heartbeat":
            found.append(fact["subject"])
    return found


def test_the_wall_shows_no_person(
    ventilator: Device,
    stopped: FaultPreset,
    nurse: User,
    engineer: User,
    dispatcher: User,
    signed_in: Any,
    now: datetime,
) -> None:
    """A corridor reads it: surnames at most, no account or number of anybody, no words that somebody typed."""
    ticket = lifecycle.submit(
        device=ventilator, preset=stopped, in_use=True, by=nurse, at=now, description="canary-typed-words"
    )
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    screen = signed_in(dispatcher)

    pages = [
        screen.get(path).content.decode() for path in ("/desk/?wall=1", "/desk/_board/?wall=1", "/desk/_roster/?wall=1")
    ]

    shown = "".join(page.split("<main", 1)[-1] for page in pages)
    told = [
        word
        for word in ("陈护士", "李志远", "canary-typed-words", engineer.username + '"', ticket.tracking_token)
        if word in shown
    ]
    assert "李工" in shown  # so there is a ticket on it
    assert told == []
