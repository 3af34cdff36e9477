"""Guessing at every door on a moved clock. `--full` runs the counts of the security reference."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.http import HttpResponse
from django.test import Client
from django.utils import translation

from assets.models import User
from config.kernel.models import EventRecord
from config.rights import RoleBackend
from integrations.models import Notification
from integrations.notifications.queries import shown
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
WARD = "10.1.0.1"
QUARTER = timedelta(minutes=15, seconds=1)


@pytest.fixture(autouse=True)
def _locks(settings: Any) -> None:
    settings.AXES_ENABLED = True


@pytest.fixture
def tries(full: bool) -> int:
    return 9_990 if full else 60  # in rounds of 30


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def web(name: str, password: str, address: str, **headers: str) -> bool | None:
    """True: signed in; False: wrong; None: not even looked at."""
    return _meant(
        Client().post("/accounts/login/", {"login": name, "password": password}, REMOTE_ADDR=address, headers=headers)
    )


def token(name: str, password: str, address: str, **headers: str) -> bool | None:
    answer = Client().post(
        "/api/v1/auth/token/", {"username": name, "password": password}, "application/json",
        REMOTE_ADDR=address, headers=headers,
    )  # fmt: skip
    return _meant(answer)


def _meant(answer: HttpResponse) -> bool | None:
    if answer.status_code == 429:
        return None
    assert answer.status_code in (200, 302, 401), answer.content
    return answer.status_code == 302 or b'"token"' in answer.content


DOORS = {"web": web, "token": token}


@pytest.fixture(params=DOORS)
def door(request: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool | None]:
    """A door with its lock; the throttle by address in front of the token door has a test of its own."""
    monkeypatch.setattr("integrations.identity.api.TokenDoorThrottle.rate", "100000/min", raising=False)
    return DOORS[request.param]


@pytest.fixture(autouse=True)
def guesses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names whose password was really compared, in order: the only guesses that can be right."""
    compared: list[str] = []
    authenticate = RoleBackend.authenticate

    def counted(self: RoleBackend, request: Any, username: str = "", password: str = "", **more: Any) -> Any:
        compared.append(username)
        return authenticate(self, request, username=username, password=password, **more)

    monkeypatch.setattr(RoleBackend, "authenticate", counted)
    return compared


