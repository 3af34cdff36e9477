"""Other weights over decisions already made: who would have gone, why, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.matching import rules
from dispatch.matching.estimators import explanation, match
from dispatch.matching.rules import Past, Weights, replay
from dispatch.roster.rules import Presence
from tests.dispatch.matching.cast import ICU, NOW, WORKSHOP, ago, busy_with, chance, engineer, job

WEIGHTS = Weights()
NEAR = {"position": ICU, "chances": {"flow": chance(0.80)}}  # 1 minute away
GOOD = {"position": WORKSHOP, "chances": {"flow": chance(0.83)}}  # 4 minutes away, surer to fix it


def decided(*people: Any, weights: Weights = WEIGHTS, number: str = "WX20261122-0001", **known: Any) -> Past:
    """What a round with one ticket stores."""
    ticket = job(1, **({"priority": 4} | known))
    outcome = match([ticket], people, NOW, weights)
    return Past(number, explanation(outcome, ticket), weights)


def test_the_same_weights_change_nothing() -> None:
    found = replay([decided(engineer(1, **GOOD), engineer(2, **NEAR))], Weights())

    assert (found.asked, found.replayable, found.changes) == (1, 1, ())
    assert all(mean.before == mean.after for mean in found.means)


def test_dearer_minutes_move_the_pick_to_the_nearer_engineer() -> None:
    past = decided(engineer(1, **GOOD), engineer(2, **NEAR))
    assert past.explanation["chosen"]["engineer"] == 1

    found = replay([past], replace(WEIGHTS, touch=WEIGHTS.touch * 2))

    (change,) = found.changes
    assert (change.number, change.was, change.would, change.why) == ("WX20261122-0001", 1, 2, "travel")
    travel = next(mean for mean in found.means if mean.term == "travel")
    assert travel.measured == (49, 46)
    assert travel.after < travel.before


def test_a_dearer_wait_sends_whoever_comes_sooner_and_says_so() -> None:
    past = decided(engineer(1, **GOOD), engineer(2, **NEAR), priority=3, created=ago(30))

    found = replay([past], replace(WEIGHTS, urgency={1: 20, 2: 6, 3: 8, 4: 0.4}))

    assert [(change.would, change.why) for change in found.changes] == [(2, "wait")]


@pytest.mark.parametrize("rework", [True, False])
def test_new_points_are_those_the_cost_function_would_give(rework: bool) -> None:
    people = [engineer(1, **GOOD, busy_minutes=300), engineer(2, **NEAR), engineer(3)]
    ticket = job(1, created=ago(20), rework=rework, last_engineer=2, failed_engineer=3)
    new = replace(WEIGHTS, fix=3, rework=4, touch=0.03, load=0.2, fail_again=2, continuity=0.4)
    past = Past("1", explanation(match([ticket], people, NOW), ticket), WEIGHTS)

    found = replay([past], new)

    sent = past.explanation["chosen"]["engineer"]
    wanted = rules.cost(ticket, people[sent - 1], NOW, new, busy_mean=rules.mean_busy(people))
    assert {mean.term: mean.before for mean in found.means} == {
        term: pytest.approx(getattr(wanted, term), abs=0.01) for term in (mean.term for mean in found.means)
    }


def test_one_candidate_cannot_change_and_is_counted() -> None:
    found = replay([decided(engineer(1))], replace(WEIGHTS, touch=5))

    assert (found.replayable, found.alone, found.changes) == (1, 1, ())


def test_a_colleague_who_had_another_ticket_of_the_round_is_left_out() -> None:
    past = decided(engineer(1, **GOOD), engineer(2, **NEAR))

    found = replay([replace(past, taken=frozenset({2}))], replace(WEIGHTS, touch=1))

    assert (found.changes, found.alone) == ((), 1)


def test_who_is_cheaper_but_busy_would_have_been_waited_for() -> None:
    past = decided(engineer(1, **GOOD), engineer(2, **NEAR, **busy_with(3, left=3)))

    found = replay([past], replace(WEIGHTS, touch=1))

    assert [(change.would, change.waits) for change in found.changes] == [(2, 3)]


def without_terms() -> Past:
    return Past("1", {"mode": "assignment", "priority": 2, "chosen": {"engineer": 1}, "candidates": []}, WEIGHTS)


def by_fallback() -> Past:
    past = decided(engineer(1))
    return replace(past, explanation={**past.explanation, "mode": "least_loaded"})


def by_interruption() -> Past:
    return decided(engineer(1, **busy_with(3)), priority=1)


def dearer_was_sent() -> Past:
    past = decided(engineer(1, **GOOD), engineer(2, **NEAR))
    return replace(past, explanation={**past.explanation, "chosen": {"engineer": 2}})


def with_other_weights() -> Past:
    return replace(decided(engineer(1), engineer(2, **NEAR)), weights=replace(WEIGHTS, touch=0.5))


def switched_off() -> Past:
    return decided(engineer(1), engineer(2, **NEAR), weights=replace(WEIGHTS, load=0))


@pytest.mark.parametrize(
    ("past", "why"),
    [(without_terms, "no_terms"), (by_fallback, "not_by_cost"), (by_interruption, "not_by_cost"),
     (dearer_was_sent, "other_tickets"), (with_other_weights, "unknown_weights"), (switched_off, "zero_then")],
)  # fmt: skip
def test_what_cannot_be_replayed_is_counted_with_its_reason(past: Any, why: str) -> None:
    found = replay([past()], WEIGHTS)

    assert (found.asked, found.replayable, found.skipped, found.means) == (1, 0, {why: 1}, ())


def test_an_empty_record_of_an_old_version_is_not_replayable() -> None:
    assert replay([Past("1", {}, WEIGHTS)], WEIGHTS).skipped == {"no_terms": 1}


@settings(max_examples=60, deadline=None)
@given(
    chances=st.lists(st.floats(0.3, 0.99), min_size=1, max_size=5),
    busy=st.lists(st.floats(0, 400), min_size=5, max_size=5),
    priority=st.integers(2, 4),
    waited=st.floats(0, 500),
    rework=st.booleans(),
    factor=st.floats(0.1, 10),
)
def test_whatever_was_decided_the_same_weights_keep_it_and_all_times_one_factor_too(
    chances: list[float], busy: list[float], priority: int, waited: float, rework: bool, factor: float
) -> None:
    people = [
        engineer(number, chances={"flow": chance(p)}, busy_minutes=busy[number], presence=Presence.ON_SITE)
        for number, p in enumerate(chances)
    ]
    past = decided(*people, priority=priority, created=ago(waited), rework=rework)
    dearer = replace(
        WEIGHTS,
        urgency={level: factor * value for level, value in WEIGHTS.urgency.items()},
        **{name: factor * getattr(WEIGHTS, name) for name in ("fix", "touch", "load", "fail_again", "continuity")},
    )

    for weights in (WEIGHTS, dearer):
        found = replay([past], weights)
        assert found.replayable == 1
        assert [change for change in found.changes if abs(change.points) > 0.01 * factor] == []
