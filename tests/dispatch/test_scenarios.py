"""The ten scenarios of dispatch with their expected outcomes, with real services and the database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from assets.models import User
from config.kernel import timers
from config.kernel.errors import DomainError, NotAllowedNow
from config.kernel.events import recording
from config.kernel.models import Timer
from dispatch.engineers.models import Engineer
from dispatch.matching import queries
from dispatch.matching import services as matching
from dispatch.matching.models import Decision, DepartmentMode, Exclusion, Mode
from dispatch.roster import services as roster
from dispatch.roster.models import Leave, Shift
from tests import factories
from tests.dispatch.rivals import at_once
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record.models import State

pytestmark = pytest.mark.django_db


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def working(ticket: Ticket, by: User, at: datetime) -> Ticket:
    """Bring an assigned ticket to work in progress through the engineer's own steps."""
    lifecycle.accept(ticket, by=by, at=at)
    lifecycle.arrive(ticket, by=by, at=at, scanned=True)
    return lifecycle.start(ticket, by=by, at=at, decon="cleaned")


def rejection(ticket: Ticket, user: User) -> dict[str, Any]:
    stored = Decision.objects.filter(ticket=ticket).latest("pk").explanation["rejected"]
    return next(one for one in stored if one["engineer"] == user.pk)


def told(seen: list[Any], kind: str) -> list[Any]:
    return [event for event in seen if event.type == kind]


def test_the_plain_case_the_better_engineer_is_asked_and_the_reason_is_kept(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)

    matching.dispatch(at=now)

    after = fresh(ticket)
    assert (after.state, after.assignee) == (State.ASSIGNED, engineer)
    decision = queries.latest(ticket)
    assert decision is not None
    assert (decision.outcome, decision.mode, decision.chosen) == ("assigned", "assignment", engineer)
    assert decision.explanation["chosen"]["engineer"] == engineer.pk
    assert Timer.objects.get(key=matching.acceptance_key(ticket.pk)).fire_at == now + timedelta(minutes=5)


def test_1_an_expired_qualification_keeps_the_better_engineer_away(report, icu, now):
    kind = factories.device_type(required_qualification=factories.qualification("r1"))
    steriliser = factories.device(icu, kind)
    yesterday, next_year = date(2026, 11, 17), date(2027, 11, 18)
    expert = factories.engineer("expert", at=now, skills={"respiratory": 3}, cards={"r1": yesterday})
    valid = factories.engineer("valid", at=now, cards={"r1": next_year})

    ticket = report(steriliser)
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == valid
    assert rejection(ticket, expert) == {
        "engineer": expert.pk,
        "code": "qualification_expired",
        "params": {"qualification": "r1", "until": "2026-11-17"},
    }


def test_1b_a_card_is_valid_on_its_last_local_day(report, icu, now):
    kind = factories.device_type(required_qualification=factories.qualification("r1"))
    today = timezone.localdate(now)
    valid = factories.engineer("valid", at=now, cards={"r1": today})

    ticket = report(factories.device(icu, kind))
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == valid


def test_2_an_ill_engineer_gives_back_what_was_not_begun_and_gets_nothing_new(
    report, ventilator, calm, engineer, colleague, dispatcher, now
):
    ticket = report(ventilator, calm)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)

    roster.take_leave(
        engineer.engineer, kind=Leave.Kind.ILL, starts=now, ends=now + timedelta(days=2), by=dispatcher, at=now
    )
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == colleague
    assert rejection(ticket, engineer)["code"] == "on_leave"


def test_3_nobody_on_shift_wakes_who_is_on_call(report, ventilator, calm, rules, now):
    off = factories.engineer("off", at=now, on_shift=False)
    home = factories.engineer("home", at=now, on_shift=False)
    factories.shift(home, now, now + timedelta(hours=8), presence=Shift.Presence.HOME)

    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == home
    assert rejection(ticket, off)["code"] == "off_shift"