def test_one_address_gets_five_guesses_at_one_account_in_15_minutes(
    clock: Any, tries: int, engineer: User, door: Callable[..., bool | None], guesses: list[str]
) -> None:
    for n in range(tries):
        door("li", f"wrong-{n}", "203.0.113.7")
        if n % 30 == 29:
            clock.shift(QUARTER)

    assert len(guesses) == 5 * (tries // 30)


def test_the_owner_signs_in_from_another_address_meanwhile(
    clock: Any, engineer: User, door: Callable[..., bool | None]
) -> None:
    for n in range(20):
        door("li", f"wrong-{n}", "203.0.113.7")

    assert door("li", factories.PASSWORD, WARD) is True
    assert door("li", factories.PASSWORD, "203.0.113.7") is None


def test_many_addresses_together_get_ten_guesses_and_the_owner_keeps_his_own(
    clock: Any, tries: int, engineer: User, door: Callable[..., bool | None], guesses: list[str]
) -> None:
    """500 addresses with the full counts; without the budget of the account each would have five guesses."""
    assert web("li", factories.PASSWORD, WARD) is True
    clock.shift(timedelta(days=30))
    guesses.clear()

    for n in range(max(tries, 60)):
        door("li", f"wrong-{n}", f"198.51.{n % 500 // 250}.{n % 250 + 1}")

    assert len(guesses) == 10
    assert door("li", factories.PASSWORD, WARD) is True  # a place that knows him
    assert door("li", factories.PASSWORD, "198.51.100.99") is None
    clock.shift(QUARTER)
    assert door("li", factories.PASSWORD, "198.51.100.99") is True


def test_a_ward_behind_one_address_is_not_locked_out_by_one_who_guesses(
    clock: Any, engineer: User, nurse: User, door: Callable[..., bool | None], guesses: list[str]
) -> None:
    for n in range(30):
        door(f"nobody-{n}", "wrong", WARD)
        door("li", f"wrong-{n}", WARD)

    assert len(guesses) == 30 + 5
    assert door("nurse", factories.PASSWORD, WARD) is True


def test_one_guess_a_minute_for_a_day_stays_within_five_a_quarter(
    clock: Any, tries: int, engineer: User, guesses: list[str]
) -> None:
    minutes = 1440 if tries >= 1440 else 90
    for n in range(minutes):
        web("li", f"wrong-{n}", "203.0.113.7")
        clock.shift(timedelta(minutes=1))

    assert 5 <= len(guesses) <= 5 * (minutes // 15 + 1)
    assert web("li", factories.PASSWORD, WARD) is True


@pytest.mark.parametrize(
    ("proxies", "chain", "seen"), [(0, "6.6.%s.6", "10.9.9.9"), (1, "6.6.%s.6, 192.0.2.7", "192.0.2.7")]
)
def test_a_changing_forwarded_for_buys_nothing(
    clock: Any, engineer: User, settings: Any, door: Callable[..., bool | None], guesses: list[str],
    proxies: int, chain: str, seen: str,
) -> None:  # fmt: skip
    settings.TRUSTED_PROXIES = proxies
    for n in range(20):
        door("li", f"w-{n}", "10.9.9.9", **{"X-Forwarded-For": chain % n})

    assert len(guesses) == 5
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {seen}


WRITINGS = ["li", "LI", "Li", "ｌｉ", "ＬＩ", " li", "li ", "l\u2170", "lİ", "lı", "li\u0307", "ⓛⓘ"]


def test_other_writings_of_a_name_get_no_guesses_of_their_own(
    clock: Any, engineer: User, door: Callable[..., bool | None], guesses: list[str]
) -> None:
    """Width, case and space count as one name; what is another name never reaches this account's password."""
    for writing in WRITINGS:
        for n in range(3):
            door(writing, f"wrong-{n}", "203.0.113.7")

    one_name = [name for name in guesses if unicodedata.normalize("NFKC", name).casefold() == "li"]
    assert len(one_name) == 5
    signed_in = {writing for writing in WRITINGS if door(writing, factories.PASSWORD, "192.0.2.200")}
    assert signed_in <= {"li", " li", "li "}


@pytest.mark.parametrize("name", ["x" * 5000, "\ufdfa" * 150, "\0", "li\0", "😀" * 150, "'; --", "e\u0301" * 75])
def test_a_monstrous_name_is_only_a_wrong_name(name: str, clock: Any) -> None:
    assert web(name, "wrong", WARD) is False
    answer = Client().post("/api/v1/auth/token/", {"username": name, "password": "x"}, "application/json")
    assert answer.status_code in (400, 401)
    assert all(len(known) <= 150 for known in AccessAttempt.objects.values_list("username", flat=True))


def test_the_token_door_takes_ten_questions_a_minute_from_one_address(
    clock: Any, engineer: User, guesses: list[str]
) -> None:
    for n in range(30):
        token(f"nobody-{n}", "wrong", "203.0.113.7")

    assert len(guesses) == 10
    clock.shift(timedelta(seconds=61))
    assert token("li", factories.PASSWORD, "203.0.113.7") is True


def test_a_locked_account_is_refused_in_words_by_both_doors(clock: Any, engineer: User) -> None:
    for n in range(5):
        web("li", f"wrong-{n}", WARD)

    page = Client().post("/accounts/login/", {"login": "li", "password": factories.PASSWORD}, REMOTE_ADDR=WARD)
    problem = Client().post(
        "/api/v1/auth/token/", {"username": "li", "password": factories.PASSWORD}, "application/json", REMOTE_ADDR=WARD
    )

    assert (page.status_code, page["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert (problem.status_code, problem["Content-Type"]) == (429, "application/problem+json")


def test_who_keeps_accounts_hears_of_it_at_once_and_once_an_hour(
    clock: Any, engineer: User, manager: User, admin_user: User, nurse: User
) -> None:
    for n in range(30):
        web("li", f"wrong-{n}", f"203.0.113.{n % 3}")
        web("nobody", f"wrong-{n}", "203.0.113.9")

    told = Notification.objects.filter(template="guessed")
    assert {(note.user.username, note.at) for note in told} == {("manager", START), ("admin", START)}
    with translation.override("zh-hans"):
        assert shown(told, manager)[0].title == "有人在猜 李工 的密码"
    facts = EventRecord.objects.filter(type="PasswordGuessed")
    assert {fact.subject for fact in facts} == {f"person:{engineer.person.public_id}"}
    assert "li" not in {str(value) for fact in facts for value in fact.data.values()}


# --- the second factor -----------------------------------------------------------------------------------------------


@pytest.fixture
def secured(manager: User) -> tuple[User, str, list[str]]:
    """何军 with TOTP and recovery codes: (account, TOTP secret, codes)."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    TOTP.activate(manager, secret)
    codes = RecoveryCodes.activate(manager)
    return manager, secret, codes.get_unused_codes()


def half_signed_in(address: str = WARD) -> Client:
    client = Client(REMOTE_ADDR=address)
    answer = client.post("/accounts/login/", {"login": "manager", "password": factories.PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    return client


def current(secret: str) -> str:
    """The code that the owner's phone shows at the moved clock."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def offer(client: Client, code: str) -> bool:
    return client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302


@pytest.mark.parametrize("wrong", ["000000", "aaaaaaaa"], ids=["totp", "recovery"])
def test_five_wrong_codes_and_the_second_factor_is_closed_for_15_minutes(
    clock: Any, secured: tuple[User, str, list[str]], wrong: str
) -> None:
    for n in range(5):  # a new sign-in each time does not bring new tries
        assert offer(half_signed_in(f"10.1.0.{n}"), wrong) is False

    client = half_signed_in("10.1.0.77")
    assert offer(client, current(secured[1])) is False
    assert offer(client, secured[2][0]) is False

    clock.shift(QUARTER)
    assert offer(half_signed_in(), current(secured[1])) is True


def test_a_code_works_once(clock: Any, secured: tuple[User, str, list[str]]) -> None:
    code = current(secured[1])

    assert offer(half_signed_in(), code) is True
    assert offer(half_signed_in(), code) is False
    assert offer(half_signed_in(), secured[2][0]) is True
    assert offer(half_signed_in(), secured[2][0]) is False


def test_a_password_alone_opens_nothing_of_an_account_with_a_second_factor(
    clock: Any, secured: tuple[User, str, list[str]]
) -> None:
    client = half_signed_in()

    assert client.get("/desk/").status_code == 302
    assert "_auth_user_id" not in client.session
    answer = client.post(
        "/api/v1/auth/token/", {"username": "manager", "password": factories.PASSWORD}, "application/json"
    )
    assert answer.status_code == 403


def test_recovery_codes_are_kept_from_readers_of_the_table(secured: tuple[User, str, list[str]]) -> None:
    stored = "".join(str(row.data) for row in Authenticator.objects.all())

    assert not any(code in stored for code in secured[2])
    assert secured[1] not in stored


@pytest.mark.parametrize("path", ["/accounts/reauthenticate/", "/accounts/password/change/"])
def test_a_stolen_session_guesses_the_password_five_times_in_15_minutes(
    clock: Any, engineer: User, signed_in: Callable[[User], Client], path: str
) -> None:
    client = signed_in(engineer)
    new = "Brand-new-pass-8261"
    for n in range(5):
        client.post(path, {"password": f"w{n}", "oldpassword": f"w{n}", "password1": new, "password2": new})

    right = {"password": factories.PASSWORD, "oldpassword": factories.PASSWORD, "password1": new, "password2": new}
    assert client.post(path, right).status_code == 429
    assert User.objects.get(pk=engineer.pk).check_password(factories.PASSWORD)
