"""What a ticket is found by, and what it is called aloud."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.utils import translation

from assets.models import Device, FaultPreset, User
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record.queries import search
from tickets.record.rules import short_number


@pytest.mark.parametrize(
    ("number", "today", "called"),
    [
        ("WX20261122-0003", date(2026, 11, 22), "0003"),
        ("WX20261122-0003", date(2026, 11, 23), "1122-0003"),
        ("WX20251122-12345", date(2026, 11, 23), "1122-12345"),
        ("", date(2026, 11, 23), ""),
    ],
)
def test_a_number_of_another_day_says_its_day(number: str, today: date, called: str) -> None:
    assert short_number(number, today) == called


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("typed", ["呼吸", "ventil", "asset", "重症", "停机", "stop"])
def test_a_report_is_found_in_both_languages_whoever_made_it(
    typed: str, language: str, ventilator: Device, stopped: FaultPreset, manager: User, now: datetime, rules: Any
) -> None:
    FaultPreset.objects.filter(pk=stopped.pk).update(name="停机\n了", name_en="Stopped\nworking")
    Device.objects.filter(pk=ventilator.pk).update(name="呼吸机", name_en="Ventilator", asset_no="ASSET-77")
    with translation.override(language):
        made = lifecycle.submit(
            device=Device.objects.get(pk=ventilator.pk), preset=FaultPreset.objects.get(pk=stopped.pk), by=None, at=now
        )

    assert [ticket.pk for ticket in search(Ticket.objects.all(), typed)] == [made.pk]
