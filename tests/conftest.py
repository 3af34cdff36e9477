"""The named cast and the moment most tests happen at. Rules (calendars, targets, ladder) are the shipped defaults."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.utils import translation

from assets.models import Department, Device, FaultPreset, User
from assets.register.rules import check_symbol
from tests import factories
from tickets.sla.queries import forget_rulebook
from tickets.sla.services import install_defaults

FIGURES = pytest.StashKey[dict[str, Counter[str]]]()
NOW = datetime(2026, 11, 18, 6, 21, 8, tzinfo=UTC)  # a Wednesday, 14:21:08 in Shanghai


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="proofs at full count: matrix, fuzz")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = defaultdict(Counter)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of `-n` hands its counts to the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = {
            name: dict(counts) for name, counts in session.config.stash[FIGURES].items()
        }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for name, counts in node.workeroutput.get("figures", {}).items() if hasattr(node, "workeroutput") else ():
        node.config.stash[FIGURES][name].update(counts)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """What the proofs counted, one line each."""
    for proof, counts in config.stash[FIGURES].items():
        terminalreporter.line(
            f"{proof}: " + ", ".join(f"{round(number, 2):,} {name}" for name, number in counts.items())
        )


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether proofs run at full count."""
    return bool(request.config.getoption("--full"))


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`figures("matrix", requests=7)` adds to what is printed at the end."""
    return lambda proof, **counts: request.config.stash[FIGURES][proof].update(counts)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """SQLite empties tables by DELETE after a transactional test, which the append-only trigger rightly refuses."""
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS event_no_delete")


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    """Nothing remembered in the process reaches the next test."""
    cache.clear()
    forget_rulebook()
    translation.deactivate()  # a request leaves its language to the thread


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def rules(db: None) -> None:
    """The shipped calendars, targets, ladder, matrix and hold reasons; without their first history, half of the work."""
    with override_settings(SIMPLE_HISTORY_ENABLED=False):
        install_defaults()
    forget_rulebook()


@pytest.fixture
def icu(rules: None) -> Department:
    return factories.department("ICU", "重症医学科")


@pytest.fixture
def surgery(rules: None) -> Department:
    return factories.department("SUR", "普外科")


@pytest.fixture
def ventilator(icu: Department) -> Device:
    """C1, life support, in the ICU, with one symptom `ventilator-stopped`."""
    group = factories.group()
    factories.preset(group)
    factories.preset(group, "ventilator-other", "其他\n说不清", default_impact="I3")
    return factories.device(icu, factories.device_type(group), short_code="7K3Q9" + check_symbol("7K3Q9"))


@pytest.fixture
def monitor(surgery: Department) -> Device:
    """C3, not life support, in surgery, with one symptom `monitor-spo2`."""
    group = factories.group("monitor", "监护仪")
    factories.preset(group, "monitor-spo2", "血氧不准", default_impact="I3", category="accessory", name_en="SpO2 probe")
    kind = factories.device_type(
        group, criticality="C3", life_support=False, required_skill=factories.skill("monitoring")
    )
    return factories.device(surgery, kind, model="PM-9")


@pytest.fixture
def stopped(ventilator: Device) -> FaultPreset:
    return FaultPreset.objects.get(code="ventilator-stopped")


@pytest.fixture
def spo2(monitor: Device) -> FaultPreset:
    return FaultPreset.objects.get(code="monitor-spo2")


@pytest.fixture
def nurse(icu: Department) -> User:
    return factories.user("nurse", "nurse", home=icu, name="陈护士")


@pytest.fixture
def outsider(surgery: Department) -> User:
    """A ward account of another department."""
    return factories.user("outsider", "nurse", home=surgery, name="吴护士")


@pytest.fixture
def engineer(rules: None, now: datetime) -> User:
    """李工: respiratory and monitoring, on shift."""
    return factories.engineer("li", at=now, name="李志远", skills={"respiratory": 3, "monitoring": 2})


@pytest.fixture
def colleague(rules: None, now: datetime) -> User:
    """王工: the same skills one level lower, on shift."""
    return factories.engineer("wang", at=now, name="王建国", skills={"respiratory": 2, "monitoring": 2})


@pytest.fixture
def dispatcher(rules: None) -> User:
    return factories.user("dispatcher", "dispatcher", name="周敏")


@pytest.fixture
def manager(rules: None) -> User:
    return factories.user("manager", "manager", name="何军")


@pytest.fixture
def admin_user(rules: None) -> User:
    return factories.user("admin", "admin", name="系统管理员")


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser that is signed in as somebody."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="config.rights.RoleBackend")
        return client

    return sign_in
