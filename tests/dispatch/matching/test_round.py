"""Rounds: suggestions, rivals, a fixed number of queries, what the record says in words, what history learns."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from django_q.models import OrmQ

from assets.models import FaultPreset
from config.kernel import jobs
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.events import recording
from config.kernel.models import Timer
from dispatch.engineers.models import Engineer, TrackRecord
from dispatch.matching import queries, rules
from dispatch.matching import services as matching
from dispatch.matching.models import Decision, DepartmentMode, Mode, Weights
from dispatch.matching.queries import situation
from dispatch.matching.services import dispatching
from dispatch.roster import queries as roster
from dispatch.roster import services as duty
from dispatch.roster.models import Shift
from tests import factories
from tests.dispatch.rivals import at_once
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record.models import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def suggesting(icu):
    return DepartmentMode.objects.create(department=icu, mode=Mode.SUGGEST)


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


def finish(ticket, by, at):
    lifecycle.accept(ticket, by=by, at=at)
    lifecycle.arrive(ticket, by=by, at=at, scanned=True)
    lifecycle.start(ticket, by=by, at=at, decon="cleaned")
    sheet = lifecycle.FinishSheet(cause="part", action="replace", release="usable", tests=[], minutes=40)
    return lifecycle.resolve(ticket, sheet=sheet, by=by, at=at + timedelta(minutes=40))


def test_a_suggestion_waits_for_a_dispatcher_and_is_made_once(report, suggesting, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)

    with recording() as seen:
        matching.dispatch(at=now)
        matching.dispatch(at=now + timedelta(minutes=1))

    assert fresh(ticket).state == State.TRIAGED
    (suggestion,) = queries.open_suggestions()
    assert (suggestion.ticket, suggestion.chosen) == (ticket, engineer)
    assert [event.type for event in seen] == ["SuggestionMade"]


def test_the_confirmed_suggestion_is_the_dispatchers_assignment(
    report, suggesting, ventilator, calm, engineer, dispatcher, now
):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    decision = queries.latest(ticket)

    with recording() as seen:
        matching.confirm(decision, by=dispatcher, at=now)

    assert fresh(ticket).assignee == engineer
    assert [(e.by, e.automatic) for e in seen if e.type == "TicketAssigned"] == [(dispatcher.person.public_id, False)]
    with pytest.raises(NotAllowedNow):
        matching.confirm(decision, by=dispatcher, at=now)


def test_another_choice_of_the_dispatcher_is_kept_beside_the_suggestion(
    report, suggesting, ventilator, calm, engineer, colleague, dispatcher, now
):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    suggested = queries.latest(ticket).chosen
    other = colleague if suggested == engineer else engineer

    lifecycle.assign(ticket, to=other, by=dispatcher, at=now)

    assert queries.latest(ticket).outcome == "overridden"
    assert queries.latest(ticket).chosen == other
    assert not queries.open_suggestions().exists()


def test_a_p1_is_never_only_suggested(report, suggesting, ventilator, stopped, engineer, now):
    ticket = report(ventilator, stopped, in_use=True)

    matching.dispatch(at=now)

    assert fresh(ticket).assignee == engineer


def test_a_ticket_that_changed_while_it_was_matched_is_left_alone(
    report, icu, ventilator, calm, engineer, colleague, monkeypatch, now
):
    taken, other = report(ventilator, calm), report(factories.device(icu, ventilator.type), calm)
    load = queries.load

    def load_then_lose_one(at, active, *, only):
        seen = load(at, active, only=only)
        lifecycle.cancel(taken, by=None, at=now, reason="误报")
        return seen

    monkeypatch.setattr(queries, "load", load_then_lose_one)
    matching.dispatch(at=now)

    assert fresh(taken).state == State.CANCELLED
    assert fresh(other).state == State.ASSIGNED
    assert not Decision.objects.filter(ticket=taken).exists()


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_rounds_beside_each_other_give_each_ticket_out_once(report, icu, ventilator, calm, now):
    staff = [factories.engineer(f"e{n}", at=now) for n in range(3)]
    for _ in range(6):
        report(factories.device(icu, ventilator.type), calm)

    at_once([partial(matching.dispatch, at=now)] * 5)

    assert [Ticket.objects.filter(assignee=one).count() for one in staff] == [2, 2, 2]
    assert Decision.objects.filter(outcome="assigned").values("ticket").distinct().count() == 6
    assert Decision.objects.filter(outcome="assigned").count() == 6


def queries_of_a_look(at):
    with CaptureQueriesContext(
        connection,
    ) as seen:
        queries.load(at, matching.lock_weights())
    return len(seen)


def test_the_moment_is_read_in_the_same_number_of_queries(report, icu, ventilator, calm, now):
    factories.engineer("first", at=now)
    report(ventilator, calm)
    matching.lock_weights()
    one = queries_of_a_look(now)
    for n in range(9):
        factories.engineer(f"e{n}", at=now)
        report(factories.device(icu, ventilator.type), calm)

    assert queries_of_a_look(now) == one


def test_nothing_new_is_written_while_nothing_changes(report, monitor, spo2, surgery, engineer, now):
    FaultPreset.objects.update(minutes=15)  # soon free, so the second may wait
    first, second = report(monitor, spo2), report(factories.device(surgery, monitor.type), spo2)
    matching.dispatch(at=now)
    matching.dispatch(at=now + timedelta(minutes=1))
    matching.dispatch(at=now + timedelta(minutes=2))

    assert Decision.objects.filter(ticket__in=[first, second]).count() == 2
    assert set(Decision.objects.values_list("outcome", flat=True)) == {"assigned", "deferred"}


def test_a_flood_of_reports_is_answered_in_rounds_of_bounded_length(report, icu, ventilator, calm, now, monkeypatch):
    monkeypatch.setattr(dispatching, "MOST_NOTES", 2)
    tickets = [report(factories.device(icu, ventilator.type), calm) for _ in range(5)]
    OrmQ.objects.all().delete()

    rounds = []
    for _round in range(4):
        matching.dispatch(at=now)
        rounds.append((Decision.objects.filter(ticket__in=tickets).count(), OrmQ.objects.count()))
        OrmQ.objects.all().delete()

    assert rounds == [(2, 1), (4, 1), (5, 0), (5, 0)]


def test_a_round_takes_the_most_urgent_and_draws_the_others_so_that_none_starves(
    report, icu, ventilator, calm, stopped, now, monkeypatch
):
    monkeypatch.setattr(situation, "MOST_WAITING", 4)
    calm_ones = [report(factories.device(icu, ventilator.type), calm) for _ in range(7)]
    urgent = [report(factories.device(icu, ventilator.type), stopped, in_use=True) for _ in range(2)]
    OrmQ.objects.all().delete()

    rounds = []
    for _round in range(5):
        matching.dispatch(at=now)
        rounds.append((Decision.objects.count(), OrmQ.objects.count()))
        OrmQ.objects.all().delete()

    assert set(Decision.objects.filter(ticket__in=urgent).values_list("ticket", flat=True)) == {t.pk for t in urgent}
    assert Decision.objects.filter(ticket__in=calm_ones).count() == 7
    assert rounds == [(4, 1), (6, 1), (8, 1), (9, 0), (9, 0)]


def test_what_comes_and_goes_within_an_hour_is_said_once(report, monitor, spo2, surgery, engineer, now):
    FaultPreset.objects.update(minutes=15)
    held, waiting = report(monitor, spo2), report(factories.device(surgery, monitor.type), spo2)
    matching.dispatch(at=now)

    for minute in range(1, 9):
        Engineer.objects.filter(user=engineer).update(max_open=1 + (minute + 1) % 2)  # full, with room, full
        matching.dispatch(at=now + timedelta(minutes=minute))
    matching.dispatch(at=now + timedelta(minutes=70))

    assert fresh(held).state == State.ASSIGNED
    outcomes = list(Decision.objects.filter(ticket=waiting).order_by("pk").values_list("outcome", flat=True))
    assert outcomes == ["deferred", "nobody", "assigned"]


def test_a_ticket_that_nobody_was_free_for_in_time_is_announced(
    report, icu, ventilator, calm, stopped, engineer, dispatcher, now
):
    lesser = report(factories.device(icu, ventilator.type), calm)
    lifecycle.assign(lesser, to=engineer, by=dispatcher, at=now)
    late = report(ventilator, calm, at=now - timedelta(minutes=11))
    report(factories.device(icu, ventilator.type), stopped, in_use=True)

    with recording() as seen:
        matching.dispatch(at=now)

    assert [event.ticket for event in seen if event.type == "NobodyAvailable"] == [late.public_id]
    assert list(queries.without_anybody()) == [late]


def test_the_board_shows_again_who_has_nobody_again_but_nobody_is_told_twice(
    report, monitor, spo2, surgery, engineer, now
):
    FaultPreset.objects.update(minutes=15)
    report(monitor, spo2)
    matching.dispatch(at=now)
    waiting = report(factories.device(surgery, monitor.type), spo2)

    with recording() as seen:
        for minute, room in enumerate((1, 5, 1), 1):
            Engineer.objects.filter(user=engineer).update(max_open=room)
            matching.dispatch(at=now + timedelta(minutes=minute))

    assert list(queries.without_anybody()) == [waiting]
    assert [event.type for event in seen].count("NobodyAvailable") == 1


def test_the_queued_rounds_that_this_one_answers_leave_with_its_work(
    report, ventilator, calm, engineer, now, monkeypatch
):
    OrmQ.objects.all().delete()
    report(ventilator, calm)
    matching.look_again()
    assert OrmQ.objects.count() > 0

    def cut_off(*_given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dispatching, "_set_retry", cut_off)
        with pytest.raises(KeyboardInterrupt):
            matching.dispatch(at=now)
    left = OrmQ.objects.count()
    matching.dispatch(at=now)

    assert left > 0
    assert jobs.twins(matching.JOB) == []


def test_the_explanation_reads_as_a_colleague_would_say_it(report, ventilator, calm, engineer, colleague, now):
    unskilled = factories.engineer("zhao", at=now, name="赵敏", skills={"monitoring": 3})
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    told = queries.explain(queries.latest(ticket))

    assert told.chosen in ("李工", "王工")
    assert [line.name for line in told.lines if line.chosen] == [told.chosen]
    assert [(one.user_id, one.reason) for one in told.rejected] == [(unskilled.pk, "没有呼吸与麻醉技能")]
    for line in told.lines:
        assert [piece.label for piece in line.segments] == ["等待", "修不好风险", "路程与用时", "负载"]
        assert line.segments[-1].start + line.segments[-1].width <= 1000
        assert "一次修好 80 %" in line.reason


def test_the_same_record_reads_in_english(report, ventilator, calm, engineer, now):
    factories.engineer("zhao", at=now, name="赵敏", skills={})
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    with translation.override("en"):
        data = queries.as_data(queries.latest(ticket))

    assert data["rejected"][0]["engineer"] == "zhao"
    assert data["rejected"][0]["reason"] == "Lacks the skill: Respiratory"
    assert data["chosen"]["engineer"] == "li"
    assert data["candidates"][0]["reason"].startswith("Walk ")


def test_names_cost_the_same_number_of_queries_for_any_number_of_people(report, ventilator, calm, now):
    for n in range(6):
        factories.engineer(f"e{n}", at=now, skills={"respiratory": 2} if n % 2 else {})
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    decision = queries.latest(ticket)

    with CaptureQueriesContext(connection) as seen:
        queries.explain(decision)

    assert len(seen) <= 3


def test_a_confirmed_repair_counts_as_a_fix_and_a_dispute_as_a_miss(report, ventilator, calm, engineer, nurse, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    finish(ticket, engineer, now)

    lifecycle.dispute(ticket, by=nurse, at=now + timedelta(hours=1), reason="还是报警")
    missed = TrackRecord.objects.get(engineer__user=engineer)
    assert (missed.attempts, missed.first_fixes) == (1, 0)

    lifecycle.assign(ticket, to=engineer, by=None, at=now + timedelta(hours=1), automatic=True)
    finish(ticket, engineer, now + timedelta(hours=1))
    lifecycle.confirm(ticket, by=nurse, at=now + timedelta(hours=2), name="陈护士")
    fixed = TrackRecord.objects.get(engineer__user=engineer)
    assert (fixed.attempts, fixed.first_fixes) == (2, 1)


def test_a_reopened_ticket_prefers_somebody_who_has_not_failed_at_it(
    report, ventilator, calm, engineer, colleague, nurse, now
):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    first = fresh(ticket).assignee
    finish(ticket, first, now)
    lifecycle.dispute(ticket, by=nurse, at=now + timedelta(hours=1), reason="还是报警")
    Engineer.objects.update(last_seen=ventilator.location)  # both as near

    matching.dispatch(at=now + timedelta(hours=1))

    stored = queries.latest(ticket).explanation["candidates"]
    assert {one["engineer"]: one["terms"]["fail_again"] for one in stored}[first.pk] == 0.3
    assert fresh(ticket).assignee != first


def test_a_scan_moves_where_walks_start(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, scanned=True)

    engineer.engineer.refresh_from_db()
    assert engineer.engineer.last_seen == ventilator.location


def test_the_retry_goes_when_nobody_waits(report, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    other = report(factories.device(ventilator.department, ventilator.type), calm)
    matching.dispatch(at=now)
    assert Timer.objects.filter(key="dispatch:retry").exists()
    waiting = fresh(ticket) if fresh(ticket).assignee is None else fresh(other)

    lifecycle.assign(waiting, to=engineer, by=None, at=now, automatic=True)
    third = report(factories.device(ventilator.department, ventilator.type), calm)
    factories.engineer("extra", at=now)
    matching.dispatch(at=now)

    assert fresh(third).state == State.ASSIGNED
    assert not Timer.objects.filter(key="dispatch:retry").exists()


def test_a_version_of_weights_is_what_the_round_uses(report, ventilator, calm, engineer, now):
    Weights.objects.create(
        version=7, active=True, values={"manner": {"accept_within": {"1": 1, "2": 9, "3": 9, "4": 9}}}
    )
    ticket = report(ventilator, calm)

    matching.dispatch(at=now)

    assert queries.latest(ticket).weights_version == 7
    assert Timer.objects.get(key=matching.acceptance_key(ticket.pk)).fire_at == now + timedelta(minutes=9)


def test_a_version_that_cannot_be_used_does_not_stop_dispatch(report, ventilator, calm, engineer, now):
    bad = Weights.objects.create(version=7, active=True, values={"fix": "much"})
    ticket = report(ventilator, calm)

    matching.dispatch(at=now)

    assert fresh(ticket).assignee == engineer
    with pytest.raises(ValidationError, match="fix"):
        bad.full_clean()


def test_a_suggestion_ends_when_the_one_suggested_is_needed_elsewhere(
    report, suggesting, ventilator, calm, stopped, icu, engineer, now
):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    report(factories.device(icu, ventilator.type), stopped, in_use=True)
    matching.dispatch(at=now)

    assert queries.latest(ticket).outcome == "deferred"
    assert not queries.open_suggestions().exists()


def test_a_suggestion_ends_when_somebody_takes_the_ticket(report, suggesting, ventilator, calm, engineer, now):
    ticket = report(ventilator, calm)
    matching.dispatch(at=now)

    lifecycle.accept(ticket, by=engineer, at=now)

    assert not queries.open_suggestions().exists()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"fix": -1}, "fix"),
        ({"fix": "much"}, "fix"),
        ({"unheard": 1}, "unheard"),
        ({"target_minutes": {"1": 15}}, "target_minutes"),
        ({"target_minutes": {"1": 0, "2": 1, "3": 1, "4": 1}}, "target_minutes"),
        ({"travel": {"per_floor": float("nan")}}, "per_floor"),
    ],
)
def test_weights_that_make_no_sense_are_refused_by_name(values, name):
    with pytest.raises(ValueError, match=name):
        rules.settings_from(values)


def test_the_board_lists_who_is_on_duty_lead_first(engineer, colleague, rules, now):
    lead = factories.engineer("lead", at=now, name="何组长", on_shift=False)
    factories.shift(lead, now, now + timedelta(hours=4), role=Shift.Role.LEAD)
    factories.engineer("off", at=now, on_shift=False)

    lines = roster.on_duty(now)

    assert [line.engineer.user for line in lines] == [lead, engineer, colleague]
    assert roster.leads_on_duty(now) == [lead.engineer]


def test_the_roster_refuses_two_duties_at_once(engineer, manager, now):
    with pytest.raises(Invalid):
        duty.plan_shift(engineer.engineer, starts=now, ends=now + timedelta(hours=1), by=manager, at=now)

    assert engineer.engineer.shifts.count() == 1


def test_a_week_without_a_card_holder_shows_as_gaps(ventilator, engineer, now):
    codes = {gap.code for gap in roster.gaps(now)}
    hours = sum(gap.hours for gap in roster.gaps(now))

    assert codes == {"respiratory"}
    assert hours == pytest.approx(7 * 24 - 6)
