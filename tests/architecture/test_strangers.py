"""Who gets in where: strangers only at the ward's doors and the sign-in, everybody else by one table of all addresses.

An address that stands in no table fails: whoever adds a door says here whom it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from assets.models import Device, FaultPreset, User
from assets.register.queries import token_of
from config import asgi
from integrations.models import Notification
from tests.architecture.addresses import Address, every_address
from tickets.lifecycle import services as lifecycle
from tickets.models import Attachment, SavedView, Ticket

pytestmark = pytest.mark.django_db

REFUSED = {401, 403, 404, 405}
SIGN_IN = ("/accounts/login/", "/admin/login/")

# Open to a stranger, and what the door says to a GET and to an empty POST.
OPEN = {
    "healthz": (200, 200),
    "readyz": (503, 503),  # no worker and no clock in a test: it must say so
    "manifest": (200, 405),
    "set_language": (302, 302),
    "api-token": (405, 400),
    "ward:code": (200, 422),
    "ward:report": (200, 422),
    "ward:track": (200, 405),
    "ward:act": (405, 303),
    "account_login": (200, 200),
    "account_logout": (302, 302),
    "account_signup": (200, 200),  # says that it is closed
    "account_inactive": (200, 405),
    "account_reset_password": (200, 200),
    "account_reset_password_done": (200, 405),
    "account_reset_password_from_key": (200, 200),
    "account_reset_password_from_key_done": (200, 405),
    "account_email_verification_sent": (200, 405),
    "account_confirm_email": (200, 404),
    "admin:logout": (302, 302),
}

# Who may, in this order; y: the door opens (what it then says depends on the state), n: 403, h: 404, -: no such method.
WHO = ("nurse", "outsider", "engineer", "colleague", "dispatcher", "manager", "admin_user")
ALL, HOUSE, DESK, WARDS, FIELD = "yyyyyyy", "nnyyyyy", "nnnnyyy", "yynnnnn", "nnyynnn"
THEIRS, THEIRS_AND_DESK, THEIRS_IN_HOUSE = "yhyyyyy", "yhnnyyy", "nhyyyyy"
HAS_IT, DESK_HIDDEN, ONLY_MINE = "nhynnnn", "nhnnyyy", "hhyhhhh"
NONE = "-"

DOORS: dict[str, tuple[str, str]] = {
    "home": (ALL, ALL),
    "login": (ALL, ALL),
    "ward-home": (WARDS, WARDS),
    "file": (THEIRS, NONE),
    "notifications": (ALL, ALL),
    "notifications-bell": (ALL, ALL),
    "notifications-read": (NONE, ALL),
    "notifications-call": (DESK, DESK),
    "notifications-follow": (NONE, ONLY_MINE),
    # the engineer's phone; the desk may look
    "field:today": (HOUSE, NONE),
    "field:waiting": (HOUSE, NONE),
    "field:scan": (HOUSE, HOUSE),
    "field:ticket": (HOUSE, NONE),
    "field:finish": (HOUSE, NONE),
    "field:more": (HOUSE, NONE),
    "field:act": (NONE, "nnyynnn"),  # the colleague is told who has it, and nothing happens
    "engineers:duty": (FIELD, NONE),
    "engineers:me": (FIELD, NONE),
    # the desk; engineers read tickets there and comment
    "desk:board": (DESK, DESK),
    "desk:board-fragment": (DESK, DESK),
    "desk:tickets": (HOUSE, HOUSE),
    "desk:export": (DESK, DESK),
    "desk:new": (DESK, DESK),
    "desk:save-view": (NONE, HOUSE),
    "desk:delete-view": (NONE, "nnyhhhh"),
    "desk:ticket": (HOUSE, HOUSE),
    "desk:comment": (NONE, HOUSE),
    "desk:act": (NONE, DESK),
    "roster-card": (HOUSE, HOUSE),
    "matching-alerts": (DESK, DESK),
    "matching-assignment": (HOUSE, HOUSE),
    "matching-candidates": (HOUSE, HOUSE),
    "matching-confirm": (NONE, DESK),
    # the API
    "api-devices": (ALL, NONE),
    "api-device": (THEIRS, NONE),
    "api-places": (ALL, NONE),
    "api-departments": (ALL, NONE),
    "api-engineers": (HOUSE, NONE),
    "api-shifts": (HOUSE, NONE),
    "api-events": (ALL, NONE),
    "api-schema": (ALL, NONE),
    "api-docs": (ALL, NONE),
    "api-token-revoke": (NONE, ALL),
    "api-tickets": (ALL, ALL),
    "api-ticket": (THEIRS, NONE),
    "api-ticket-comments": (THEIRS, THEIRS),
    "api-ticket-attachments": (THEIRS, THEIRS),
    "api-ticket-costs": (THEIRS_IN_HOUSE, THEIRS_IN_HOUSE),
    "api-ticket-timeline": (THEIRS, NONE),
    "api-ticket-sla": (THEIRS, NONE),
    "api-ticket-assignment": (THEIRS_IN_HOUSE, NONE),
    **dict.fromkeys(
        [
            f"api-ticket-{verb}"
            for verb in ("accept", "decline", "depart", "arrive", "start", "pause", "resume", "resolve")
        ],
        (NONE, HAS_IT),
    ),
    **dict.fromkeys(
        [f"api-ticket-{verb}" for verb in ("triage", "assign", "close", "reopen", "reject", "reprioritise")],
        (NONE, DESK_HIDDEN),
    ),
    **dict.fromkeys([f"api-ticket-{verb}" for verb in ("confirm", "dispute", "cancel")], (NONE, THEIRS_AND_DESK)),
}

# Admin lists: who may look, who may add (d dispatcher, m manager, a administrator). Nobody else gets in at all.
LISTS = {
    **dict.fromkeys(
        ["assets_location", "assets_department", "assets_skill", "assets_qualification", "assets_devicegroup",
         "assets_faultpreset", "assets_devicetype", "assets_device", "tickets_holdreason", "tickets_calendar",
         "tickets_calendarday", "tickets_priorityrule", "tickets_target", "tickets_rung", "dispatch_departmentmode",
         "dispatch_weights"],
        ("dma", "ma"),
    ),
    **dict.fromkeys(
        ["tickets_ticket", "tickets_clock", "tickets_alert", "tickets_pause", "tickets_rebase", "dispatch_trackrecord",
         "dispatch_decision", "dispatch_exclusion"],
        ("dma", ""),
    ),
    **dict.fromkeys(
        ["dispatch_engineer", "dispatch_engineerqualification", "dispatch_shift", "dispatch_leave"], ("dma", "dma")
    ),
    **dict.fromkeys(["kernel_eventrecord", "integrations_notification", "integrations_delivery"], ("ma", "")),
    "tickets_savedview": ("ma", "ma"),
    "assets_user": ("ma", "a"),
    "assets_person": ("a", ""),
    "integrations_apitoken": ("a", ""),
}  # fmt: skip

ADDRESSES = every_address()
PLAIN = [a for a in ADDRESSES if not a.name.startswith(("account_", "mfa_", "admin:")) and a.name not in OPEN]


@pytest.fixture
def house(ventilator: Device, stopped: FaultPreset, nurse: User, engineer: User, dispatcher: User, now: datetime,
          settings: Any, tmp_path: Any) -> Callable[[Address], str]:  # fmt: skip
    """A ward's ticket in an engineer's hands with all that hangs on it; returns the path of an address to just that."""
    settings.MEDIA_ROOT = tmp_path
    ticket = lifecycle.submit(device=ventilator, preset=stopped, by=nurse, at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    photo = Attachment(ticket=ticket, kind="photo", content_type="image/jpeg", size=1, sha256="0" * 64, at=now)
    photo.file.save("p.jpg", ContentFile(b"x"))
    view = SavedView.objects.create(owner=engineer, name="mine", query={"open": "1"})
    told = Notification.objects.create(
        user=engineer, template="assigned", params={"ticket": ticket.public_id}, dedup="1", at=now
    )
    common = {"public_id": ticket.public_id, "token": token_of(ventilator), "verb": "accept", "form": "csv", "key": "x",
              "uidb36": "1", "id": "1", "pk": "1", "object_id": "1", "content_type_id": "1",
              "app_label": "tickets", "url": "nowhere/"}  # fmt: skip
    special = {
        "api-device": {"public_id": ventilator.public_id},
        "file": {"public_id": photo.public_id},
        "ward:track": {"token": ticket.tracking_token},
        "ward:act": {"token": ticket.tracking_token, "verb": "nudge"},
        "desk:delete-view": {"pk": str(view.pk)},
        "notifications-follow": {"pk": str(told.pk)},
    }
    return lambda address: address.filled(common | special.get(address.name, {}))


def ask(client: Client, method: str, address: Address, path: str) -> HttpResponse:
    """One request whose effects are undone, so that the next one finds the same house."""
    with transaction.atomic():
        body = {"content_type": "application/json"} if address.name.startswith("api-") else {}
        answer = client.get(path) if method == "get" else client.post(path, {}, **body)
        transaction.set_rollback(True)
    return answer


def test_a_stranger_gets_in_at_no_door_but_the_open_ones(house: Callable[[Address], str], client: Client) -> None:
    got_in, surprised = [], []
    for address in ADDRESSES:
        for method, position in (("get", 0), ("post", 1)):
            answer = ask(client, method, address, house(address))
            if address.name in OPEN:
                if answer.status_code != OPEN[address.name][position]:
                    surprised.append((method, address.name, answer.status_code))
            elif not is_refusal(answer):
                got_in.append((method, address.name, answer.status_code))

    assert got_in == []
    assert surprised == []


def is_refusal(answer: HttpResponse) -> bool:
    sent_away = answer.status_code in (301, 302) and answer["Location"].startswith(SIGN_IN)
    return sent_away or answer.status_code in REFUSED


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


def test_every_door_stands_in_the_table() -> None:
    assert {address.name for address in PLAIN} == set(DOORS)


@pytest.fixture
def roles(request: pytest.FixtureRequest, signed_in: Callable[[User], Client]) -> dict[str, Client]:
    return {who: signed_in(request.getfixturevalue(who)) for who in WHO}


def test_each_role_gets_what_the_table_says(house: Callable[[Address], str], roles: dict[str, Client]) -> None:
    wrong = []
    for address in PLAIN:
        for method, expected in zip(("get", "post"), DOORS[address.name], strict=True):
            said = "".join(letter(ask(client, method, address, house(address))) for client in roles.values())
            if said != expected if expected != NONE else not set(said) <= set("-nh"):
                wrong.append((method, address.pattern, f"{said} instead of {expected}"))

    assert wrong == []


def letter(answer: HttpResponse) -> str:
    """How the table spells an answer; nothing may end as a server error."""
    code = answer.status_code
    assert code < 500
    known = {401: "n", 403: "n", 404: "h", 405: "-"}
    return known.get(code, "y")


def test_every_admin_list_stands_in_the_table() -> None:
    lists = {
        a.name.removeprefix("admin:").removesuffix("_changelist") for a in ADDRESSES if a.name.endswith("_changelist")
    }

    assert lists == set(LISTS)


def test_admin_lists_open_to_those_who_own_them(roles: dict[str, Client]) -> None:
    path_of: Mapping[str, Address] = {address.name: address for address in ADDRESSES}
    wrong = []
    for model, rights in LISTS.items():
        paths = [path_of[f"admin:{model}_{door}"].filled({}) for door in ("changelist", "add")]
        for path, allowed in zip(paths, rights, strict=True):
            for who, client in roles.items():
                answer = client.get(path)
                staff = who in ("dispatcher", "manager", "admin_user")
                right = answer.status_code == (200 if who[0] in allowed else 403) if staff else is_refusal(answer)
                if not right:
                    wrong.append((who, path, answer.status_code))

    assert wrong == []


# --- sockets ---------------------------------------------------------------------------------------------------------


def knock(path: str, origin: str | None) -> ApplicationCommunicator:
    headers = [(b"host", b"testserver")] + ([(b"origin", origin.encode())] if origin else [])
    scope = {"type": "websocket", "path": path, "query_string": b"after=0", "headers": headers, "subprotocols": []}
    return ApplicationCommunicator(asgi.application, scope | {"user": AnonymousUser()})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("route", asgi.sockets, ids=lambda route: str(route.pattern))
@pytest.mark.parametrize("origin", ["http://testserver", "http://evil.example", "http://testserver.evil.example", None])
async def test_a_socket_tells_a_stranger_nothing(route: Any, origin: str | None) -> None:
    channel = knock(f"/{route.pattern}", origin)
    await channel.send_input({"type": "websocket.connect"})

    said = await channel.receive_output(timeout=5)
    if said["type"] == "websocket.accept":  # only to say why: a browser shows no reason of a refused handshake
        assert origin == "http://testserver"
        said = await channel.receive_output(timeout=5)

    assert said["type"] == "websocket.close"
    assert said.get("code") in (4401, 4403, 1000, None)
    await channel.send_input({"type": "websocket.disconnect", "code": 1000})
    await channel.wait(timeout=5)
