"""How a sign-in begins, what ends it, and that what ends it ends it everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client

from assets.models import User
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
BOARD = "/desk/"
NEW = "Brand-new-pass-8261"


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def sign_in(user: User, client: Client | None = None, password: str = factories.PASSWORD) -> Client:
    client = client or Client()
    answer = client.post("/accounts/login/", {"login": user.username, "password": password})
    assert answer.status_code == 302, answer.content.decode()[:500]
    return client


def is_in(client: Client) -> bool:
    answer = client.get(BOARD)
    assert answer.status_code in (200, 302)
    return answer.status_code == 200


def key(client: Client) -> str:
    return client.cookies["sessionid"].value


def copy_of(client: Client) -> Client:
    twin = Client()
    twin.cookies["sessionid"] = key(client)
    return twin


def test_signing_in_gives_a_new_id_and_the_old_one_is_dead(dispatcher: User) -> None:
    browser = Client()
    browser.get("/accounts/login/")
    planted = Client().session
    planted["x"] = 1
    planted.save()
    browser.cookies["sessionid"] = planted.session_key

    sign_in(dispatcher, browser)

    thief = Client()
    thief.cookies["sessionid"] = planted.session_key
    assert key(browser) != planted.session_key
    assert not is_in(thief)
    assert not Session.objects.filter(session_key=planted.session_key).exists()


@pytest.mark.parametrize("made_up", ["a" * 32, "", "../../etc/passwd", "x" * 5000])
def test_an_id_that_the_server_did_not_give_is_never_taken_up(dispatcher: User, made_up: str) -> None:
    browser = Client()
    browser.cookies["sessionid"] = made_up

    sign_in(dispatcher, browser)

    assert key(browser) != made_up
    assert len(key(browser)) == 32


def test_another_person_in_the_same_browser_inherits_nothing(dispatcher: User, manager: User) -> None:
    browser = sign_in(dispatcher)
    first = key(browser)

    browser.post("/accounts/logout/")
    sign_in(manager, browser)

    assert key(browser) != first
    assert not Session.objects.filter(session_key=first).exists()


def test_signing_out_ends_the_session_on_the_server(dispatcher: User) -> None:
    browser = sign_in(dispatcher)
    twin = copy_of(browser)
    assert is_in(twin)

    browser.post("/accounts/logout/")

    assert not is_in(browser)
    assert not is_in(twin)
    assert Session.objects.count() == 0


def test_a_get_signs_nobody_out(dispatcher: User) -> None:
    browser = sign_in(dispatcher)

    browser.get("/accounts/logout/")
    browser.get("/admin/logout/")

    assert is_in(browser)


def test_a_session_lasts_twelve_hours_however_busy_it_is(clock: Any, dispatcher: User) -> None:
    browser = sign_in(dispatcher)
    for _hour in range(11):
        clock.shift(timedelta(hours=1))
        browser.post("/i18n/setlang/", {"language": "en"})
        session = browser.session
        session["touched"] = True
        session.save()
        assert is_in(browser)

    clock.shift(timedelta(hours=1, seconds=1))

    assert not is_in(browser)


def test_an_unused_session_ends_after_twelve_hours_and_so_does_a_token(clock: Any, dispatcher: User) -> None:
    browser, token = sign_in(dispatcher), token_of(dispatcher)

    clock.shift(timedelta(hours=12, seconds=1))

    assert not is_in(browser)
    assert tickets(token).status_code == 401


def test_the_admin_asks_for_the_password_again_after_a_quarter_of_an_hour(
    clock: Any, manager: User, settings: Any
) -> None:
    settings.ADMIN_IDLE = timedelta(minutes=15)
    browser = sign_in(manager)
    for _visit in range(3):  # work keeps it open
        clock.shift(timedelta(minutes=14))
        assert browser.get("/admin/").status_code == 200
    clock.shift(timedelta(minutes=16))

    asked = browser.get("/admin/assets/device/?q=1")
    again = browser.post(asked["Location"], {"password": factories.PASSWORD})

    assert asked["Location"] == "/accounts/reauthenticate/?next=/admin/assets/device/%3Fq%3D1"
    assert is_in(browser)  # the desk is not the admin
    assert again["Location"] == "/admin/assets/device/?q=1"
    assert browser.get("/admin/").status_code == 200


def token_of(user: User, password: str = factories.PASSWORD) -> str:
    given = {"username": user.username, "password": password}
    answer: HttpResponse = Client().post("/api/v1/auth/token/", given, "application/json")
    return str(answer.json()["token"])


def tickets(token: str) -> HttpResponse:
    return Client(headers={"Authorization": f"Token {token}"}).get("/api/v1/tickets/")


def test_a_new_password_ends_every_other_session_and_every_token(dispatcher: User) -> None:
    here, there, token = sign_in(dispatcher), sign_in(dispatcher), token_of(dispatcher)
    before = key(here)
    change = {"oldpassword": factories.PASSWORD, "password1": NEW, "password2": NEW}

    assert here.post("/accounts/password/change/", change).status_code == 302

    assert is_in(here)
    assert key(here) != before
    assert not is_in(there)
    assert tickets(token).status_code == 401
    assert tickets(token_of(dispatcher, NEW)).status_code == 200


def test_a_closed_account_is_out_everywhere_with_the_next_request(dispatcher: User) -> None:
    browser, token = sign_in(dispatcher), token_of(dispatcher)
    assert tickets(token).status_code == 200

    User.objects.filter(pk=dispatcher.pk).update(is_active=False)

    assert not is_in(browser)
    assert tickets(token).status_code == 401
    again = Client().post("/accounts/login/", {"login": "dispatcher", "password": factories.PASSWORD})
    assert again.status_code == 200
    assert not Session.objects.filter(session_key=again.cookies.get("sessionid", "")).exists()


def test_another_role_counts_from_the_next_request(dispatcher: User) -> None:
    browser, token = sign_in(dispatcher), token_of(dispatcher)

    User.objects.filter(pk=dispatcher.pk).update(role="nurse", is_staff=False)

    assert browser.get(BOARD).status_code == 403
    assert tickets(token).json()["results"] == []


def test_a_revoked_token_is_dead_at_once(dispatcher: User) -> None:
    token, other = token_of(dispatcher), token_of(dispatcher)

    Client(headers={"Authorization": f"Token {token}"}).post("/api/v1/auth/token/revoke/")

    assert tickets(token).status_code == 401
    assert tickets(other).status_code == 200


def test_the_form_secret_changes_with_the_sign_in(dispatcher: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")
    before = browser.cookies["csrftoken"].value

    given = {"login": "dispatcher", "password": factories.PASSWORD, "csrfmiddlewaretoken": before}
    assert browser.post("/accounts/login/", given).status_code == 302

    assert browser.cookies["csrftoken"].value != before
    old = {"language": "en", "csrfmiddlewaretoken": before}
    assert browser.post("/i18n/setlang/", old).status_code == 403


def test_a_page_is_not_kept_for_the_back_button(dispatcher: User, engineer: User) -> None:
    for user, path in ((dispatcher, BOARD), (engineer, "/field/"), (dispatcher, "/api/v1/tickets/")):
        assert {"no-store", "private"} <= set(sign_in(user).get(path)["Cache-Control"].split(", "))


def test_cookies_are_host_only_secure_and_out_of_reach_of_scripts(
    dispatcher: User, in_production: Callable[..., Client]
) -> None:
    browser = in_production()
    browser.get("/accounts/login/")
    browser.post("/i18n/setlang/", {"language": "en"})
    sign_in(dispatcher, browser)

    assert set(browser.cookies) == {"__Host-sid", "__Host-csrf", "__Host-lang"}
    for cookie in browser.cookies.values():
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax"), cookie.key
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_a_report_sent_again_after_signing_out_still_arrives(dispatcher: User, ventilator: Any) -> None:
    """The ward's phone needs no session, so nothing that waits on it is lost with one."""
    from assets.register.queries import token_of as code_of

    browser = sign_in(dispatcher)
    browser.post("/accounts/logout/")

    sent = browser.post(f"/q/{code_of(ventilator)}/", {"in_use": "yes", "symptom": "ventilator-stopped"})

    assert sent.status_code == 303


@pytest.mark.django_db(transaction=True)
async def test_sockets_of_a_session_that_ended_close(dispatcher: User) -> None:
    from tests.tickets.desk.test_socket import dial

    browser = await sync_to_async(sign_in)(dispatcher)
    channel = dial(dispatcher, session=browser.session)
    await channel.connect()

    await sync_to_async(browser.post)("/accounts/logout/")

    said: dict[str, Any] = {}
    while said.get("type") != "websocket.close":
        said = await channel.receive_output(timeout=4)
    assert said["code"] == 4401
    await channel.disconnect()
