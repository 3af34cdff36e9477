"""The batch decision: best whole, fallbacks, pre-emption, people on call, and what it says about itself."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.engineers.rules import Position
from dispatch.matching import rules
from dispatch.matching.estimators import build, explanation, match
from dispatch.matching.rules import Weights, Work
from dispatch.roster.rules import Presence
from dispatch.triage.rules import ClassGuess
from tests.dispatch.matching.cast import NOW, WORKSHOP, ago, ahead, busy_with, chance, engineer, job

WEIGHTS = Weights()


def broken_solver(_gain):
    raise RuntimeError("injected")


def starts(outcome):
    return {pair.job.id: pair.engineer.id for pair in outcome.pairs}


def test_two_tickets_go_to_the_two_that_suit_best_as_a_whole():
    # 1 is slightly better at both, but only 2 is any good at ticket 10
    both = [job(10, classes=(ClassGuess("flow", 1.0),)), job(11, classes=(ClassGuess("screen", 1.0),))]
    one = engineer(1, chances={"flow": chance(0.90), "screen": chance(0.90)})
    two = engineer(2, chances={"flow": chance(0.85), "screen": chance(0.30)})

    assert starts(match(both, [one, two], NOW)) == {10: 2, 11: 1}


def test_a_ticket_may_wait_for_the_right_person_who_is_nearly_done():
    expert = engineer(1, chances={"flow": chance(0.99)}, busy_until=ahead(1), current=Work(9, 3))
    beginner = engineer(2, chances={"flow": chance(0.05)})

    outcome = match([job(10, priority=4)], [expert, beginner], NOW)

    assert outcome.pairs == ()
    assert [(wait.job.id, wait.engineer.id) for wait in outcome.deferred] == [(10, 1)]


def test_nobody_idle_means_waiting_not_nobody():
    outcome = match([job(10)], [engineer(1, **busy_with(3, left=9))], NOW)

    assert (outcome.pairs, outcome.unassigned) == ((), ())
    assert outcome.deferred[0].engineer.id == 1


def test_a_busy_engineer_is_asked_at_once_when_waiting_would_outlast_the_promise_to_answer():
    soon, late = engineer(1, **busy_with(3, left=9)), engineer(1, **busy_with(3, left=10))

    assert starts(match([job(10)], [soon], NOW)) == {}
    assert starts(match([job(10)], [late], NOW)) == {10: 1}
    assert starts(match([job(10, created=ago(1))], [soon], NOW)) == {10: 1}
    assert starts(match([job(10, priority=3)], [late], NOW)) == {}


def test_an_urgent_ticket_is_asked_for_although_the_plan_keeps_the_only_engineer_for_a_calm_one():
    only = engineer(1, **busy_with(1, left=135))
    urgent, calm = job(10, priority=2, created=ago(7)), job(11, priority=3)

    outcome = match([urgent, calm], [only], NOW)

    assert starts(outcome) == {10: 1}
    assert [wait.job.id for wait in outcome.deferred] == [11]


def test_nobody_suitable_is_said_as_such():
    outcome = match([job(10, skill="imaging")], [engineer(1)], NOW)

    assert [ticket.id for ticket in outcome.unassigned] == [10]


def test_no_engineers_at_all_leaves_every_ticket_unassigned():
    outcome = match([job(10), job(11)], [], NOW)

    assert [ticket.id for ticket in outcome.unassigned] == [10, 11]
    assert outcome.mode == "assignment"


def test_people_on_call_are_left_alone_while_somebody_on_site_can_do_it():
    outcome = match([job(10)], [engineer(1, presence=Presence.HOME), engineer(2, **busy_with(3, left=9))], NOW)

    assert outcome.pairs == ()
    assert explanation(outcome, job(10))["rejected"] == [{"engineer": 1, "code": "on_call_not_needed", "params": {}}]


def test_people_on_call_are_woken_when_nobody_on_site_may_do_it():
    outcome = match([job(10)], [engineer(1, presence=Presence.ON_CALL), engineer(2, skills={})], NOW)

    assert starts(outcome) == {10: 1}


def test_a_p1_takes_the_cheapest_qualified_engineer_off_lesser_work():
    near = engineer(1, **busy_with(3), position=WORKSHOP)
    far = engineer(2, **busy_with(4), position=Position("main", "surgery", 12))
    unfit = engineer(3, **busy_with(4), skills={})

    outcome = match([job(10, priority=1)], [near, far, unfit], NOW)

    assert starts(outcome) == {10: 1}
    assert outcome.pairs[0].interrupts == Work(900, 3)


def test_a_p1_never_interrupts_a_p1_nor_work_that_must_not_be_left():
    people = [engineer(1, **busy_with(1)), engineer(2, **busy_with(3, interruptible=False))]

    outcome = match([job(10, priority=1)], people, NOW)

    assert outcome.pairs == ()
    assert [wait.job.id for wait in outcome.deferred] == [10]


def test_with_everyone_on_p1_work_somebody_on_call_is_woken_for_the_next_p1():
    people = [engineer(1, **busy_with(1)), engineer(2, presence=Presence.ON_CALL)]

    assert starts(match([job(10, priority=1)], people, NOW)) == {10: 2}


def rejected(outcome, ticket):
    return {one["engineer"]: one["code"] for one in explanation(outcome, ticket)["rejected"]}


def test_who_is_on_call_leaves_lesser_tickets_for_a_p1_that_nobody_on_site_can_go_to():
    on_site = engineer(1, **busy_with(1, left=135))
    called = engineer(2, presence=Presence.ON_CALL, **busy_with(3))
    ticket = job(10, priority=1)

    outcome = match([ticket], [on_site, called], NOW)

    assert [(pair.engineer.id, pair.interrupts) for pair in outcome.pairs] == [(2, Work(900, 3))]
    assert rejected(outcome, ticket) == {1: "on_p1"}


def test_who_is_on_call_is_a_candidate_even_if_nobody_can_go_in_the_end():
    people = [engineer(1, **busy_with(1)), engineer(2, presence=Presence.HOME, **busy_with(1))]
    ticket = job(10, priority=1)

    outcome = match([ticket], people, NOW)

    assert rejected(outcome, ticket) == {1: "on_p1", 2: "on_p1"}


def test_people_on_call_are_woken_when_who_is_on_site_would_come_too_late():
    due = {"respond_by": ahead(10), "arrive_by": ahead(60)}
    called = engineer(2, presence=Presence.ON_CALL)

    late = match([job(10, **due)], [engineer(1, **busy_with(1, left=135)), called], NOW)
    in_time = match([job(10, **due)], [engineer(1, **busy_with(1, left=30)), called], NOW)

    assert starts(late) == {10: 2}
    assert starts(in_time) == {10: 1}


def test_people_on_call_sleep_when_they_would_come_even_later_than_who_is_on_site():
    overdue = job(10, created=ago(90), arrive_by=ago(30))

    outcome = match([overdue], [engineer(1, **busy_with(3, left=15)), engineer(2, presence=Presence.HOME)], NOW)

    assert starts(outcome) == {10: 1}
    assert rejected(outcome, overdue) == {2: "on_call_not_needed"}


def test_people_on_call_sleep_while_somebody_on_site_can_leave_lesser_work_for_the_p1():
    full = engineer(1, **(busy_with(3) | {"open_count": 5}))

    outcome = match([job(10, priority=1)], [full, engineer(2, presence=Presence.ON_CALL)], NOW)

    assert starts(outcome) == {10: 1}


def test_a_p2_interrupts_nobody():
    outcome = match([job(10, priority=2)], [engineer(1, **busy_with(4))], NOW)

    assert [pair.interrupts for pair in outcome.pairs] == [None]


def test_interrupting_a_p2_asks_for_a_human():
    outcome = match([job(10, priority=1)], [engineer(1, **busy_with(2))], NOW)

    assert "interrupts_p2" in outcome.pairs[0].review


def test_a_p1_calls_an_engineer_away_although_an_old_ticket_is_due_to_be_put_on_their_list():
    only = engineer(1, **busy_with(3))
    overdue, urgent = job(10, priority=3, created=ago(90)), job(11, priority=1)

    outcome = match([overdue, urgent], [only], NOW)

    assert [(pair.job.id, pair.engineer.id, pair.interrupts) for pair in outcome.pairs] == [(11, 1, Work(900, 3))]
    assert [waiting.job.id for waiting in outcome.deferred] == [10]


def test_an_idle_engineer_comes_before_an_interruption():
    outcome = match([job(10, priority=1)], [engineer(1, **busy_with(4)), engineer(2)], NOW)

    assert starts(outcome) == {10: 2}
    assert outcome.pairs[0].interrupts is None


def test_a_broken_solver_falls_back_to_the_index_and_says_so():
    urgent, calm = job(10, priority=1), job(11, priority=3, created=ago(200))

    outcome = match([calm, urgent], [engineer(1)], NOW, solver=broken_solver)

    assert starts(outcome) == {10: 1}
    assert (outcome.mode, outcome.failure) == ("c_mu", "RuntimeError")


def test_a_solver_that_breaks_a_rule_is_not_believed():
    people = [engineer(1, skills={}), engineer(2)]

    outcome = match([job(10)], people, NOW, solver=lambda _gain: [(0, 0)])

    assert starts(outcome) == {10: 2}
    assert (outcome.mode, outcome.failure) == ("c_mu", "ValueError")


def test_an_answer_after_the_time_box_is_dropped():
    clock = iter([0.0, 201.0])

    outcome = match([job(10)], [engineer(1)], NOW, elapsed_ms=lambda: next(clock))

    assert starts(outcome) == {10: 1}
    assert (outcome.mode, outcome.failure) == ("c_mu", "too_slow")


def test_an_answer_within_the_time_box_is_kept():
    clock = iter([0.0, 200.0])

    assert match([job(10)], [engineer(1)], NOW, elapsed_ms=lambda: next(clock)).mode == "assignment"


def test_when_the_index_fails_too_the_least_loaded_goes():
    def broken_index(_problem, _open_pairs):
        raise ZeroDivisionError

    people = [engineer(1, open_count=3), engineer(2, open_count=1)]
    outcome = match([job(10)], people, NOW, solver=broken_solver, index=broken_index)

    assert starts(outcome) == {10: 2}
    assert (outcome.mode, outcome.failure) == ("least_loaded", "RuntimeError, ZeroDivisionError")


def test_the_explanation_is_plain_data_with_every_candidate_and_every_rejection():
    people = [engineer(1), engineer(2, chances={"flow": chance(0.5)}), engineer(3, open_count=5)]
    outcome = match([job(10)], people, NOW)

    told = json.loads(json.dumps(explanation(outcome, outcome.problem.jobs[0])))

    assert told["mode"] == "assignment"
    assert told["chosen"]["engineer"] == 1
    assert [line["engineer"] for line in told["candidates"]] == [1, 2]
    assert told["candidates"][0]["terms"]["total"] < told["candidates"][1]["terms"]["total"]
    gap = told["candidates"][1]["terms"]["total"] - told["candidates"][0]["terms"]["total"]
    assert told["chosen"]["gap"] == pytest.approx(gap, abs=2e-4)
    assert told["rejected"] == [{"engineer": 3, "code": "load_limit", "params": {"open": 5, "limit": 5}}]
    assert len(told["input_hash"]) == 64


def test_the_input_hash_changes_with_any_input():
    base = match([job(10)], [engineer(1)], NOW).input_hash

    assert match([job(10)], [engineer(1, open_count=1)], NOW).input_hash != base
    assert match([job(10)], [engineer(1)], NOW + timedelta(seconds=1)).input_hash != base
    assert match([job(10)], [engineer(1)], NOW, Weights(fix=2)).input_hash != base
    assert match([job(10)], [engineer(1)], NOW).input_hash == base


# Anything that can happen, in whole minutes.

positions = st.builds(
    Position,
    st.just("main"),
    st.sampled_from(["a", "b"]),
    st.integers(1, 6),
    st.just(0.0),
    st.sampled_from([0.0, 90.0]),
)
people = st.builds(
    dict,
    position=st.none() | positions,
    presence=st.sampled_from(list(Presence)),
    shift_end=st.none() | st.integers(-30, 400).map(ahead),
    skills=st.dictionaries(st.sampled_from(["respiratory", "imaging"]), st.integers(1, 3)),
    open_count=st.integers(0, 5),
    busy_until=st.none() | st.integers(-10, 90).map(ahead),
    busy_minutes=st.integers(0, 400).map(float),
    current=st.none() | st.builds(Work, st.integers(900, 999), st.integers(1, 4), st.booleans()),
    chances=st.dictionaries(st.sampled_from(["flow", "screen"]), st.sampled_from([0.3, 0.6, 0.9]).map(chance)),
    paces=st.dictionaries(st.sampled_from(["flow", "screen"]), st.sampled_from([0.5, 1.0, 2.0])),
)
posteriors = st.sampled_from(
    [(), (ClassGuess("flow", 1.0, 30),), (ClassGuess("flow", 0.5, 30), ClassGuess("screen", 0.5, 90))]
)
tickets = st.builds(
    dict,
    priority=st.integers(1, 4),
    created=st.integers(0, 900).map(ago),
    classes=posteriors,
    position=st.none() | positions,
    skill=st.sampled_from(["", "respiratory", "imaging"]),
    skill_level=st.integers(1, 2),
    rework=st.booleans(),
    last_engineer=st.none() | st.integers(1, 4),
    failed_engineer=st.none() | st.integers(1, 4),
    refused=st.frozensets(st.integers(1, 4), max_size=2),
    excluded=st.frozensets(st.integers(1, 4), max_size=1),
)


@st.composite
def moments(draw, most=5):
    staff = [engineer(number, **known) for number, known in enumerate(draw(st.lists(people, max_size=most)), 1)]
    waiting = [job(number, **known) for number, known in enumerate(draw(st.lists(tickets, max_size=most)), 10)]
    return waiting, staff


solvers = st.sampled_from([None, broken_solver])


@settings(deadline=None, max_examples=150)
@given(moments(), solvers)
def test_nobody_is_given_two_tickets_or_one_they_may_not_do(moment, solver):
    waiting, staff = moment

    outcome = match(waiting, staff, NOW, solver=solver)

    assert len({pair.engineer.id for pair in outcome.pairs}) == len(outcome.pairs)
    for pair in outcome.pairs:
        cut = pair.interrupts is not None
        assert rules.reject_reason(pair.job, pair.engineer, NOW, WEIGHTS, interrupting=cut) is None
        queued = rules.cannot_wait(pair.job, pair.engineer, NOW, WEIGHTS)
        assert cut or queued or pair.engineer.idle(NOW)
        assert not cut or (pair.job.priority == 1 and pair.interrupts.priority > 1)
    told = [pair.job.id for pair in outcome.pairs] + [wait.job.id for wait in outcome.deferred]
    told += [ticket.id for ticket in outcome.unassigned]
    assert sorted(told) == [ticket.id for ticket in waiting]


@settings(deadline=None, max_examples=100)
@given(moments(), st.randoms(use_true_random=False), solvers)
def test_the_order_of_the_inputs_does_not_matter(moment, random, solver):
    waiting, staff = moment
    one = match(waiting, staff, NOW, solver=solver)
    random.shuffle(waiting)
    random.shuffle(staff)

    other = match(waiting, staff, NOW, solver=solver)

    assert starts(one) == starts(other)
    assert one.input_hash == other.input_hash


@settings(deadline=None, max_examples=150)
@given(moments())
def test_the_matrices_say_what_the_rules_say_for_one_pair(moment):
    waiting, staff = moment
    problem = build(waiting, staff, NOW, WEIGHTS)

    for row, ticket in enumerate(problem.jobs):
        for column, person in enumerate(problem.engineers):
            assert problem.cost[row, column] == pytest.approx(problem.terms(ticket, person).total)
            if person.presence == Presence.ON_SITE:
                expected = rules.reject_reason(ticket, person, NOW, WEIGHTS) is None
                assert problem.allowed[row, column] == expected


def best_by_trying_everything(gain):
    """Least total over all ways to give each engineer at most one ticket, or none."""
    rows, columns = gain.shape
    wide = np.hstack([gain, np.zeros((rows, rows))])  # a blank column each: the ticket stays
    return min(
        sum(wide[row, column] for row, column in enumerate(choice))
        for choice in itertools.permutations(range(columns + rows), rows)
    )


@settings(deadline=None, max_examples=60)
@given(moments(most=4))
def test_the_plan_is_as_good_as_trying_everything(moment):
    waiting, staff = moment
    kept = {}

    def remember(gain):
        from dispatch.matching.estimators.batch import solve

        kept["gain"], kept["plan"] = gain, solve(gain)
        return kept["plan"]

    match(waiting, staff, NOW, solver=remember)

    if kept:
        total = sum(kept["gain"][pair] for pair in kept["plan"])
        assert total == pytest.approx(best_by_trying_everything(kept["gain"]))


def test_fifty_people_and_five_hundred_tickets_are_matched():
    staff = [engineer(n, position=Position("main", "ab"[n % 2], n % 9 + 1), open_count=n % 4) for n in range(1, 51)]
    waiting = [job(n, priority=n % 4 + 1, created=ago(n % 300)) for n in range(100, 600)]

    outcome = match(waiting, staff, NOW)

    assert len(outcome.pairs) == 50
    assert len(outcome.deferred) == 450
    assert {pair.job.priority for pair in outcome.pairs} == {1}
