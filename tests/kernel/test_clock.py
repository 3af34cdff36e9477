"""The clock process: one of two leads, the other takes over, and everything due is done once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from config.kernel import jobs, log
from config.kernel.events import publish
from config.kernel.management.commands import clock as clock_module
from config.kernel.management.commands.clock import STANDBY, ClockLoop
from config.kernel.models import EventRecord, Heartbeat, Lease, Timer
from config.schedules import SCHEDULES
from tests.dispatch.rivals import at_once
from tests.kernel.test_log import DoorOpened
from tickets.lifecycle import jobs as some_jobs

SECOND = timedelta(seconds=1)


class Monotonic:
    """The process's own time, moved by hand."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    hand = Monotonic()
    monkeypatch.setattr(clock_module.time, "monotonic", hand)
    monkeypatch.setattr(clock_module, "close_old_connections", lambda: None)
    return hand


def loop(name: str) -> ClockLoop:
    one = ClockLoop()
    one.holder = name
    return one


def opened(now: datetime, *doors: str) -> None:
    with transaction.atomic():
        for door in doors:
            publish(DoorOpened(at=now, door=door))


def grow_stale() -> None:
    Lease.objects.update(beat_at=Now() - log.LEASE_TTL - SECOND)


@pytest.mark.django_db
def test_of_two_clocks_one_leads_and_gives_the_numbers(seconds: Monotonic, now: datetime) -> None:
    first, second = loop("a"), loop("b")
    opened(now, "x", "y")

    assert first.tick(now) < STANDBY
    assert second.tick(now) == STANDBY

    assert (first.leading, second.leading) == (True, False)
    assert [r.seq for r in EventRecord.objects.order_by("id")] == [1, 2]
    assert Lease.objects.get().holder == "a"


@pytest.mark.django_db
def test_a_dead_leader_is_replaced_within_five_seconds(seconds: Monotonic, now: datetime) -> None:
    first, second = loop("a"), loop("b")
    first.tick(now)
    second.tick(now)
    opened(now, "x")

    grow_stale()  # what the database's own clock says once the leader has been silent for the lease's time
    second.tick(now)

    assert second.leading
    assert EventRecord.objects.get().seq == 1
    assert log.LEASE_TTL + timedelta(seconds=STANDBY) <= 5 * SECOND


@pytest.mark.django_db
def test_a_leader_that_was_declared_dead_stands_back(seconds: Monotonic, now: datetime) -> None:
    first, second = loop("a"), loop("b")
    first.tick(now)
    grow_stale()
    second.tick(now)
    opened(now, "x", "y")

    first.tick(now)  # still believes that it leads, and may not write
    assert EventRecord.objects.filter(seq__isnull=False).count() == 0
    second.tick(now)
    opened(now, "z")
    seconds.moment += clock_module.LEAD_EVERY
    assert first.tick(now) == STANDBY

    assert (first.leading, second.leading) == (False, True)
    second.tick(now)
    assert [r.seq for r in EventRecord.objects.order_by("id")] == [1, 2, 3]
    assert log.verify() is None


@pytest.mark.django_db
def test_an_orderly_stop_hands_the_lead_over_at_once(seconds: Monotonic, now: datetime) -> None:
    first, second = loop("a"), loop("b")
    first.tick(now)
    first.stopping.set()
    first.run()

    second.tick(now)

    assert second.leading


