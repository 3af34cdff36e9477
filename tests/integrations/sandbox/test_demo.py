"""The demo hospital at a small scale: what it promises, at any hour it may be started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, F, Q
from django.test import override_settings

from assets.models import Department, Device
from config.kernel import log
from config.kernel.models import EventRecord
from dispatch.models import Engineer, EngineerQualification, Shift, TrackRecord
from integrations.sandbox import services
from tickets.lifecycle import services as lifecycle
from tickets.models import Clock, RepairReport, Ticket

pytestmark = pytest.mark.django_db

AFTERNOON = datetime(2026, 11, 18, 6, 21, tzinfo=UTC)  # Wednesday 14:21 in Shanghai
MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"
ROLES = ("nurse", "engineer", "dispatcher", "manager", "admin")
STEPS = (
    "reported_at",
    "assigned_at",
    "accepted_at",
    "departed_at",
    "arrived_at",
    "started_at",
    "resolved_at",
    "ended_at",
)


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, int]]:
    """Loaded once: each test's own transaction nests in this one, and all of it is rolled back at the end."""
    with django_db_blocker.unblock(), override_settings(PASSWORD_HASHERS=[MD5]), transaction.atomic():
        yield services.load(now=AFTERNOON, passwords=dict.fromkeys(ROLES, "short-lived-2026"), scale=0.06)
        transaction.set_rollback(True)


def test_it_has_the_departments_and_engineers_it_promises(demo: dict[str, int]) -> None:
    assert Department.objects.count() == demo["departments"] == 25
    assert Engineer.objects.count() == demo["engineers"] == 20
    assert Device.objects.count() == demo["devices"]
    assert all(d.name and d.name_en and d.extension for d in Department.objects.all())
    assert not Device.objects.filter(Q(short_code=None) | Q(name_en="")).exists()


def test_every_ticket_is_marked_simulated(demo: dict[str, int]) -> None:
    assert Ticket.objects.count() == demo["past_tickets"] + demo["open_tickets"]
    assert not Ticket.objects.filter(simulated=False).exists()


def test_open_tickets_stand_in_every_state_that_lasts(demo: dict[str, int]) -> None:
    states = set(Ticket.objects.open().values_list("state", flat=True))

    assert states == {"triaged", "assigned", "accepted", "arrived", "working", "paused", "verifying", "reopened"}
    assert 25 <= demo["open_tickets"] <= 35
    assert Ticket.objects.open().filter(priority=1).count() >= 3
    assert Ticket.objects.open().filter(priority=1, in_use=True, state="accepted").exists()


def test_one_first_priority_is_late_and_one_is_about_to_be(demo: dict[str, int]) -> None:
    arrival = Clock.objects.filter(ticket__state="accepted", priority=1, metric="arrival", met_at=None)

    assert arrival.filter(due_at__lt=AFTERNOON, breached_at__isnull=False).count() == 1
    assert arrival.filter(due_at__gt=AFTERNOON, due_at__lt=AFTERNOON + timedelta(minutes=5)).count() == 1


def test_a_paused_ticket_says_why_and_until_when(demo: dict[str, int]) -> None:
    for ticket in Ticket.objects.filter(state="paused"):
        assert ticket.hold_reason is not None
        assert ticket.hold_until is not None
        assert ticket.hold_until > AFTERNOON


def test_no_ticket_takes_its_steps_out_of_order(demo: dict[str, int]) -> None:
    for before, after in pairwise(STEPS):
        assert not Ticket.objects.filter(**{f"{after}__lt": F(before)}).exists(), (before, after)
    for name in STEPS:
        assert not Ticket.objects.filter(**{f"{name}__gt": AFTERNOON}).exists(), name


def test_numbers_of_a_day_are_unique_and_the_next_report_goes_on(demo: dict[str, int]) -> None:
    numbers = list(Ticket.objects.values_list("number", flat=True))
    device = Device.objects.filter(status="ready").exclude(tickets__ended_at=None, tickets__isnull=False).first()
    assert device is not None

    fresh = lifecycle.submit(device=device, by=None, at=AFTERNOON)

    assert len(numbers) == len(set(numbers))
    assert fresh.number not in numbers


def test_closed_tickets_carry_clocks_a_finish_sheet_and_their_facts(demo: dict[str, int]) -> None:
    closed = Ticket.objects.filter(state="closed")
    sample = closed.order_by("-id")[:20]

    assert closed.annotate(n=Count("repair_reports")).filter(n=1).count() == closed.count()
    assert not Clock.objects.filter(ticket__in=closed, next_at__isnull=False).exists()
    assert not Clock.objects.filter(ticket__in=closed, met_at=None).exists()
    assert RepairReport.objects.filter(cause="not_found").exists()
    for ticket in sample:
        told = list(EventRecord.objects.filter(subject=f"ticket:{ticket.public_id}").order_by("seq"))
        assert [r.type for r in told][:3] == ["TicketSubmitted", "TicketTriaged", "TicketAssigned"]
        assert "TicketClosed" in {r.type for r in told}


def test_a_breach_is_marked_exactly_where_a_target_was_missed(demo: dict[str, int]) -> None:
    met = Clock.objects.filter(ticket__state="closed")

    assert not met.filter(met_at__gt=F("due_at"), breached_at=None).exists()
    assert not met.filter(met_at__lte=F("due_at"), breached_at__isnull=False).exists()
    assert 0 < met.filter(breached_at__isnull=False).count() < met.count() / 5


def test_the_log_of_the_past_is_sequenced_and_its_chain_holds(demo: dict[str, int]) -> None:
    while log.lead("test") and log.sequence("test"):
        pass

    assert log.verify() is None
    assert log.head() == EventRecord.objects.count()


def test_the_past_teaches_dispatch_who_repairs_what(demo: dict[str, int]) -> None:
    assert TrackRecord.objects.filter(attempts__gt=0, first_fixes__lte=F("attempts") + 1e-9).exists()
    assert not TrackRecord.objects.filter(first_fixes__gt=F("attempts") + 1e-9).exists()


def test_one_card_has_run_out(demo: dict[str, int]) -> None:
    assert EngineerQualification.objects.filter(qualification__code="rad", valid_until__lt=AFTERNOON.date()).exists()


@pytest.mark.parametrize("hours", [0, 3, 9, 14, 20, 77, 24 * 20])
def test_whenever_it_is_somebody_is_on_site_and_somebody_leads(demo: dict[str, int], hours: int) -> None:
    at = AFTERNOON + timedelta(hours=hours)
    on = Shift.objects.filter(starts_at__lte=at, ends_at__gt=at)

    assert on.filter(presence="on_site").values("engineer").distinct().count() >= 3
    assert on.filter(role="lead").count() == 1
    assert on.filter(presence="on_site", engineer__skills__skill__code="respiratory").exists()
