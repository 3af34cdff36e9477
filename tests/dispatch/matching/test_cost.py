"""Costs that were worked out by hand."""

from __future__ import annotations

import pytest

from dispatch.engineers.rules import Position, Travel
from dispatch.matching import rules
from dispatch.matching.rules import Weights, Work
from dispatch.roster.rules import Presence
from dispatch.triage.rules import ClassGuess
from tests.dispatch.matching.cast import ICU, NOW, ago, ahead, chance, engineer, job

WEIGHTS = Weights()


def test_walking_minutes_within_a_building_between_buildings_and_between_sites():
    travel = Travel()
    far = Position(site="main", building="clinic", floor=3, x=300, y=400)

    assert travel.minutes(ICU, ICU) == 1
    assert travel.minutes(Position("main", "surgery", 2), ICU) == 4
    assert travel.minutes(Position("main", "surgery", 1), far) == pytest.approx(4 + 1.25 * 1.3 * 5 + 2)
    assert travel.minutes(ICU, Position(site="east")) == 30
    assert travel.minutes(None, ICU) == 8


def test_every_term_of_a_plain_p2():
    # reported 32 min ago, walk 4: arrival after 36 of 60 min, x = 0.6
    terms = rules.cost(job(1, created=ago(32)), engineer(1, busy_minutes=120), NOW, WEIGHTS, busy_mean=60)

    assert terms.wait == pytest.approx(6 * 0.36)
    assert terms.quality == pytest.approx(1.5 * 0.2)
    assert terms.travel == pytest.approx(0.01 * 49)
    assert terms.load == pytest.approx(0.01)
    assert terms.continuity == 0
    assert terms.fail_again == 0
    assert terms.total == pytest.approx(2.16 + 0.30 + 0.49 + 0.01)
    assert (terms.wait_minutes, terms.travel_minutes, terms.work_minutes) == (36, 4, 45)


def test_a_stored_term_is_the_same_number_on_every_database():
    # a millionth of a minute less busy than the mean, as sums of floats leave it: rounded that is -0.0
    terms = rules.cost(job(1), engineer(1, busy_minutes=60), NOW, WEIGHTS, busy_mean=60 + 1e-6)

    assert terms.load < 0
    assert str(rules.terms_as_data(terms)["load"]) == "0.0"


def test_past_the_target_the_delay_costs_more_than_its_square():
    # P1, target 15: 26 + 4 = 30 min, x = 2 -> 20 (4 + 1)
    terms = rules.cost(job(1, priority=1, created=ago(26)), engineer(1), NOW, WEIGHTS)

    assert terms.wait == pytest.approx(100)


def test_a_busy_engineer_costs_the_wait_until_they_are_free():
    terms = rules.cost(job(1), engineer(1, busy_until=ahead(20)), NOW, WEIGHTS)

    assert terms.wait_minutes == 24
    assert terms.free_minutes == 20


def test_interrupting_starts_at_once():
    terms = rules.cost(job(1), engineer(1, busy_until=ahead(20)), NOW, WEIGHTS, interrupting=True)

    assert terms.wait_minutes == 4


def test_rework_weighs_the_risk_of_not_fixing_it_half_again():
    terms = rules.cost(job(1, rework=True), engineer(1), NOW, WEIGHTS)

    assert terms.quality == pytest.approx(1.5 * 0.2 * 1.5)


def test_who_failed_last_time_pays_and_who_knows_the_device_gains():
    failed = rules.cost(job(1, failed_engineer=1, last_engineer=1), engineer(1), NOW, WEIGHTS)
    knows = rules.cost(job(1, last_engineer=1), engineer(1), NOW, WEIGHTS)

    assert (failed.fail_again, failed.continuity) == (0.3, 0.0)
    assert (knows.fail_again, knows.continuity) == (0.0, -0.15)


def test_risk_and_minutes_are_averaged_over_the_class_posterior():
    classes = (ClassGuess("flow", 0.75, 40), ClassGuess("screen", 0.25, 80))
    person = engineer(1, chances={"flow": chance(0.8), "screen": chance(0.4)}, paces={"screen": 1.5})

    terms = rules.cost(job(1, classes=classes), person, NOW, WEIGHTS)

    assert terms.work_minutes == pytest.approx(0.75 * 40 + 0.25 * 80 * 1.5)
    assert terms.chance.p == pytest.approx(0.7)
    assert terms.quality == pytest.approx(1.5 * 0.3)


def test_people_on_call_cost_the_minutes_to_come_in():
    on_campus = rules.cost(job(1), engineer(1, presence=Presence.ON_CALL), NOW, WEIGHTS)
    at_home = rules.cost(job(1), engineer(1, presence=Presence.HOME), NOW, WEIGHTS)

    assert (on_campus.travel_minutes, at_home.travel_minutes) == (24, 49)


def test_deferring_costs_the_delay_at_the_horizon_plus_a_constant():
    # P3, target 240: 90 + 30 = 120 min, x = 0.5
    assert rules.defer_cost(job(1, priority=3, created=ago(90)), NOW, WEIGHTS) == pytest.approx(0.25 + 50)


def test_eta_has_a_median_and_a_wider_ninety_percent_point():
    terms = rules.cost(job(1), engineer(1, busy_until=ahead(20)), NOW, WEIGHTS)

    q50, q90 = rules.eta(terms, WEIGHTS)

    assert q50 == 25
    assert q90 == pytest.approx(2 + 20 * 1.898 + 4 * 1.566, rel=1e-3)


def test_a_close_call_between_uncertain_people_is_unclear():
    first = rules.cost(job(1, rework=True), engineer(1, chances={"flow": chance(0.8, 0.2)}), NOW, WEIGHTS)
    second = rules.cost(job(1, rework=True), engineer(2, chances={"flow": chance(0.79, 0.2)}), NOW, WEIGHTS)

    choice = rules.compare(job(1, rework=True), first, second, WEIGHTS)

    assert 0.5 < choice.best < 0.6
    assert choice.regret > 0.15
    assert "unclear_best" in rules.review_reasons(job(1, rework=True), first, choice, NOW, WEIGHTS)


def test_a_clear_choice_needs_nobody():
    first = rules.cost(job(1), engineer(1, chances={"flow": chance(0.9, 0.05)}), NOW, WEIGHTS)
    second = rules.cost(job(1), engineer(2, chances={"flow": chance(0.5, 0.05)}), NOW, WEIGHTS)

    choice = rules.compare(job(1), first, second, WEIGHTS)

    assert choice.best > 0.99
    assert rules.review_reasons(job(1), first, choice, NOW, WEIGHTS) == ()


def test_the_other_reasons_for_a_human_to_look():
    alone = rules.Choice(gap=None, best=1.0, regret=0.0)
    vague = job(1, classes=(ClassGuess("flow", 0.5), ClassGuess("screen", 0.5)), repeat=True, created=ago(58))
    terms = rules.cost(vague, engineer(1), NOW, WEIGHTS)

    reasons = rules.review_reasons(vague, terms, alone, NOW, WEIGHTS, Work(9, 2))

    assert reasons == ("low_confidence", "interrupts_p2", "breach_likely", "repeat")


def test_the_sooner_late_ticket_has_the_higher_index():
    fresh, old = job(1, priority=2), job(2, priority=2, created=ago(55))

    rates = [rules.marginal_rate(t, rules.cost(t, engineer(1), NOW, WEIGHTS), WEIGHTS) for t in (fresh, old)]

    assert rates[1] > rates[0]