def test_3f_a_p1_calls_who_is_on_call_when_everybody_on_site_is_on_p1_work(
    report, icu, ventilator, stopped, monitor, spo2, engineer, dispatcher, now
):
    first, second = (report(factories.device(icu, ventilator.type), stopped, in_use=True) for _ in range(2))
    lifecycle.assign(first, to=engineer, by=dispatcher, at=now)
    home = factories.engineer("home", at=now, on_shift=False, skills={"respiratory": 2, "monitoring": 2})
    factories.shift(home, now, now + timedelta(hours=8), presence=Shift.Presence.HOME)
    lesser = report(monitor, spo2)
    lifecycle.assign(lesser, to=home, by=dispatcher, at=now)

    matching.dispatch(at=now)

    assert (fresh(second).assignee, fresh(lesser).assignee) == (home, None)
    assert rejection(second, engineer)["code"] == "on_p1"
    assert "在院没有人能及时去，叫听班的" in queries.explain(queries.latest(second)).notes


def test_3b_nobody_at_all_raises_one_banner_and_looks_again(report, ventilator, stopped, rules, now):
    factories.engineer("off", at=now, on_shift=False)
    ticket = report(ventilator, stopped, in_use=True)

    with recording() as seen:
        matching.dispatch(at=now)
        matching.dispatch(at=now + timedelta(minutes=2))

    assert ticket.priority == 1
    assert fresh(ticket).state == State.TRIAGED
    (banner,) = told(seen, "NobodyAvailable")
    assert banner.codes == ("off_shift",)
    assert list(queries.without_anybody()) == [ticket]
    assert Timer.objects.get(key="dispatch:retry").fire_at == now + timedelta(minutes=4)


def test_3d_a_p1_that_nobody_may_repair_names_the_nearest_hands(report, ventilator, stopped, rules, now):
    near = factories.engineer("near", at=now, skills={"monitoring": 3}, base=ventilator.location)
    factories.engineer("far", at=now, skills={"monitoring": 3})
    ticket = report(ventilator, stopped, in_use=True)

    with recording() as seen:
        matching.dispatch(at=now)

    (banner,) = told(seen, "NobodyAvailable")
    assert (banner.codes, banner.make_safe) == (("no_skill",), near.person.public_id)
    assert queries.explain(queries.latest(ticket)).make_safe == near.short_name


