"""What every page of the admin has from its base: lists that never count a whole log, and say where they end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Device, FaultPreset, User
from config.kernel.admin import FirstRows
from config.kernel.models import EventRecord
from tickets.lifecycle import services as lifecycle

pytestmark = pytest.mark.django_db
LOG = "/admin/kernel/eventrecord/"


@pytest.fixture
def browser(
    manager: User, signed_in: Callable[[User], Client], ventilator: Device, stopped: FaultPreset, now: object
) -> Client:
    lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    assert EventRecord.objects.count() > 1
    return signed_in(manager)


def test_a_list_of_the_log_counts_its_first_rows_only(browser: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        browser.get(LOG)

    counts = [one["sql"] for one in asked if "COUNT(*)" in one["sql"] and "kernel_eventrecord" in one["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {FirstRows.MOST}" in counts[0]


@pytest.mark.parametrize(("most", "told"), [(1, True), (FirstRows.MOST, False)])
def test_a_list_says_that_it_ends_early(
    most: int, told: bool, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FirstRows, "MOST", most)

    page = browser.get(LOG).content.decode()

    assert ("其余用搜索或筛选找" in page) is told


def test_a_list_that_leaves_nothing_out_does_not_offer_the_rest(browser: Client) -> None:
    whole, found = browser.get(LOG).content.decode(), browser.get(LOG + "?q=TicketSubmitted").content.decode()

    assert "显示全部" not in whole
    assert "显示全部" in found
