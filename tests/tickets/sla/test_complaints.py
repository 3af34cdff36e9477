"""What users of other systems complain about most (peers.md), told with this house's own steps and clock process."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from assets.models import Device, FaultPreset, User
from assets.register import queries as register
from config.kernel import timers
from config.kernel.events import recording
from tests.tickets.sla.calendars import hours, minutes, shanghai
from tickets import events
from tickets.lifecycle import services as lifecycle
from tickets.record.models import HoldReason, State, Ticket
from tickets.sla import services as sla
from tickets.sla.models import Clock
from tickets.ward import services as ward

pytestmark = pytest.mark.django_db


def working(device: Device, preset: FaultPreset, engineer: User, at: datetime) -> Ticket:
    """A report that the engineer has taken, reached and begun, each within its target."""
    ticket = lifecycle.submit(device=device, preset=preset, by=None, at=at)
    ticket = lifecycle.assign(ticket, to=engineer, by=None, at=at, automatic=True)
    ticket = lifecycle.accept(ticket, by=engineer, at=at + minutes(1))
    ticket = lifecycle.arrive(ticket, by=engineer, at=at + minutes(5), scanned=True)
    return lifecycle.start(ticket, by=engineer, at=at + minutes(6), decon="cleaned")


def wait(ticket: Ticket, engineer: User, at: datetime, until: datetime, code: str = "parts") -> Ticket:
    return lifecycle.pause(ticket, reason=HoldReason.objects.get(code=code), by=engineer, at=at, until=until)


def clocks(ticket: Ticket) -> dict[str, datetime]:
    return {clock.metric: clock.due_at for clock in Clock.objects.filter(ticket=ticket)}


def tick(at: datetime) -> None:
    """One turn of the clock process."""
    sla.fire_due(at)
    timers.fire_due(at)


# 6. SLA pause wrong or missing. ---------------------------------------------------------------------------------------


def test_complaint_6_waiting_for_parts_stops_the_fix_and_nothing_else(
    monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    before = clocks(ticket)

    ticket = wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 20, 9))
    ticket = lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 11))

    after = clocks(ticket)
    # Two working hours: Friday's closing time becomes Monday 10:00.
    assert (before.pop("fix"), after.pop("fix")) == (shanghai(11, 20, 17, 30), shanghai(11, 23, 10))
    assert after == before


def test_complaint_6_no_alarm_while_waiting_and_none_lost_afterwards(
    monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 16, 8))
    lifecycle.restore(ticket, by=engineer, at=shanghai(11, 16, 8, 30))
    wait(ticket, engineer, shanghai(11, 16, 9), shanghai(11, 30, 9))

    with recording() as waiting:
        tick(shanghai(11, 27, 9))
    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 27, 17, 30))
    with recording() as resumed:
        tick(shanghai(12, 3, 9))

    assert waiting == []
    assert [type(event).__name__ for event in resumed] == ["SlaWarned", "SlaBreached", "EscalationRaised"]


def test_complaint_6_a_changed_priority_keeps_every_pause(
    monitor: Device, spo2: FaultPreset, engineer: User, dispatcher: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 18, 10))
    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 10))
    wait(ticket, engineer, shanghai(11, 18, 14), shanghai(11, 18, 15))
    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 14, 30))

    lifecycle.reprioritise(ticket, priority=2, reason="备用机也坏了", by=dispatcher, at=shanghai(11, 18, 15))

    assert clocks(ticket)["fix"] == shanghai(11, 19, 8) + hours(1.5)


def test_complaint_6_there_and_back_again_gives_the_first_due_time(
    monitor: Device, spo2: FaultPreset, engineer: User, dispatcher: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 18, 10))
    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 10))
    before = clocks(ticket)

    lifecycle.reprioritise(ticket, priority=1, reason="看错了", by=dispatcher, at=shanghai(11, 18, 11))
    lifecycle.reprioritise(ticket, priority=3, reason="没看错", by=dispatcher, at=shanghai(11, 18, 11, 5))

    assert clocks(ticket) == before


def test_complaint_6_a_pause_after_the_due_time_does_not_undo_the_breach(
    ventilator: Device, stopped: FaultPreset, engineer: User, now: datetime
) -> None:
    ticket = working(ventilator, stopped, engineer, now)
    tick(now + hours(5))

    wait(ticket, engineer, now + hours(5), now + hours(9))
    lifecycle.resume(ticket, by=engineer, at=now + hours(6))

    fix = Clock.objects.get(ticket=ticket, metric="fix")
    assert (fix.due_at, fix.breached_at) == (now + hours(4), now + hours(4))


def test_complaint_6_a_repair_that_failed_keeps_the_pauses_of_the_first_attempt(
    monitor: Device, spo2: FaultPreset, engineer: User, dispatcher: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 18, 11))
    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 11))
    before = clocks(ticket)["fix"]
    sheet = lifecycle.FinishSheet(
        cause="accessory",
        action="replace",
        release="usable",
        tests=[{"code": "leak", "name": "漏电流", "passed": True}],
    )
    lifecycle.resolve(ticket, sheet=sheet, by=engineer, at=shanghai(11, 18, 14))

    lifecycle.dispute(ticket, by=None, at=shanghai(11, 18, 15), reason="还是不准")

    fix = Clock.objects.get(ticket=ticket, metric="fix")
    assert (fix.due_at, fix.met_at) == (before, None)
    assert fix.next_at is not None


# 7. Lunch breaks, business hours, weekends. ---------------------------------------------------------------------------


def test_complaint_7_lunch_is_not_held_against_the_engineer(monitor: Device, spo2: FaultPreset) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, by=None, at=shanghai(11, 18, 11, 45))

    assert clocks(ticket)["response"] == shanghai(11, 18, 13, 45)


def test_complaint_7_a_report_after_hours_starts_in_the_morning(monitor: Device, spo2: FaultPreset) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, by=None, at=shanghai(11, 18, 22))

    assert clocks(ticket)["response"] == shanghai(11, 19, 8, 30)


def test_complaint_7_a_friday_evening_report_is_due_on_monday_and_silent_over_the_weekend(
    monitor: Device, spo2: FaultPreset
) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, by=None, at=shanghai(11, 20, 17, 20))

    with recording() as weekend:
        tick(shanghai(11, 22, 23, 59))

    assert weekend == []
    assert clocks(ticket)["response"] == shanghai(11, 23, 8, 20)


def test_complaint_7_a_make_up_saturday_is_worked_and_the_holiday_before_it_is_not(
    monitor: Device, spo2: FaultPreset
) -> None:
    ticket = lifecycle.submit(device=monitor, preset=spo2, by=None, at=shanghai(9, 30, 16))

    assert clocks(ticket)["fix"] == shanghai(10, 10, 16)


def test_complaint_7_a_p1_knows_no_lunch_no_night_and_no_weekend(ventilator: Device, stopped: FaultPreset) -> None:
    at = shanghai(11, 21, 12, 10)

    ticket = lifecycle.submit(device=ventilator, preset=stopped, in_use=True, by=None, at=at)

    assert clocks(ticket) == {
        "response": at + minutes(3),
        "arrival": at + minutes(30),
        "restoration": at + minutes(30),
        "fix": at + hours(4),
    }


# 12. Pending until a date, resume by itself. --------------------------------------------------------------------------


def test_complaint_12_a_wait_ends_by_itself_at_its_date(monitor: Device, spo2: FaultPreset, engineer: User) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 20, 9))

    tick(shanghai(11, 20, 8, 59, 59))
    assert Ticket.objects.get(pk=ticket.pk).state == State.PAUSED
    with recording() as seen:
        tick(shanghai(11, 20, 9))

    resumed = Ticket.objects.get(pk=ticket.pk)
    assert (resumed.state, resumed.hold_until) == (State.WORKING, None)
    assert [event.automatic for event in seen if isinstance(event, events.WorkResumed)] == [True]
    assert clocks(ticket)["fix"] == shanghai(11, 24, 17, 30)


def test_complaint_12_a_clock_that_slept_over_the_date_counts_the_wait_only_up_to_it(
    monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 20, 9))

    tick(shanghai(11, 20, 15))

    assert Ticket.objects.get(pk=ticket.pk).state == State.WORKING
    assert clocks(ticket)["fix"] == shanghai(11, 24, 17, 30)


def test_complaint_12_resuming_early_by_hand_cancels_the_date(
    monitor: Device, spo2: FaultPreset, engineer: User
) -> None:
    ticket = working(monitor, spo2, engineer, shanghai(11, 18, 8))
    wait(ticket, engineer, shanghai(11, 18, 9), shanghai(11, 20, 9))

    lifecycle.resume(ticket, by=engineer, at=shanghai(11, 18, 10))
    with recording() as seen:
        timers.fire_due(shanghai(11, 20, 9))

    assert seen == []
    assert ticket.pauses.count() == 1


# 23. Seven people report the same fault: one ticket, seven watchers. ---------------------------------------------------


def test_complaint_23_seven_reports_are_one_ticket_with_seven_watchers(
    ventilator: Device, stopped: FaultPreset
) -> None:
    page = urlsplit(register.report_url(ventilator)).path
    phones = [uuid4() for _ in range(7)]

    trackers = set()
    for phone in [*phones, phones[0]]:
        form = {"in_use": "no", "symptom": stopped.code, "client_id": str(phone)}
        answer = Client().post(page, form)
        assert answer.status_code == 303
        trackers.add(answer.headers["Location"])

    ticket = Ticket.objects.get()
    assert ticket.watchers.count() == 7
    assert len(trackers) == 7
    assert Clock.objects.filter(ticket=ticket).count() == 4


def test_complaint_23_who_reports_later_does_not_start_the_clock_again(
    ventilator: Device, stopped: FaultPreset, now: datetime
) -> None:
    def report(at: datetime) -> Ticket:
        facts = {"preset": stopped, "in_use": False, "danger": (), "client_id": uuid4()}
        return ward.report(ventilator, at=at, **facts).ticket

    first = report(now)
    before = clocks(first)

    assert report(now + minutes(2)) == first
    assert clocks(first) == before


def test_complaint_23_a_later_reporter_who_knows_of_danger_makes_it_urgent_from_the_first_report(
    monitor: Device, spo2: FaultPreset, now: datetime
) -> None:
    def report(at: datetime, danger: tuple[str, ...]) -> Ticket:
        return ward.report(monitor, preset=spo2, in_use=False, danger=danger, client_id=uuid4(), at=at).ticket

    first = report(now, ())
    again = report(now + minutes(2), ("smoke",))

    assert (again, Ticket.objects.get().priority) == (first, 1)
    assert clocks(first)["fix"] == now + hours(4)
