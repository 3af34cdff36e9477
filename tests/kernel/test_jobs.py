"""The queue: it commits with its caller, runs only what we wrote, and removes what somebody slipped in."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from config.kernel import jobs
from config.kernel.models import Heartbeat
from config.schedules import SCHEDULES

BEAT = "config.kernel.jobs.beat"


@pytest.fixture
def broker() -> jobs.GuardedBroker:
    return jobs.GuardedBroker(list_key="wardline")


def forged(func: str, *args: str) -> OrmQ:
    """A row as somebody with the signing key would leave it: well signed, but another dotted path."""
    package = {"id": "f" * 32, "name": "forged", "func": func, "args": args, "kwargs": {}, "started": timezone.now()}
    return OrmQ.objects.create(
        key="wardline", payload=SignedPackage.dumps(package), lock=timezone.now() - timedelta(minutes=1)
    )


@pytest.mark.django_db(transaction=True)
def test_a_job_is_queued_only_when_its_caller_commits() -> None:
    with transaction.atomic():
        jobs.enqueue(BEAT)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()

    with transaction.atomic():
        jobs.enqueue(BEAT)
    assert [SignedPackage.loads(row.payload)["args"] for row in OrmQ.objects.all()] == [(BEAT,)]


@pytest.mark.django_db
def test_the_worker_gets_what_was_enqueued(broker: jobs.GuardedBroker) -> None:
    jobs.enqueue(BEAT)

    taken = broker.dequeue()

    assert taken is not None
    [(row, payload)] = taken
    package = SignedPackage.loads(payload)
    assert (package["func"], package["args"]) == (jobs.RUNNER, (BEAT,))
    broker.acknowledge(row)
    assert not OrmQ.objects.exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_job_that_was_cut_off_comes_before_those_queued_since(broker: jobs.GuardedBroker) -> None:
    jobs.enqueue(BEAT)
    cut = OrmQ.objects.get()
    for _job in range(3):
        jobs.enqueue("integrations.notifications.jobs.send_email", 1)
    OrmQ.objects.filter(pk=cut.pk).update(lock=timezone.now())  # claimed, as PostgreSQL stores it: behind the others
    OrmQ.objects.filter(pk=cut.pk).update(lock=timezone.now() - timedelta(minutes=1))  # and its time is up

    taken = broker.dequeue()

    assert taken is not None
    assert [row for row, _payload in taken] == [cut.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "func", ["os.system", "subprocess.run", "config.kernel.jobs.beat", "django.core.management.call_command"]
)
def test_a_forged_row_is_removed_and_never_reaches_the_worker(broker: jobs.GuardedBroker, func: str) -> None:
    forged(func, "true")

    assert broker.dequeue() is None
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_row_without_our_signature_is_removed(broker: jobs.GuardedBroker) -> None:
    OrmQ.objects.create(key="wardline", payload="bm9uc2Vuc2U:x:y", lock=timezone.now() - timedelta(minutes=1))

    assert broker.dequeue() is None
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_forged_row_does_not_hold_up_the_honest_one(broker: jobs.GuardedBroker) -> None:
    forged("os.system", "true")
    jobs.enqueue(BEAT)

    taken = [task for _ in range(2) for task in (broker.dequeue() or [])]

    assert [SignedPackage.loads(payload)["args"] for _, payload in taken] == [(BEAT,)]


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "config.kernel.jobs.run.x",
        "tickets.models.Ticket",
        "config.settings.base.x",
        "tickets.jobs.x; import os",
    ],
)
def test_only_functions_of_jobs_modules_are_jobs(name: str) -> None:
    with pytest.raises(ValueError, match="is not a job"):
        jobs.enqueue(name)
    with pytest.raises(ValueError, match="is not a job"):
        jobs.run(name)


@pytest.mark.django_db
def test_running_a_job_calls_it_by_name() -> None:
    jobs.run(BEAT)

    assert Heartbeat.objects.get(name="worker").at <= timezone.now()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_queued_job_is_handed_out_once(broker: jobs.GuardedBroker) -> None:
    jobs.enqueue(BEAT)

    assert broker.dequeue() is not None
    assert jobs.GuardedBroker(list_key="wardline").dequeue() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
def test_one_round_answers_for_its_queued_twins_but_not_for_one_begun_nor_for_other_work(
    broker: jobs.GuardedBroker,
) -> None:
    for _ in range(3):
        jobs.enqueue("config.kernel.jobs.beat")
    jobs.enqueue("config.kernel.jobs.beat", 1)
    jobs.enqueue("config.kernel.jobs.forget_answers")
    begun = OrmQ.objects.order_by("pk")[0]
    OrmQ.objects.filter(pk=begun.pk).update(lock=timezone.now() + timedelta(minutes=1))

    dropped = jobs.drop(jobs.twins("config.kernel.jobs.beat"))

    left = [SignedPackage.loads(row.payload)["args"] for row in OrmQ.objects.order_by("pk")]
    assert dropped == 2
    assert left == [
        ("config.kernel.jobs.beat",),
        ("config.kernel.jobs.beat", 1),
        ("config.kernel.jobs.forget_answers",),
    ]


@pytest.mark.django_db(transaction=True)
def test_nothing_to_drop_asks_for_no_lock() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert jobs.drop([]) == 0

    assert asked.captured_queries == []  # on SQLite a transaction begins with the lock of the one writer


@pytest.mark.django_db
def test_a_twin_that_somebody_began_meanwhile_is_not_dropped(broker: jobs.GuardedBroker) -> None:
    jobs.enqueue("config.kernel.jobs.beat")
    answered = jobs.twins("config.kernel.jobs.beat")
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=1))

    assert jobs.drop(answered) == 0
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_what_is_under_way_is_queued_or_begun_and_nothing_else(broker: jobs.GuardedBroker) -> None:
    for delivery in (1, 2, 3):
        jobs.enqueue("integrations.notifications.jobs.send_email", delivery)
    jobs.enqueue(BEAT)
    [(begun, _payload)] = broker.dequeue() or []
    OrmQ.objects.exclude(pk=begun).order_by("pk")[0].delete()
    OrmQ.objects.create(key="wardline", payload="bm9uc2Vuc2U:x:y", lock=timezone.now())

    assert jobs.under_way("integrations.notifications.jobs.send_email") == {(1,), (3,)}
    assert jobs.under_way(BEAT) == {()}
    assert jobs.under_way("config.kernel.jobs.forget_answers") == set()


def finished(name: str, at: datetime, *, success: bool) -> None:
    Task.objects.create(
        id=f"{name}-{success}", name=name, func=jobs.RUNNER, args=(), kwargs={}, started=at, stopped=at, success=success
    )


@pytest.mark.django_db
def test_the_newest_results_of_both_kinds_stay(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(jobs, "KEPT_RESULTS", 3)
    for n in range(5):
        finished(str(n), now + timedelta(minutes=n), success=True)
    for n in range(2):
        finished(str(n), now + timedelta(minutes=n), success=False)

    jobs.forget_results()

    left = Task.objects.order_by("success", "stopped").values_list("success", "name")
    assert list(left) == [(False, "0"), (False, "1"), (True, "2"), (True, "3"), (True, "4")]


def test_no_job_that_ends_pays_for_the_results_of_others() -> None:
    assert Conf.SAVE_LIMIT == 0  # decision 30: else each reads and locks all of them
    assert "config.kernel.jobs.forget_results" in {schedule.job for schedule in SCHEDULES}
