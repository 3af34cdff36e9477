"""Shrunk estimates: history moves them, little history moves them little, none falls back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.engineers import rules
from dispatch.engineers.rules import Record, Visit


def test_without_any_history_everybody_fixes_four_in_five():
    skill = rules.fit_skill([])

    assert skill.chance(1, "flow").p == pytest.approx(0.8)


def test_the_class_mean_counts_the_prior_as_eight_visits():
    skill = rules.fit_skill([Record(1, "flow", visits=12, fixed=3.6)])

    assert skill.mu["flow"] == pytest.approx((3.6 + 6.4) / 20)


def test_the_formula_worked_out_by_hand():
    # two engineers, one class, 20 visits each: 18 and 10 fixed
    records = [Record(1, "flow", 20, 18), Record(2, "flow", 20, 10)]
    mu = (28 + 6.4) / 48
    excess = 20 * (0.9 - mu) ** 2 + 20 * (0.5 - mu) ** 2 - 2 * mu * (1 - mu)
    kappa = mu * (1 - mu) / (excess / 38) - 1
    rho = (18 - 20 * mu) / (20 + kappa)

    skill = rules.fit_skill(records)

    assert skill.kappa == pytest.approx(kappa)
    assert skill.rho[1] == pytest.approx(rho)
    assert skill.chance(1, "flow").p == pytest.approx((18 + kappa * (mu + rho)) / (20 + kappa))


def test_engineers_that_differ_by_luck_only_are_pulled_together():
    skill = rules.fit_skill([Record(1, "flow", 10, 8), Record(2, "flow", 10, 7.5)])

    assert skill.kappa == rules.KAPPA_MOST
    assert abs(skill.chance(1, "flow").p - skill.chance(2, "flow").p) < 0.01


def test_two_lucky_visits_move_the_estimate_less_than_forty():
    few = rules.fit_skill([Record(1, "flow", 2, 2), Record(2, "flow", 40, 20), Record(3, "flow", 40, 36)])
    many = rules.fit_skill([Record(1, "flow", 40, 40), Record(2, "flow", 40, 20), Record(3, "flow", 40, 36)])

    assert few.chance(1, "flow").p < many.chance(1, "flow").p
    assert (
        few.chance(1, "flow").high - few.chance(1, "flow").low
        > many.chance(1, "flow").high - many.chance(1, "flow").low
    )


def test_a_new_class_falls_back_to_the_engineer_and_a_new_engineer_to_the_class():
    skill = rules.fit_skill([Record(1, "flow", 40, 39), Record(2, "flow", 40, 16)])

    assert skill.chance(1, "screen").p > skill.chance(2, "screen").p
    assert skill.chance(99, "flow").p == pytest.approx(skill.mu["flow"])


def test_a_visit_counts_half_after_half_a_year():
    (row,) = rules.tally([Visit(1, "flow", True, 30, days_ago=180), Visit(1, "flow", False, 60)])

    assert row.visits == pytest.approx(1.5)
    assert row.fixed == pytest.approx(0.5)
    assert row.log_minutes == pytest.approx(0.5 * math.log(30) + math.log(60))


def test_a_slow_engineer_has_a_ratio_above_one_and_shrinks_towards_it():
    slow = [Record(1, "flow", 30, 24, 30 * math.log(90)), Record(2, "flow", 30, 24, 30 * math.log(40))]

    pace = rules.fit_pace(slow)

    assert 1 < pace.ratio(1, "flow") < 90 / 60
    assert pace.ratio(2, "flow") < 1
    assert pace.ratio(1, "screen") == pytest.approx(pace.by_engineer[1])
    assert pace.ratio(99, "flow") == 1.0
    assert pace.minutes("flow", 45) == pytest.approx(60)
    assert pace.minutes("screen", 45) == 45


def test_the_preset_counts_as_eight_visits_in_the_class_median():
    pace = rules.fit_pace([Record(1, "flow", 8, 8, 8 * math.log(80))], {"flow": 20})

    assert pace.minutes("flow", 20) == pytest.approx(40)


records = st.lists(
    st.builds(
        lambda who, code, visits, share, minutes: Record(who, code, visits, visits * share, visits * math.log(minutes)),
        st.integers(1, 6),
        st.sampled_from(["flow", "screen", "power"]),
        st.floats(0.1, 200),
        st.floats(0, 1),
        st.floats(1, 600),
    ),
    unique_by=lambda row: (row.engineer, row.fault_class),
    max_size=18,
)


@given(records)
def test_estimates_are_always_probabilities_inside_their_interval(rows):
    skill, pace = rules.fit_skill(rows), rules.fit_pace(rows)

    for who in range(1, 8):
        for code in ("flow", "screen", "never"):
            known = skill.chance(who, code)
            assert 0 <= known.low <= known.p <= known.high <= 1
            assert 0 < pace.ratio(who, code) < 1000
