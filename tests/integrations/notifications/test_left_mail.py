"""A mail whose job died without a word is taken up again: once, after a while, and not without end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from django_q.models import OrmQ

from assets.models import User
from config.kernel.jobs import under_way
from integrations.models import Delivery
from integrations.notifications import jobs
from integrations.notifications.services import EMAIL_JOB, notify
from tests.dispatch.rivals import at_once

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(now: datetime) -> Any:
    with time_machine.travel(now, tick=False) as moved:
        yield moved


@pytest.fixture
def waiting(clock: Any, dispatcher: User, now: datetime) -> Delivery:
    words = {"number": "WX-0031", "priority": 1}
    notify([dispatcher], template="nobody", subject="", at=now, dedup="mail", email=True, params=words)
    return Delivery.objects.get()


@pytest.fixture
def left(waiting: Delivery) -> Delivery:
    """Its job died, and django-q2 took that for an answer (`ack_failures`)."""
    OrmQ.objects.all().delete()
    return waiting


def refused(*_args: Any, **_more: Any) -> None:
    raise ConnectionRefusedError("no relay")


@pytest.mark.django_db
def test_a_mail_whose_job_died_goes_out_after_all(clock: Any, left: Delivery) -> None:
    clock.shift(11 * MINUTE)

    assert (jobs.send_left(), jobs.send_left()) == (1, 0)

    assert under_way(EMAIL_JOB) == {(left.pk,)}
    assert OrmQ.objects.count() == 1
    assert jobs.send_email(left.pk) == "sent"
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_a_mail_is_left_to_its_job_for_ten_minutes(clock: Any, left: Delivery) -> None:
    clock.shift(9 * MINUTE)

    assert jobs.send_left() == 0

    assert not OrmQ.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("begun", [False, True])
def test_a_mail_whose_job_is_queued_or_under_way_is_left_to_it(clock: Any, waiting: Delivery, begun: bool) -> None:
    clock.shift(11 * MINUTE)
    if begun:
        OrmQ.objects.update(lock=timezone.now() + MINUTE)

    assert jobs.send_left() == 0

    assert OrmQ.objects.count() == 1
    waiting.refresh_from_db()
    assert waiting.attempts == 0


@pytest.mark.django_db
def test_a_mail_that_a_timer_will_send_again_is_left_to_it(
    clock: Any, left: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "send_mail", refused)
    for _try in range(3):
        jobs.send_email(left.pk)
    clock.shift(11 * MINUTE)

    assert jobs.send_left() == 0

    assert not OrmQ.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", ["sent", "failed"])
def test_a_mail_whose_job_ends_while_we_look_is_not_sent_again(
    clock: Any, left: Delivery, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    def ends_meanwhile(_name: str) -> set[tuple[int]]:
        assert jobs.send_email(left.pk) == outcome
        return set()

    monkeypatch.setattr(jobs, "under_way", ends_meanwhile)
    if outcome == "failed":
        monkeypatch.setattr(jobs, "send_mail", refused)
    clock.shift(11 * MINUTE)

    assert jobs.send_left() == 0

    left.refresh_from_db()
    assert (left.attempts, left.state) == (1, "sent" if outcome == "sent" else "waiting")
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_mail_that_kills_its_job_each_time_is_given_up(clock: Any, left: Delivery) -> None:
    for _try in range(jobs.MOST_ATTEMPTS + 1):
        clock.shift(11 * MINUTE)
        jobs.send_left()
        OrmQ.objects.all().delete()

    left.refresh_from_db()
    assert (left.state, left.attempts, left.last_error) == ("failed", jobs.MOST_ATTEMPTS, jobs.NO_WORD)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_of_several_runs_at_once_one_takes_the_mail_up(clock: Any, left: Delivery) -> None:
    clock.shift(11 * MINUTE)
    taken: list[int] = []

    at_once([lambda: taken.append(jobs.send_left())] * 4)

    assert sorted(taken) == [0, 0, 0, 1]
    assert OrmQ.objects.count() == 1
