"""`manage.py demo`: its contract, its refusals, and that it loads at whatever hour somebody tries it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from assets.models import Device, User
from config.kernel.errors import NotAllowedNow
from integrations.management.commands.demo import PASSWORDS
from integrations.sandbox import rules, services
from tests import factories
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

AFTERNOON = datetime(2026, 11, 18, 6, 21, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def printed(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    with redirect_stdout(out):
        call_command("demo", *arguments, stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


@pytest.mark.parametrize("hour", [3, 17])
def test_it_loads_at_any_hour(hour: int) -> None:
    sunday = datetime(2026, 11, 22, hour, 31, tzinfo=UTC)

    made = services.load(now=sunday, passwords=PASSWORDS, scale=0.05)

    assert made["open_tickets"] == 30
    assert not Ticket.objects.filter(reported_at__gt=sunday).exists()


def test_the_same_seed_tells_the_same_past() -> None:
    device = rules.SimDevice(0, 9.0, ["a", "b"], [1.0, 2.0], 0.2)
    start = AFTERNOON - timedelta(days=365)

    once, again = (rules.arrivals([device], start, AFTERNOON, seed=4) for _n in range(2))
    other = rules.arrivals([device], start, AFTERNOON, seed=5)

    assert once == again != other
    assert all(start <= t.reported_at < AFTERNOON for t in once)


def test_it_refuses_a_database_that_holds_anything(settings: Any, icu: Any) -> None:
    settings.DEBUG = True
    factories.user("zhang", "manager", name="张主任")

    with pytest.raises(NotAllowedNow):
        services.load(now=AFTERNOON, passwords=PASSWORDS)
    with pytest.raises(CommandError, match="not empty"):
        call_command("demo")

    assert User.objects.count() == 1
    assert not Device.objects.exists()


def test_it_refuses_outside_debug_unless_asked_on_purpose(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = False
    monkeypatch.delenv("WARDLINE_DEMO", raising=False)

    with pytest.raises(CommandError, match="WARDLINE_DEMO"):
        call_command("demo")

    assert not User.objects.exists()


def test_it_prints_the_contract_and_nothing_else(settings: Any) -> None:
    settings.DEBUG = True

    said = printed("--json", "--scale", "0.05")

    assert set(said) == {"base_url", "logins", "devices"}
    assert [login["role"] for login in said["logins"]] == ["nurse", "engineer", "dispatcher", "manager", "admin"]
    for login in said["logins"]:
        assert set(login) == {"role", "username", "password"}
        account = User.objects.get(username=login["username"])
        assert account.role == login["role"]
        assert len(login["password"]) >= 12
        assert account.check_password(login["password"])
    assert len({d["public_id"] for d in said["devices"]}) == 5
    assert not Ticket.objects.filter(simulated=False).exists(), "asking whom dispatch would send left a ticket behind"
    for entry in said["devices"]:
        assert set(entry) == {"name", "public_id", "report_url", "short_code"}
        device = Device.objects.get(public_id=entry["public_id"])
        assert not device.tickets.open().exists()
        assert device.usable
        assert entry["report_url"].startswith(f"{said['base_url']}/q/")


def test_it_knows_a_real_hospital_from_its_own(settings: Any, icu: Any) -> None:
    settings.DEBUG = True
    factories.user("nurse", "nurse", name="陈护士")

    with pytest.raises(CommandError, match="does not hold"):
        printed("--json")