def test_3e_who_worked_through_the_night_is_left_to_rest(report, ventilator, calm, rules, now):
    tired = factories.engineer("tired", at=now, on_shift=False)
    morning = datetime(2026, 11, 18, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
    factories.shift(tired, morning - timedelta(hours=15), morning - timedelta(minutes=30))
    factories.shift(tired, morning - timedelta(minutes=30), morning + timedelta(hours=9))

    ticket = report(ventilator, calm, at=morning)
    matching.dispatch(at=morning)

    assert fresh(ticket).assignee is None
    assert rejection(ticket, tired)["code"] == "resting"


def test_3c_the_banner_goes_when_somebody_comes_on_shift(report, ventilator, calm, rules, manager, now):
    person = factories.engineer("late", at=now, on_shift=False)
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    roster.plan_shift(person.engineer, starts=now, ends=now + timedelta(hours=8), by=manager, at=now)
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == person
    assert not queries.without_anybody().exists()


def test_4_a_p1_interrupts_lesser_work_and_a_human_is_told(report, ventilator, stopped, monitor, spo2, engineer, now):
    lesser = report(monitor, spo2)
    matching.dispatch(at=now)
    working(lesser, engineer, now)

    urgent = report(ventilator, stopped, in_use=True)
    with recording() as seen:
        matching.dispatch(at=now)

    assert fresh(urgent).assignee == engineer
    left = fresh(lesser)
    assert (left.state, left.hold_reason.code, left.hold_reason.stops_clock) == (State.PAUSED, "called_away", False)
    (fact,) = told(seen, "WorkInterrupted")
    assert (fact.ticket, fact.for_ticket, fact.how) == (lesser.public_id, urgent.public_id, "paused")
    assert Decision.objects.filter(ticket=urgent).latest("pk").explanation["chosen"]["interrupts"]["priority"] == 3


def test_4b_work_that_was_not_begun_goes_back_to_the_pool(report, ventilator, stopped, monitor, spo2, engineer, now):
    lesser = report(monitor, spo2)
    matching.dispatch(at=now)

    urgent = report(ventilator, stopped, in_use=True)
    with recording() as seen:
        matching.dispatch(at=now)

    assert fresh(urgent).assignee == engineer
    assert (fresh(lesser).state, fresh(lesser).assignee) == (State.TRIAGED, None)
    assert told(seen, "WorkInterrupted")[0].how == "given_back"


def test_4d_a_reopened_p1_that_a_hand_had_given_out_is_decided_and_announced_anew(
    report, icu, ventilator, stopped, engineer, dispatcher, nurse, now
):
    other = report(factories.device(icu, ventilator.type), stopped, in_use=True)
    lifecycle.assign(other, to=engineer, by=dispatcher, at=now)
    ticket = report(ventilator, stopped, in_use=True)
    matching.dispatch(at=now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    working(ticket, engineer, now)
    sheet = lifecycle.FinishSheet(cause="part", action="replace", release="out_of_use", release_note="等备件")
    lifecycle.resolve(ticket, sheet=sheet, by=engineer, at=now + timedelta(minutes=10))
    again = now + timedelta(minutes=20)

    lifecycle.dispute(ticket, by=nurse, at=again)
    with recording() as seen:
        matching.dispatch(at=again)
        matching.dispatch(at=again + timedelta(minutes=2))

    assert queries.latest(ticket).outcome == "nobody"
    assert queries.latest(ticket).at == again
    assert [event.ticket for event in told(seen, "NobodyAvailable")] == [ticket.public_id]
    assert Decision.objects.filter(ticket=ticket, outcome="nobody").count() == 2


def test_4e_a_reopened_p1_goes_at_once_to_who_may_leave_lesser_work(
    report, ventilator, stopped, monitor, spo2, engineer, dispatcher, nurse, now
):
    ticket = report(ventilator, stopped, in_use=True)
    matching.dispatch(at=now)
    working(ticket, engineer, now)
    sheet = lifecycle.FinishSheet(cause="part", action="replace", release="out_of_use", release_note="等备件")
    lifecycle.resolve(ticket, sheet=sheet, by=engineer, at=now + timedelta(minutes=10))
    lifecycle.assign(report(monitor, spo2), to=engineer, by=dispatcher, at=now + timedelta(minutes=11))
    again = now + timedelta(minutes=20)

    lifecycle.dispute(ticket, by=nurse, at=again)
    matching.dispatch(at=again)

    assert fresh(ticket).assignee == engineer
    assert (queries.latest(ticket).outcome, queries.latest(ticket).at) == ("assigned", again)


def test_4c_p1_work_is_never_interrupted(report, icu, ventilator, stopped, engineer, now):
    first = report(ventilator, stopped, in_use=True)
    matching.dispatch(at=now)
    working(first, engineer, now)
    other = factories.device(icu, ventilator.type)

    second = report(other, stopped, in_use=True)
    matching.dispatch(at=now)

    assert fresh(first).state == State.WORKING
    assert fresh(second).state == State.TRIAGED
    assert queries.latest(second).outcome == "nobody"  # every hand is on P1 work: a human must know


def test_5_who_does_not_accept_in_time_is_passed_over(report, ventilator, calm, engineer, colleague, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    asked = fresh(ticket).assignee
    other = colleague if asked == engineer else engineer

    due = now + timedelta(minutes=5)
    with recording() as seen:
        timers.fire_due(due)
    matching.dispatch(at=due)

    assert fresh(ticket).assignee == other
    assert Exclusion.objects.get(ticket=ticket).user == asked
    assert [event.engineer for event in told(seen, "AcceptanceTimedOut")] == [asked.person.public_id]
    assert rejection(ticket, asked)["code"] == "no_answer"


def test_5d_nobody_is_late_for_a_ticket_whose_clock_does_not_run_at_night(report, monitor, spo2, rules, now):
    night = datetime(2026, 11, 18, 16, 34, tzinfo=UTC)  # 00:34 in Shanghai
    person = factories.engineer("night", at=night, skills={"monitoring": 2})
    ticket = report(monitor, spo2, at=night)
    matching.dispatch(at=night)

    timers.fire_due(night + timedelta(minutes=60))

    opens = datetime(2026, 11, 19, 0, 0, tzinfo=UTC)  # 08:00, when the ward's clock begins
    assert fresh(ticket).assignee == person
    assert Timer.objects.get(key=matching.acceptance_key(ticket.pk)).fire_at == opens + timedelta(minutes=20)


def test_5e_who_was_late_once_may_still_take_it_by_his_own_hand(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    timers.fire_due(now + timedelta(minutes=5))
    matching.dispatch(at=now + timedelta(minutes=5))
    assert rejection(ticket, engineer)["code"] == "no_answer"

    late = now + timedelta(minutes=6)
    offered = queries.against_taking(engineer, [ticket.pk], late)
    lifecycle.accept(fresh(ticket), by=engineer, at=late)

    assert offered == {}
    assert (fresh(ticket).state, fresh(ticket).assignee) == (State.ACCEPTED, engineer)


def test_5b_an_accepted_ticket_stays(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    lifecycle.accept(ticket, by=engineer, at=now + timedelta(minutes=1))

    timers.fire_due(now + timedelta(minutes=5))

    assert (fresh(ticket).state, fresh(ticket).assignee) == (State.ACCEPTED, engineer)
    assert not Exclusion.objects.exists()


def test_5c_who_was_silent_is_asked_again_after_half_an_hour(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    timers.fire_due(now + timedelta(minutes=5))
    matching.dispatch(at=now + timedelta(minutes=5))
    assert queries.latest(ticket).outcome == "nobody"

    matching.dispatch(at=now + timedelta(minutes=36))

    assert fresh(ticket).assignee == engineer


def test_6_a_refusal_goes_to_the_next_and_never_back(report, ventilator, calm, engineer, colleague, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    asked = fresh(ticket).assignee
    other = colleague if asked == engineer else engineer

    lifecycle.decline(ticket, by=asked, at=now, reason="正在处理另一台，走不开")
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == other
    assert rejection(ticket, asked)["code"] == "refused"
    assert not Timer.objects.filter(key=matching.acceptance_key(ticket.pk), args=[ticket.pk, asked.pk]).exists()


def test_7_the_load_limit_holds(report, icu, ventilator, calm, engineer, colleague, dispatcher, now):
    Engineer.objects.filter(user=engineer).update(max_open=1)
    waiting = report(factories.device(icu, ventilator.type), calm)
    lifecycle.assign(waiting, to=engineer, by=dispatcher, at=now)
    working(waiting, engineer, now)
    from tickets.record.models import HoldReason

    lifecycle.pause(waiting, reason=HoldReason.objects.first(), by=engineer, at=now)

    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    assert fresh(ticket).assignee == colleague
    assert rejection(ticket, engineer) == {
        "engineer": engineer.pk,
        "code": "load_limit",
        "params": {"open": 1, "limit": 1},
    }


def test_8_a_repeat_within_30_days_is_tagged_and_looked_at(report, ventilator, calm, engineer, colleague, now):
    Ticket.objects.bulk_create(
        [
            Ticket(
                number="WX20261101-0001",
                device=ventilator,
                department=ventilator.department,
                location=ventilator.location,
                preset=calm,
                category=calm.category,
                state=State.CLOSED,
                assignee=engineer,
                reported_at=now - timedelta(days=17),
                ended_at=now - timedelta(days=16),
            )
        ]
    )

    ticket = report(ventilator, calm)
    with recording() as seen:
        matching.dispatch(at=now)

    assert ticket.repeat_of is not None
    decision = queries.latest(ticket)
    assert decision.needs_review
    assert "repeat" in decision.explanation["chosen"]["review"]
    terms = {one["engineer"]: one["terms"] for one in decision.explanation["candidates"]}
    assert (terms[engineer.pk]["fail_again"], terms[colleague.pk]["fail_again"]) == (0.3, 0.0)
    assert fresh(ticket).assignee == colleague
    assert told(seen, "ReviewWanted")[0].reasons == tuple(decision.explanation["chosen"]["review"])


def test_9_of_ten_engineers_who_take_an_open_ticket_one_has_it(report, icu, ventilator, calm, now):
    DepartmentMode.objects.create(department=icu, mode=Mode.GRAB)
    ten = [factories.engineer(f"e{n}", at=now) for n in range(10)]
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    assert fresh(ticket).state == State.TRIAGED

    won = []
    for person in ten:
        try:
            matching.grab(ticket, by=person, at=now)
            won.append(person)
        except NotAllowedNow:
            continue

    assert won == [ten[0]]
    assert (fresh(ticket).state, fresh(ticket).assignee) == (State.ACCEPTED, ten[0])


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_9b_ten_engineers_at_the_same_instant(report, icu, ventilator, calm, now):
    DepartmentMode.objects.create(department=icu, mode=Mode.GRAB)
    ten = [factories.engineer(f"e{n}", at=now) for n in range(10)]
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    answers: dict[int, str] = {}

    def take(person: User) -> None:
        try:
            matching.grab(ticket, by=person, at=now)
            answers[person.pk] = "has it"
        except DomainError as error:
            answers[person.pk] = error.code

    at_once(partial(take, person) for person in ten)

    assert sorted(answers.values()) == ["has it"] + ["not_allowed_now"] * 9
    (winner,) = [pk for pk, answer in answers.items() if answer == "has it"]
    assert fresh(ticket).assignee_id == winner


def test_9c_an_open_ticket_that_nobody_takes_is_given_out(report, icu, ventilator, calm, engineer, now):
    DepartmentMode.objects.create(department=icu, mode=Mode.GRAB)
    ticket = report(ventilator, calm)

    matching.dispatch(at=now + timedelta(minutes=4))
    assert fresh(ticket).state == State.TRIAGED
    matching.dispatch(at=now + timedelta(minutes=5))

    assert fresh(ticket).assignee == engineer


def test_9d_who_may_not_do_it_may_not_take_it(report, icu, ventilator, calm, now):
    DepartmentMode.objects.create(department=icu, mode=Mode.GRAB)
    unskilled = factories.engineer("unskilled", at=now, skills={"monitoring": 3})
    ticket = report(ventilator, calm)

    with pytest.raises(NotAllowedNow, match="没有呼吸与麻醉技能"):
        matching.grab(ticket, by=unskilled, at=now)

    assert fresh(ticket).state == State.TRIAGED


def test_10_a_failing_solver_is_replaced_and_says_so(report, ventilator, calm, engineer, now):
    def broken(_gain: Any) -> Any:
        raise RuntimeError("injected")

    ticket = report(ventilator, calm)
    with recording() as seen:
        matching.dispatch(at=now, solver=broken)

    assert fresh(ticket).assignee == engineer
    decision = queries.latest(ticket)
    assert (decision.mode, decision.explanation["failure"]) == ("c_mu", "RuntimeError")
    assert [(event.mode, event.failure) for event in told(seen, "MatchingDegraded")] == [("c_mu", "RuntimeError")]
    assert "优化没有算出来" in queries.explain(decision).notes[0]
