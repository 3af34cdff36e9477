"""A tapped tile becomes a category, a skill, minutes and an honest confidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.triage.rules import Preset, classify

PRESETS = [
    Preset("vent_flow", "ventilator", "sensor", skill="respiratory", minutes=40),
    Preset("vent_leak", "ventilator", "gas", skill="respiratory", minutes=60),
    Preset("vent_stop", "ventilator", "power", skill="respiratory", minutes=90),
    Preset("ct_arc", "imaging", "tube", skill="imaging", qualification="RAD", minutes=120),
]


def test_a_tile_is_believed_until_history_speaks():
    found = classify("ventilator", "vent_flow", PRESETS)

    assert (found.category, found.source, found.skill) == ("sensor", "preset", "respiratory")
    assert found.confidence == pytest.approx(0.9)
    assert found.reasons == ()


def test_minutes_are_the_expected_ones_over_the_posterior():
    found = classify("ventilator", "vent_flow", PRESETS)

    # 0.1 is spread over gas 60, power 90 and other 45
    assert found.minutes == pytest.approx(0.9 * 40 + 0.1 / 3 * (60 + 90 + 45))


def test_without_a_tile_nothing_is_pretended():
    found = classify("ventilator", "", PRESETS)

    assert found.confidence == pytest.approx(0.25)
    assert found.source == "unknown"
    assert found.reasons == ("no_tile", "low_confidence")


def test_a_tile_of_another_group_is_not_a_tile_of_this_one():
    assert classify("ventilator", "ct_arc", PRESETS).reasons[0] == "no_tile"


def test_many_closed_tickets_can_say_otherwise():
    found = classify("ventilator", "vent_flow", PRESETS, {"vent_flow": {"gas": 180, "sensor": 20}})

    assert (found.category, found.source) == ("gas", "history")
    assert found.confidence == pytest.approx((180 + 20 * 0.1 / 3) / 220)
    assert "history_disagrees" in found.reasons


def test_the_device_demands_its_qualification_whatever_was_tapped():
    found = classify("imaging", "", PRESETS, device_skill="imaging", device_qualification="RAD")

    assert (found.skill, found.qualification) == ("imaging", "RAD")


counts = st.dictionaries(
    st.sampled_from(["vent_flow", "vent_leak"]),
    st.dictionaries(st.sampled_from(["sensor", "gas", "software"]), st.floats(0, 500)),
)


@given(st.sampled_from(["", "vent_flow", "vent_leak", "unheard"]), counts)
def test_the_posterior_is_a_distribution_with_the_best_first(symptom, history):
    found = classify("ventilator", symptom, PRESETS, history)

    shares = [guess.probability for guess in found.classes]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    assert found.confidence == shares[0]
