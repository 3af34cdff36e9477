"""Each hard constraint rejects by name, and only when it should."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dispatch.engineers.rules import Position
from dispatch.matching.rules import reject_reason
from dispatch.roster.rules import Presence
from tests.dispatch.matching.cast import NOW, ahead, engineer, job

RADIATION = {"qualifications": frozenset({"RAD"})}


def code(ticket, person, **options):
    broken = reject_reason(ticket, person, NOW, **options)
    return broken and broken.code


def test_somebody_suitable_is_not_rejected():
    assert reject_reason(job(1), engineer(1), NOW) is None


@pytest.mark.parametrize(
    ("ticket", "person", "expected"),
    [
        ({}, {"presence": Presence.OFF}, "off_shift"),
        ({}, {"presence": Presence.LEAVE}, "on_leave"),
        ({}, {"shift_end": NOW}, "off_shift"),
        ({}, {"rest_until": ahead(60)}, "resting"),
        ({"refused": frozenset({1})}, {}, "refused"),
        ({"excluded": frozenset({1})}, {}, "no_answer"),
        ({"skill": "imaging"}, {}, "no_skill"),
        ({"skill_level": 3}, {}, "no_skill"),
        (RADIATION, {}, "no_qualification"),
        (RADIATION, {"qualifications": {"RAD": date(2026, 11, 21)}}, "qualification_expired"),
        ({"position": Position(site="east")}, {"sites": frozenset({"main"})}, "unreachable"),
        ({}, {"open_count": 5, "max_open": 5}, "load_limit"),
        ({}, {"shift_end": ahead(48)}, "shift_ends"),
    ],
)
def test_each_broken_rule_is_told_by_its_code(ticket, person, expected):
    assert code(job(1, **ticket), engineer(1, **person)) == expected


def test_a_card_is_valid_on_its_last_day():
    today = {"qualifications": {"RAD": NOW.date()}}

    assert code(job(1, **RADIATION), engineer(1, **today)) is None


def test_a_card_without_a_date_does_not_lapse():
    assert code(job(1, **RADIATION), engineer(1, qualifications={"RAD": None})) is None


def test_the_rejection_of_a_lapsed_card_says_which_and_since_when():
    lapsed = NOW.date() - timedelta(days=1)

    broken = reject_reason(job(1, **RADIATION), engineer(1, qualifications={"RAD": lapsed}), NOW)

    assert broken is not None
    assert broken.params == {"qualification": "RAD", "until": lapsed.isoformat()}


def test_work_that_just_fits_before_the_shift_ends_is_allowed():
    # walk 1 + 3 floors = 4, work 45
    assert code(job(1), engineer(1, shift_end=ahead(49))) is None
    assert code(job(1), engineer(1, shift_end=ahead(48.9))) == "shift_ends"


def test_a_p1_may_overrun_the_shift_and_wakes_the_tired():
    tired = engineer(1, shift_end=ahead(5), rest_until=ahead(60))

    assert code(job(1, priority=1), tired) is None


def test_the_load_limit_does_not_stop_an_interruption():
    full = engineer(1, open_count=5, max_open=5)

    assert code(job(1, priority=1), full) == "load_limit"
    assert code(job(1, priority=1), full, interrupting=True) is None
