"""Who is here at a moment, until when, and which hours nobody covers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dispatch.roster import rules
from dispatch.roster.rules import Away, Gap, Holder, Need, Presence, Span

ZONE = ZoneInfo("Asia/Shanghai")


def at(hour: float, day: int = 22) -> datetime:
    return datetime(2026, 11, day, tzinfo=ZONE) + timedelta(hours=hour)


def test_a_shift_covers_its_start_but_not_its_end():
    spans = [Span(1, at(8), at(17.5))]

    assert rules.standing(1, spans, [], at(8)).presence == Presence.ON_SITE
    assert rules.standing(1, spans, [], at(17.5)).presence == Presence.OFF
    assert rules.standing(2, spans, [], at(9)).presence == Presence.OFF


def test_illness_beats_the_roster():
    where = rules.standing(1, [Span(1, at(8), at(17))], [Away(1, at(0), at(24), "ill")], at(9))

    assert (where.presence, where.reason, where.until) == (Presence.LEAVE, "ill", at(24))


def test_the_nearest_of_two_shifts_counts():
    spans = [Span(1, at(0), at(24), Presence.HOME), Span(1, at(8), at(12), Presence.ON_SITE, role="lead")]

    where = rules.standing(1, spans, [], at(9))

    assert (where.presence, where.role, where.until) == (Presence.ON_SITE, "lead", at(12))


def test_back_to_back_shifts_end_with_the_last():
    spans = [Span(1, at(8), at(12)), Span(1, at(12), at(17)), Span(1, at(18), at(20))]

    assert rules.standing(1, spans, [], at(9)).until == at(17)


def test_after_a_night_on_site_one_rests():
    spans = [Span(1, at(17.5, 21), at(8), night=True), Span(1, at(8), at(17))]

    assert rules.standing(1, spans, [], at(9), rest_hours=4).rest_until == at(12)
    assert rules.standing(1, spans, [], at(12), rest_hours=4).rest_until is None


def test_on_duty_lists_those_on_site_and_on_call_only():
    spans = [Span(1, at(8), at(17)), Span(2, at(8), at(17), Presence.HOME), Span(3, at(17), at(24))]

    assert set(rules.on_duty([1, 2, 3, 4], spans, [Away(9, at(0), at(24))], at(9))) == {1, 2}


def test_an_evening_without_a_holder_is_a_gap():
    spans = [Span(1, at(8), at(17)), Span(2, at(17), at(24))]
    holders = [Holder(1, {"RAD": None}), Holder(2, {})]

    found = rules.gaps([Need("RAD")], holders, spans, [], at(8), at(24))

    assert found == [Gap("RAD", at(17), at(24))]
    assert found[0].hours == 7


def test_a_card_that_runs_out_in_the_shift_opens_a_gap_and_names_who_must_renew():
    found = rules.gaps([Need("RAD")], [Holder(1, {"RAD": at(12)})], [Span(1, at(8), at(17))], [], at(8), at(17))

    assert found == [Gap("RAD", at(12), at(17), lapsed=(1,))]


def test_leave_opens_a_gap_of_its_own_length():
    holders = [Holder(1, {"ct": None})]

    found = rules.gaps([Need("ct")], holders, [Span(1, at(8), at(17))], [Away(1, at(10), at(11))], at(8), at(17))

    assert found == [Gap("ct", at(10), at(11))]


def test_a_daily_window_is_only_asked_for_inside_its_hours():
    need = Need("ct", opens=time(8), closes=time(18), on_site=True)
    spans = [Span(1, at(9), at(17)), Span(1, at(0), at(9), Presence.HOME)]

    found = rules.gaps([need], [Holder(1, {"ct": None})], spans, [], at(0), at(24))

    assert found == [Gap("ct", at(8), at(9)), Gap("ct", at(17), at(18))]


def test_a_window_may_cross_midnight():
    need = Need("ct", opens=time(22), closes=time(6))

    assert [need.wanted_at(at(hour)) for hour in (5, 6, 12, 22, 23)] == [True, False, False, True, True]


spans = st.lists(
    st.builds(
        lambda who, start, hours, presence: Span(who, at(start), at(start + hours), presence),
        st.integers(1, 3),
        st.integers(0, 40),
        st.integers(1, 14),
        st.sampled_from([Presence.ON_SITE, Presence.ON_CALL, Presence.HOME]),
    ),
    max_size=6,
)
absences = st.lists(
    st.builds(
        lambda who, start, hours: Away(who, at(start), at(start + hours)),
        st.integers(1, 3),
        st.integers(0, 40),
        st.integers(1, 9),
    ),
    max_size=3,
)


@given(spans, absences)
def test_gaps_are_exactly_the_hours_that_asking_hour_by_hour_finds(shifts, away):
    holders = [Holder(1, {"ct": at(30)}), Holder(2, {"ct": None}), Holder(3, {})]
    need = Need("ct", opens=time(6), closes=time(22))

    found = rules.gaps([need], holders, shifts, away, at(0), at(48))

    for hour in range(48):
        here = rules.on_duty([1, 2], shifts, away, at(hour))
        covered = 2 in here or (1 in here and hour < 30)
        wanted = 6 <= hour % 24 < 22
        assert any(gap.start <= at(hour) < gap.end for gap in found) == (wanted and not covered)