@pytest.mark.django_db
def test_deadlines_fire_five_times_a_second_and_only_at_the_leader(
    seconds: Monotonic, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[datetime] = []
    monkeypatch.setattr(some_jobs, "rehearse", lambda *, at: calls.append(at), raising=False)
    first, second = loop("a"), loop("b")
    first.tick(now)
    Timer.objects.create(key="t", fire_at=now, call="tickets.lifecycle.jobs.rehearse")

    second.tick(now + SECOND)
    first.tick(now + SECOND)
    assert calls == []
    seconds.moment += clock_module.DEADLINES_EVERY
    first.tick(now + SECOND)
    first.tick(now + SECOND)

    assert calls == [now + SECOND]


@pytest.mark.django_db
def test_in_a_flood_what_fired_is_told_before_the_rest_fires(
    seconds: Monotonic, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired: list[datetime] = []
    monkeypatch.setattr(some_jobs, "rehearse", lambda *, at: (fired.append(at), opened(at, "x")), raising=False)
    first = loop("a")
    first.tick(now)
    flood = clock_module.AT_ONCE + 3
    Timer.objects.bulk_create(
        Timer(key=f"t{n}", fire_at=now, call="tickets.lifecycle.jobs.rehearse") for n in range(flood)
    )
    seconds.moment += clock_module.DEADLINES_EVERY

    assert first.tick(now + SECOND) == 0.0
    assert (len(fired), log.head()) == (clock_module.AT_ONCE, 0)
    assert first.tick(now + SECOND) > 0.0

    assert (len(fired), log.head()) == (flood, clock_module.AT_ONCE)


@pytest.mark.django_db
def test_each_timed_job_is_enqueued_when_its_period_has_passed_and_not_by_a_second_clock(
    seconds: Monotonic, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(clock_module.jobs, "enqueue", queued.append)
    first, second = loop("a"), loop("b")

    first.tick(now)
    second.tick(now)
    assert sorted(queued) == sorted(schedule.job for schedule in SCHEDULES)

    beat = SCHEDULES[0]
    seconds.moment += clock_module.LEAD_EVERY
    first.tick(now + beat.every - SECOND)
    assert len(queued) == len(SCHEDULES)
    seconds.moment += clock_module.LEAD_EVERY
    first.tick(now + beat.every)

    assert queued.count(beat.job) == 2
    assert Heartbeat.objects.get(name=f"job:{beat.job}"[:40]).at == now + beat.every


@pytest.mark.django_db
def test_a_timed_job_that_could_not_be_queued_is_due_at_the_next_look(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, queued = loop("a"), []

    def queue(name: str) -> None:
        if name == SCHEDULES[-1].job and name not in refused:
            refused.append(name)
            raise OperationalError("server closed the connection")
        queued.append(name)

    refused: list[str] = []
    monkeypatch.setattr(clock_module.jobs, "enqueue", queue)

    with pytest.raises(OperationalError):
        one._enqueue_due_jobs(now)
    one._enqueue_due_jobs(now + SECOND)

    assert sorted(queued) == sorted(schedule.job for schedule in SCHEDULES)


@pytest.mark.django_db
def test_while_no_worker_runs_each_timed_job_waits_once(now: datetime) -> None:
    one = loop("a")
    jobs.enqueue("integrations.notifications.jobs.send_email", 1)

    for minutes in range(60):
        one._enqueue_due_jobs(now + timedelta(minutes=minutes))

    waiting = [SignedPackage.loads(row.payload)["args"][0] for row in OrmQ.objects.order_by("pk")]
    assert waiting == ["integrations.notifications.jobs.send_email", *(schedule.job for schedule in SCHEDULES)]


@pytest.mark.django_db
def test_a_timed_job_that_a_worker_has_begun_is_queued_again(now: datetime) -> None:
    one = loop("a")
    one._enqueue_due_jobs(now)
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=1))

    one._enqueue_due_jobs(now + SCHEDULES[0].every)

    assert len(jobs.twins(SCHEDULES[0].job)) == 1


def test_names_of_timed_jobs_stay_apart_when_they_are_cut() -> None:
    names = [f"job:{schedule.job}"[:40] for schedule in SCHEDULES]

    assert len(set(names)) == len(names)


@pytest.mark.django_db
def test_a_database_that_is_away_makes_the_clock_wait_and_try_again(
    seconds: Monotonic, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = loop("a")
    one.leading = True
    waits: list[float] = []
    answers: list[Any] = [OperationalError("away"), 0.04]

    def tick(_now: datetime) -> float:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return float(answer)

    def wait(pause: float) -> None:
        waits.append(pause)
        if not answers:
            one.stopping.set()

    monkeypatch.setattr(one, "tick", tick)
    monkeypatch.setattr(one.stopping, "wait", wait)
    monkeypatch.setattr(clock_module.connection, "close", lambda: None)

    one.run()

    assert waits == [1.0, 0.04]
    assert one.leading is False


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_of_eight_clocks_that_start_together_one_leads_and_the_chain_is_whole(now: datetime) -> None:
    opened(now, *"abcdefgh")
    loops = [loop(f"clock-{n}") for n in range(8)]

    at_once([lambda one=one: one.tick(now) for one in loops])

    assert [one.leading for one in loops].count(True) == 1
    numbered = EventRecord.objects.exclude(seq=None).count()
    assert numbered >= len("abcdefgh")
    assert log.verify() is None


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_take_over_by_rivals_leaves_one_leader(now: datetime) -> None:
    assert log.lead("dead")
    grow_stale()
    won: list[str] = []

    at_once([lambda n=n: won.append(f"c{n}") if log.lead(f"c{n}") else None for n in range(8)])

    assert len(won) == 1
    assert Lease.objects.get().holder == won[0]
