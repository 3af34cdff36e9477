"""The clock process at work: every step once, in order, whatever happened in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from config.kernel.events import recording
from tests.tickets.sla.calendars import hours, minutes
from tests.tickets.sla.conftest import Make
from tickets import events
from tickets.record.models import HoldReason
from tickets.sla import services as sla
from tickets.sla.models import Alert, Clock, Rung
from tickets.sla.services import firing

pytestmark = pytest.mark.django_db


def steps(ticket: Any, metric: str = "response") -> list[str]:
    rows = Alert.objects.filter(clock__ticket=ticket, clock__metric=metric).order_by("due_at", "pk")
    return [row.rung.tell if row.rung else row.step for row in rows]


def test_nothing_fires_a_moment_too_early(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    assert sla.fire_due(now + minutes(1) - timedelta(microseconds=1)) == 0
    assert sla.fire_due(now + minutes(1)) == 1
    assert steps(ticket) == ["assignee"]


def test_an_unanswered_p1_climbs_the_ladder_second_by_second(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    with recording() as seen:
        for second in range(301):
            sla.fire_due(now + timedelta(seconds=second))

    assert steps(ticket) == ["assignee", "secondary", "warning", "breach", "lead", "head"]
    told = [(event.at - now, type(event).__name__) for event in seen]
    assert told == [
        (minutes(1), "EscalationRaised"),
        (minutes(2), "EscalationRaised"),
        (timedelta(seconds=144), "SlaWarned"),
        (minutes(3), "SlaBreached"),
        (minutes(3), "EscalationRaised"),
        (minutes(5), "EscalationRaised"),
    ]
    response = Clock.objects.get(ticket=ticket, metric="response")
    assert (response.warned_at, response.breached_at) == (now + timedelta(seconds=144), now + minutes(3))
    assert response.next_at is None


def test_the_same_moment_twice_fires_once(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    assert sla.fire_due(now + minutes(3)) == 5
    assert sla.fire_due(now + minutes(3)) == 0
    assert len(steps(ticket)) == 5


def test_after_a_day_without_the_clock_every_step_fires_once_and_in_order(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    with recording() as seen:
        sla.fire_due(now + timedelta(days=2))

    of_fix = [event for event in seen if getattr(event, "metric", "") == "fix"]
    assert [type(event).__name__ for event in of_fix] == [
        "EscalationRaised",
        "SlaWarned",
        "SlaBreached",
        "EscalationRaised",
        "EscalationRaised",
    ]
    assert Clock.objects.get(ticket=ticket, metric="fix").breached_at == now + hours(4)
    assert sla.fire_due(now + timedelta(days=3)) == 0


def test_two_clock_processes_share_the_work(ticket_of: Make, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = ticket_of(1)
    at, fire, rivals = now + minutes(3), firing._fire, []

    def with_a_rival(pk: int, next_at: datetime, moment: datetime) -> int:
        rivals.append(fire(pk, next_at, moment))
        return fire(pk, next_at, moment)

    monkeypatch.setattr(firing, "_fire", with_a_rival)

    assert sla.fire_due(at) == 0
    assert sum(rivals) == 5
    assert len(steps(ticket)) == 5


def test_an_accepted_ticket_says_nothing_more_about_the_response(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.fire_due(now + minutes(1))

    sla.meet(ticket, "response", at=now + minutes(2))
    sla.fire_due(now + minutes(9))

    assert steps(ticket) == ["assignee"]


def test_a_met_time_that_arrives_between_the_poll_and_the_firing_wins(
    ticket_of: Make, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = ticket_of(1)
    fire = firing._fire

    def met_first(pk: int, next_at: datetime, moment: datetime) -> int:
        sla.meet(ticket, "response", at=now + minutes(1))
        return fire(pk, next_at, moment)

    monkeypatch.setattr(firing, "_fire", met_first)

    sla.fire_due(now + minutes(1))

    assert steps(ticket) == []


def test_a_waiting_fix_is_silent_and_goes_on_where_it_stopped(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(2)
    reason = HoldReason.objects.get(code="parts")
    sla.pause(ticket, reason=reason, until=now + timedelta(days=3), by=None, at=now + hours(1))

    sla.fire_due(now + timedelta(days=2))
    assert steps(ticket, "fix") == []

    sla.resume(ticket, by=None, at=now + timedelta(days=2) + hours(1))
    sla.fire_due(now + hours(70))
    assert steps(ticket, "fix") == ["warning"]


def test_after_a_changed_priority_the_steps_may_fire_once_more(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(2)
    sla.fire_due(now + minutes(11))
    assert steps(ticket) == ["assignee", "warning", "breach", "lead"]

    sla.rebase(ticket, from_priority=2, to_priority=1, reason="-", by=None, at=now + minutes(12))
    sla.fire_due(now + minutes(12))

    keys = set(Alert.objects.filter(clock__ticket=ticket, clock__metric="response").values_list("step", flat=True))
    assert {"breach", "breach@1", "warning@1"} <= keys
    assert Clock.objects.get(ticket=ticket, metric="response").breached_at == now + minutes(3)


def test_a_rung_that_was_switched_off_tells_nobody(ticket_of: Make, now: datetime) -> None:
    from tickets.sla.queries import forget_rulebook

    ticket = ticket_of(1)
    Rung.objects.filter(priority=1, metric="response", after_minutes=1).update(active=False)
    forget_rulebook()

    assert sla.fire_due(now + minutes(1)) == 0
    assert sla.fire_due(now + minutes(2)) == 1
    assert steps(ticket) == ["secondary"]


@pytest.mark.parametrize("trouble", [ValueError("no"), HoldReason.DoesNotExist("a missing row")], ids=repr)
def test_one_clock_that_cannot_be_counted_does_not_hold_up_the_others(
    ticket_of: Make, now: datetime, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    broken, sound = ticket_of(1), ticket_of(1)
    fire, response = firing._fire, Clock.objects.get(ticket=broken, metric="response")

    def sometimes(pk: int, next_at: datetime, moment: datetime) -> int:
        if pk == response.pk:
            raise trouble
        return fire(pk, next_at, moment)

    monkeypatch.setattr(firing, "_fire", sometimes)
    at = now + minutes(1)

    assert sla.fire_due(at) == 1
    assert steps(sound) == ["assignee"]
    response.refresh_from_db()
    assert response.next_at == at + minutes(1)


def test_the_poll_reads_the_partial_index(ticket_of: Make, now: datetime) -> None:
    ticket_of(1)

    plan = Clock.objects.filter(next_at__lte=now).order_by("next_at").values_list("pk", "next_at")[:500].explain()

    assert "clock_next" in plan or "Seq Scan" in plan  # PostgreSQL reads a handful of rows without any index


def test_an_alert_carries_no_names(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    with recording() as seen:
        sla.fire_due(now + minutes(3))

    breach = next(event for event in seen if isinstance(event, events.SlaBreached))
    assert breach.subject == f"ticket:{ticket.public_id}"
    assert breach.data() == {
        "number": ticket.number,
        "state": "new",
        "priority": 1,
        "device": ticket.device.public_id if ticket.device else "",
        "metric": "response",
        "due": breach.data()["due"],
    }
