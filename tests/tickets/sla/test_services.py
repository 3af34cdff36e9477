"""Clocks in the database: started, met, paused, re-based, stopped. `now` is Wednesday 18 November 2026, 14:21:08."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from config.kernel.errors import Conflict
from config.kernel.events import recording
from tests.tickets.sla.calendars import hours, minutes, shanghai
from tests.tickets.sla.conftest import Make
from tickets import events
from tickets.desk.queries.wall import on_time
from tickets.record.models import HoldReason, Ticket
from tickets.sla import queries
from tickets.sla import services as sla
from tickets.sla.models import Alert, Clock, PauseEnd, Rebase, Rung, Target

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("p1_may_wait")]


def clock(ticket: Ticket, metric: str) -> Clock:
    return Clock.objects.get(ticket=ticket, metric=metric)


def due(ticket: Ticket) -> dict[str, datetime]:
    return {row.metric: row.due_at for row in ticket.clocks.all()}


def hold(ticket: Ticket, at: datetime, until: datetime, code: str = "parts") -> None:
    sla.pause(ticket, reason=HoldReason.objects.get(code=code), until=until, by=None, at=at)


def test_a_p1_has_four_clocks_round_the_clock_from_the_report(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    assert due(ticket) == {
        "response": now + minutes(3),
        "arrival": now + minutes(10),
        "restoration": now + minutes(30),
        "fix": now + hours(4),
    }


def test_a_p3_counts_working_time_only(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 20, 17, 15))

    assert due(ticket) == {
        "response": shanghai(11, 23, 8, 15),
        "arrival": shanghai(11, 23, 11, 45),
        "restoration": shanghai(11, 23, 17, 15),
        "fix": shanghai(11, 25, 17, 15),
    }


def test_a_p4_has_no_target_for_restoration(ticket_of: Make) -> None:
    assert set(due(ticket_of(4))) == {"response", "arrival", "fix"}


def test_at_night_the_engineer_on_call_has_the_longer_way(ticket_of: Make) -> None:
    by_day, by_night = ticket_of(1), ticket_of(1, reported_at=shanghai(11, 18, 23))

    assert clock(by_day, "arrival").target_minutes == 10
    assert clock(by_night, "arrival").target_minutes == 30
    assert clock(by_night, "fix").target_minutes == 240


def test_starting_the_clocks_costs_one_query(ticket_of: Make, django_assert_num_queries: Any, now: datetime) -> None:
    ticket = ticket_of(1)
    ticket.clocks.all().delete()

    with django_assert_num_queries(1):
        sla.start_clocks(ticket, at=now)


def test_a_new_clock_waits_for_its_first_step(ticket_of: Make, now: datetime) -> None:
    response = clock(ticket_of(1), "response")

    assert response.warn_at == now + timedelta(seconds=144)
    assert response.next_at == now + minutes(1)


def test_meeting_a_target_ends_its_clock_and_a_second_call_changes_nothing(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    sla.meet(ticket, "response", at=now + minutes(2))
    sla.meet(ticket, "response", at=now + minutes(50))

    response = clock(ticket, "response")
    assert (response.met_at, response.next_at, response.breached_at) == (now + minutes(2), None, None)
    assert clock(ticket, "arrival").next_at is not None


def test_met_late_while_the_clock_process_slept_is_still_a_breach(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    with recording() as seen:
        sla.meet(ticket, "response", at=now + minutes(5))

    assert [type(event) for event in seen] == [events.SlaBreached]
    assert clock(ticket, "response").breached_at == now + minutes(3)
    assert Alert.objects.get(clock__ticket=ticket).step == "breach"


def test_a_breach_that_was_announced_is_not_announced_again_when_met(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.fire_due(now + minutes(4))

    with recording() as seen:
        sla.meet(ticket, "response", at=now + minutes(5))

    assert seen == []


def test_a_pause_stops_only_the_fix(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    hold(ticket, now + minutes(20), now + hours(5))

    assert {row.metric: row.paused for row in ticket.clocks.all()} == {
        "response": False,
        "arrival": False,
        "restoration": False,
        "fix": True,
    }
    assert clock(ticket, "fix").next_at is None


def test_a_reason_that_does_not_stop_the_clock_stops_nothing(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    HoldReason.objects.filter(code="parts").update(stops_clock=False)

    hold(ticket, now + minutes(20), now + hours(5))
    sla.resume(ticket, by=None, at=now + hours(1))

    assert (clock(ticket, "fix").paused, due(ticket)["fix"]) == (False, now + hours(4))


def test_a_ticket_that_waits_cannot_wait_again(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    hold(ticket, now + minutes(20), now + hours(5))

    with pytest.raises(Conflict):
        hold(ticket, now + minutes(25), now + hours(5))

    assert ticket.pauses.count() == 1


def test_resuming_adds_the_wait_to_the_fix(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    hold(ticket, now + minutes(20), now + hours(5))

    sla.resume(ticket, by=None, at=now + minutes(80))

    fix = clock(ticket, "fix")
    assert (fix.due_at, fix.paused) == (now + hours(5), False)
    assert due(ticket)["restoration"] == now + minutes(30)


def test_two_pauses_are_both_added(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    for start, length in ((20, 30), (100, 45)):
        hold(ticket, now + minutes(start), now + hours(9))
        sla.resume(ticket, by=None, at=now + minutes(start + length))

    assert due(ticket)["fix"] == now + hours(4) + minutes(75)
    assert PauseEnd.objects.filter(pause__ticket=ticket).count() == 2


def test_a_pause_over_lunch_adds_its_working_time_only(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 18, 8))
    hold(ticket, shanghai(11, 18, 11), shanghai(11, 18, 14))

    sla.resume(ticket, by=None, at=shanghai(11, 18, 14), automatic=True)

    assert due(ticket)["fix"] == shanghai(11, 23, 9, 30)


def test_a_wait_never_lasts_longer_than_it_said(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    hold(ticket, now + minutes(20), now + minutes(50))

    sla.resume(ticket, by=None, at=now + hours(3), automatic=True)

    assert PauseEnd.objects.get(pause__ticket=ticket).at == now + minutes(50)
    assert due(ticket)["fix"] == now + hours(4) + minutes(30)


def test_resuming_what_does_not_wait_changes_nothing(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    sla.resume(ticket, by=None, at=now + hours(1))

    assert due(ticket)["fix"] == now + hours(4)


def test_a_changed_priority_counts_from_the_report_and_keeps_the_pauses(ticket_of: Make) -> None:
    ticket = ticket_of(3, reported_at=shanghai(11, 18, 9))
    hold(ticket, shanghai(11, 18, 10), shanghai(11, 18, 12))
    sla.resume(ticket, by=None, at=shanghai(11, 18, 11))

    sla.rebase(ticket, from_priority=3, to_priority=2, reason="病情变化", by=None, at=shanghai(11, 18, 11, 30))

    assert due(ticket) == {
        "response": shanghai(11, 18, 9, 10),
        "arrival": shanghai(11, 18, 9, 20),
        "restoration": shanghai(11, 18, 13),
        "fix": shanghai(11, 19, 10),
    }
    assert Rebase.objects.get(ticket=ticket).to_priority == 2


def test_a_changed_priority_keeps_what_was_met(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(2)
    sla.meet(ticket, "response", at=now + minutes(5))

    sla.rebase(ticket, from_priority=2, to_priority=1, reason="-", by=None, at=now + minutes(6))

    response = clock(ticket, "response")
    assert (response.met_at, response.due_at, response.next_at) == (now + minutes(5), now + minutes(3), None)
    assert response.breached_at == now + minutes(3)


def test_a_changed_priority_while_waiting_keeps_waiting(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(2)
    hold(ticket, now + minutes(30), now + hours(9))

    sla.rebase(ticket, from_priority=2, to_priority=1, reason="-", by=None, at=now + minutes(60))
    sla.resume(ticket, by=None, at=now + minutes(90))

    fix = clock(ticket, "fix")
    assert (fix.due_at, fix.paused, fix.target_minutes) == (now + hours(5), False, 240)


def test_a_lower_priority_stops_the_clock_it_lacks_and_a_higher_one_starts_it_again(
    ticket_of: Make, now: datetime
) -> None:
    ticket = ticket_of(3)
    sla.rebase(ticket, from_priority=3, to_priority=4, reason="-", by=None, at=now + minutes(5))
    stopped = clock(ticket, "restoration")
    assert (stopped.stopped_at, stopped.next_at) == (now + minutes(5), None)

    sla.rebase(ticket, from_priority=4, to_priority=2, reason="-", by=None, at=now + minutes(9))

    again = clock(ticket, "restoration")
    assert (again.stopped_at, again.due_at) == (None, now + hours(4))


def test_a_promise_that_was_taken_back_is_not_broken_when_the_work_is_done(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.rebase(ticket, from_priority=1, to_priority=4, reason="-", by=None, at=now + minutes(5))

    with recording() as told:
        sla.meet(ticket, "restoration", at=now + hours(10))

    row = clock(ticket, "restoration")
    assert (row.met_at, row.stopped_at, row.breached_at) == (now + hours(10), now + minutes(5), None)
    assert [event for event in told if isinstance(event, events.SlaBreached)] == []
    assert on_time(now, now + hours(11)).n == 0


def test_a_dispute_does_not_bring_back_the_promise_of_another_priority(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.rebase(ticket, from_priority=1, to_priority=4, reason="-", by=None, at=now + minutes(5))
    Ticket.objects.filter(pk=ticket.pk).update(priority=4)
    ticket.refresh_from_db()
    for metric in ("restoration", "fix"):
        sla.meet(ticket, metric, at=now + minutes(9))

    sla.unmeet(ticket, ["restoration", "fix"], at=now + minutes(20))

    restoration, fix = clock(ticket, "restoration"), clock(ticket, "fix")
    assert (restoration.running, restoration.next_at, restoration.stopped_at) == (False, None, now + minutes(5))
    assert (fix.running, fix.priority) == (True, 4)


def test_a_higher_priority_starts_a_clock_the_ticket_never_had(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(4)

    sla.rebase(ticket, from_priority=4, to_priority=1, reason="-", by=None, at=now + minutes(5))

    assert due(ticket)["restoration"] == now + minutes(30)


def test_a_lower_priority_never_removes_a_breach_from_the_books(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.fire_due(now + minutes(4))

    sla.rebase(ticket, from_priority=1, to_priority=2, reason="-", by=None, at=now + minutes(5))

    assert Alert.objects.filter(clock__ticket=ticket, clock__metric="response", step="breach").exists()
    assert clock(ticket, "response").due_at == now + minutes(10)


def test_reopening_lets_the_fix_run_again_towards_the_same_due_time(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "fix", at=now + hours(1))

    sla.unmeet(ticket, ["fix"], at=now + hours(2))

    fix = clock(ticket, "fix")
    assert (fix.met_at, fix.due_at, fix.next_at) == (None, now + hours(4), now + hours(2))


def test_an_ended_ticket_has_nothing_left_to_fire(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)
    sla.meet(ticket, "response", at=now + minutes(1))

    sla.stop(ticket, at=now + minutes(2))

    assert not Clock.objects.filter(ticket=ticket, next_at__isnull=False).exists()
    assert (clock(ticket, "response").stopped_at, clock(ticket, "fix").stopped_at) == (None, now + minutes(2))


def test_the_matrix_in_the_database_decides(rules: None) -> None:
    from tickets.sla.models import PriorityRule

    ask = {"impact": "I3", "criticality": "C3", "danger": (), "backups_short": False, "repeat": False}
    assert sla.decide_priority(**ask) == (3, ["matrix:I3xC3"])

    PriorityRule.objects.filter(impact="I3", criticality="C3").update(priority=2)
    queries.forget_rulebook()

    assert sla.decide_priority(**ask) == (2, ["matrix:I3xC3"])
    assert sla.decide_priority(**{**ask, "danger": ["smoke"]}) == (1, ["matrix:I3xC3", "danger"])


def test_installing_the_defaults_again_changes_nothing_and_keeps_edits(rules: None) -> None:
    Target.objects.filter(priority=1, metric="response").update(minutes=2)
    before = (Target.objects.count(), Rung.objects.count(), HoldReason.objects.count())

    sla.install_defaults()

    assert (Target.objects.count(), Rung.objects.count(), HoldReason.objects.count()) == before
    assert Target.objects.get(priority=1, metric="response").minutes == 2


def test_the_shipped_holidays_are_those_of_2025_and_2026(rules: None) -> None:
    assert queries.missing_years(shanghai(11, 18)) == (2027,)
    assert queries.missing_years(shanghai(6, 1)) == ()


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_changed(ticket_of: Make, now: datetime) -> None:
    ticket = ticket_of(1)

    with pytest.raises(RuntimeError):
        sla.meet(ticket, "response", at=now)

    assert clock(ticket, "response").met_at is None
