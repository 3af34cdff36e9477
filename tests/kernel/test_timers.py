"""Deadlines of the kernel: once, with the handler's own transaction, and kept when the handler fails."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from assets.models import Department
from config.kernel import timers
from config.kernel.errors import NotAllowedNow
from config.kernel.models import Timer
from tests import factories
from tests.dispatch.rivals import at_once
from tickets.lifecycle import jobs

CALL = "tickets.lifecycle.jobs.rehearse"
SECOND = timedelta(seconds=1)


class Handler:
    """Stands where a job stands, remembers its calls and leaves a row behind, so that a rollback can be seen."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, datetime]] = []
        self.trouble: Exception | None = None

    def __call__(self, name: str, *, at: datetime) -> None:
        factories.department(f"{name}-{len(self.calls)}")
        self.calls.append((name, at))
        if self.trouble:
            raise self.trouble


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Handler:
    stands_in = Handler()
    monkeypatch.setattr(jobs, "rehearse", stands_in, raising=False)
    return stands_in


@pytest.mark.django_db
def test_a_timer_fires_at_its_second_and_not_before(handler: Handler, now: datetime) -> None:
    timers.set_timer("one", now + SECOND, CALL, "a")

    assert timers.fire_due(now) == 0
    assert timers.fire_due(now + SECOND) == 1
    assert timers.fire_due(now + 2 * SECOND) == 0

    assert handler.calls == [("a", now + SECOND)]
    assert not Timer.objects.exists()


@pytest.mark.django_db
def test_one_key_is_one_timer_and_the_last_word_counts(handler: Handler, now: datetime) -> None:
    timers.set_timer("one", now, CALL, "early")
    timers.set_timer("one", now + SECOND, CALL, "late")

    assert timers.fire_due(now) == 0
    assert timers.fire_due(now + SECOND) == 1
    assert handler.calls == [("late", now + SECOND)]


@pytest.mark.django_db
def test_a_cancelled_timer_never_fires(handler: Handler, now: datetime) -> None:
    timers.set_timer("one", now, CALL, "a")

    assert timers.cancel_timer("one") is True
    assert timers.cancel_timer("one") is False
    assert timers.fire_due(now) == 0
    assert handler.calls == []


@pytest.mark.django_db
def test_timers_missed_while_no_clock_ran_fire_once_in_order_with_the_moment_of_now(
    handler: Handler, now: datetime
) -> None:
    timers.set_timer("late", now - SECOND, CALL, "second")
    timers.set_timer("later", now - 60 * SECOND, CALL, "first")

    assert timers.fire_due(now) == 2
    assert handler.calls == [("first", now), ("second", now)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "trouble",
    [
        NotAllowedNow("不行"),
        IntegrityError("twice"),
        AttributeError("None has no ticket"),
        LookupError("gone"),
        Department.DoesNotExist("a missing row"),
        ValueError("bad"),
        TypeError("arguments"),
        ZeroDivisionError("share of nothing"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failing_handler_leaves_nothing_behind_and_keeps_its_deadline(
    handler: Handler, now: datetime, trouble: Exception
) -> None:
    timers.set_timer("one", now, CALL, "a")
    handler.trouble = trouble

    assert timers.fire_due(now) == 0

    kept = Timer.objects.get()
    assert (kept.attempts, kept.fire_at) == (1, now + timedelta(seconds=5))
    assert kept.last_error.startswith(type(trouble).__name__)
    assert not Department.objects.filter(code__startswith="a-").exists()


@pytest.mark.django_db
def test_a_failing_handler_does_not_hold_up_the_others_and_waits_longer_each_time(
    handler: Handler, now: datetime
) -> None:
    timers.set_timer("bad", now - SECOND, "tickets.lifecycle.jobs.nobody_wrote_this", "a")
    timers.set_timer("good", now, CALL, "b")

    assert timers.fire_due(now) == 1
    assert timers.fire_due(now + timedelta(seconds=5)) == 0
    assert handler.calls == [("b", now)]

    kept = Timer.objects.get()
    assert (kept.key, kept.attempts, kept.fire_at) == ("bad", 2, now + timedelta(seconds=5 + 10))


@pytest.mark.django_db
@pytest.mark.parametrize("held", [LockNotAvailable, DeadlockDetected])
def test_a_handler_that_waits_for_what_somebody_holds_is_asked_again_at_the_next_turn(
    handler: Handler, now: datetime, held: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    timers.set_timer("one", now, CALL, "a")
    handler.trouble = OperationalError("somebody holds it")
    handler.trouble.__cause__ = held()

    assert timers.fire_due(now) == 0

    kept = Timer.objects.get()
    assert (kept.attempts, kept.fire_at, kept.last_error) == (0, now, "")
    assert not Department.objects.filter(code__startswith="a-").exists()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

    handler.trouble = None
    assert timers.fire_due(now + SECOND) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "call", ["os.system", "tickets.record.models.Ticket", "config.kernel.jobs.run", "subprocess.run"]
)
def test_only_jobs_and_services_of_the_apps_can_be_called(call: str, now: datetime) -> None:
    with pytest.raises(ValueError, match="not a handler"):
        timers.set_timer("one", now, call, "x")

    assert not Timer.objects.exists()


@pytest.mark.django_db
def test_a_forged_row_is_removed_and_never_runs(handler: Handler, now: datetime) -> None:
    Timer.objects.create(key="forged", fire_at=now, call="os.system", args=["true"])
    timers.set_timer("good", now, CALL, "b")

    assert timers.fire_due(now) == 1
    assert handler.calls == [("b", now)]
    assert not Timer.objects.exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_four_clocks_fire_each_timer_once(handler: Handler, now: datetime) -> None:
    for n in range(30):
        timers.set_timer(f"t{n}", now, CALL, f"t{n}")

    at_once([partial(timers.fire_due, now)] * 4)

    assert sorted(name for name, _ in handler.calls) == sorted(f"t{n}" for n in range(30))
    assert not Timer.objects.exists()
