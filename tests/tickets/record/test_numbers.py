"""Ticket numbers: one row of numbers a day, no gap and no double, however many report at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from assets.models import Device, FaultPreset
from tests.dispatch.rivals import at_once
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record import services as record
from tickets.record.models import TicketCounter

DAY = "WX20261118"


def numbers() -> list[str]:
    return sorted(Ticket.objects.values_list("number", flat=True))


@pytest.mark.django_db
def test_numbers_count_from_one_each_local_day(now: datetime) -> None:
    late = datetime(2026, 11, 18, 15, 59, 59, tzinfo=UTC)  # 23:59:59 in Shanghai

    with transaction.atomic():
        given = [record.next_number(at) for at in (now, late, late + timedelta(seconds=1))]

    assert given == [f"{DAY}-0001", f"{DAY}-0002", "WX20261119-0001"]


@pytest.mark.django_db
def test_the_day_after_9999_reports_goes_on_counting(now: datetime) -> None:
    record.next_number(now)
    TicketCounter.objects.update(last=9999)

    assert record.next_number(now) == f"{DAY}-10000"


@pytest.mark.django_db(transaction=True)
def test_a_report_that_failed_gives_its_number_back(ventilator: Device, stopped: FaultPreset, now: datetime) -> None:
    with transaction.atomic():
        lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
        transaction.set_rollback(True)

    assert lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now).number == f"{DAY}-0001"


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_forty_reports_at_once_open_the_day_without_gap_or_double(
    ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    def report() -> None:
        lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)

    at_once([report] * 40)

    assert numbers() == [f"{DAY}-{n:04d}" for n in range(1, 41)]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_rivals_of_a_failing_report_leave_no_gap(ventilator: Device, stopped: FaultPreset, now: datetime) -> None:
    def report() -> None:
        lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)

    def fail() -> None:
        with transaction.atomic():
            report()
            transaction.set_rollback(True)

    at_once([report, fail] * 10)

    assert numbers() == [f"{DAY}-{n:04d}" for n in range(1, 11)]
