"""A database, a disk or a Redis that is away for a moment: an answer with a time to come back, or no notice at all."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache.backends.redis import RedisCache
from django.db import DatabaseError, InterfaceError, OperationalError, ProgrammingError
from django.test import Client
from psycopg_pool.base import AttemptWithBackoff
from redis.exceptions import ConnectionError as RedisGone

from assets.models import Device, User
from config.kernel import counters
from config.kernel.away import is_away
from config.kernel.counters import SteadyCache
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (OperationalError("server closed the connection unexpectedly"), True),
        (OperationalError("database is locked"), True),
        (OperationalError("database or disk is full"), True),
        (InterfaceError("connection already closed"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OperationalError("no such table: tickets_ticket"), False),
        (OperationalError('near "FORM": syntax error'), False),
        (OSError(errno.EACCES, "Permission denied"), False),
        (ProgrammingError("column x does not exist"), False),
        (DatabaseError("database disk image is malformed"), False),
        (ValueError("x"), False),
        (None, False),
    ],
)
def test_what_passes_by_itself_is_away_and_nothing_else(error: BaseException | None, away: bool) -> None:
    assert is_away(error) is away


@pytest.mark.django_db
def test_the_api_says_when_to_come_back(
    signed_in: Callable[[User], Client], nurse: User, ventilator: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_fields: Any) -> None:
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(lifecycle, "submit", gone)
    body = {"device": ventilator.public_id, "symptom": "ventilator-stopped", "in_use": True, "danger": []}
    answer = signed_in(nurse).post("/api/v1/tickets/", body, content_type="application/json")

    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (503, "2", "application/problem+json")
    assert answer.json()["type"] == "urn:wardline:away"
    assert not Ticket.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status"), [(OperationalError("gone"), 503), (ValueError("a mistake"), 500)])
def test_a_page_says_when_to_come_back_even_if_the_session_cannot_be_read(
    signed_in: Callable[[User], Client], nurse: User, error: Exception, status: int
) -> None:
    client = signed_in(nurse)
    client.raise_request_exception = False
    with patch("django.contrib.sessions.backends.db.SessionStore._get_session_from_db", side_effect=error):
        answer = client.get("/desk/")

    assert (answer.status_code, answer.get("Retry-After")) == (status, "2" if status == 503 else None)
    assert answer["Content-Type"].startswith("text/html")


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> SteadyCache:
    monkeypatch.setattr(counters, "_away_until", 0.0)
    cache = SteadyCache("redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 0.3}})
    cache.own.clear()
    return cache


def test_limits_still_count_while_redis_is_away(steady: SteadyCache) -> None:
    assert steady.add("guesses", 0, timeout=60)
    assert [steady.incr("guesses") for _n in range(3)] == [1, 2, 3]
    assert steady.get("guesses") == 3
    assert steady.get_many(["guesses", "other"]) == {"guesses": 3}


def test_redis_is_asked_once_a_second_while_it_is_away(steady: SteadyCache) -> None:
    with patch.object(RedisCache, "get", side_effect=RedisGone) as redis:
        for _n in range(50):
            steady.get("anything")

    assert redis.call_count == 1


def test_redis_is_used_again_when_it_is_back(steady: SteadyCache, monkeypatch: pytest.MonkeyPatch) -> None:
    steady.get("anything")
    monkeypatch.setattr(counters.time, "monotonic", lambda: counters._away_until + 0.1)

    with patch.object(RedisCache, "get", return_value="shared"):
        assert steady.get("anything") == "shared"


def test_a_pool_dials_a_database_that_is_away_at_a_steady_pace() -> None:
    attempt, pauses = AttemptWithBackoff(timeout=300), []
    for second in range(20):
        attempt.update_delay(float(second))
        pauses.append(attempt.delay)

    assert max(pauses) < 0.5
