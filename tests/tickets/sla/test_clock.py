"""The steps of one clock, its pauses, and what is held against the target."""

from datetime import timedelta

from tests.tickets.sla.calendars import HOSPITAL, hours, minutes, shanghai
from tickets.sla.rules import (
    ALWAYS,
    Metric,
    Rung,
    due,
    gross,
    net,
    next_step,
    pauses_apply,
    schedule,
    settled,
    share_used,
)

REPORTED = shanghai(11, 16, 14, 21, 8)


def test_only_the_fix_may_pause() -> None:
    assert [metric for metric in Metric if pauses_apply(metric)] == [Metric.FIX]


def test_the_warning_comes_at_80_percent_of_the_working_time_not_of_the_wall() -> None:
    steps = schedule(HOSPITAL, hours(5), shanghai(11, 16, 10))

    # 80 % is 4 h: 2 h before lunch, 2 h after it.
    assert [(step.key, step.at) for step in steps] == [
        ("warning", shanghai(11, 16, 15, 30)),
        ("breach", shanghai(11, 16, 16, 30)),
    ]


def test_the_ladder_of_an_unanswered_p1_is_in_order() -> None:
    rungs = [Rung("4", "after_start", 5), Rung("1", "after_start", 1), Rung("2", "after_start", 2)]
    rungs.append(Rung("3", "percent", 100))

    steps = schedule(ALWAYS, minutes(3), REPORTED, rungs)

    assert [step.key for step in steps] == ["rung:1", "rung:2", "warning", "breach", "rung:3", "rung:4"]
    assert [step.at - REPORTED for step in steps] == [
        minutes(1),
        minutes(2),
        timedelta(seconds=144),
        minutes(3),
        minutes(3),
        minutes(5),
    ]


def test_a_rung_after_the_due_time_moves_with_the_pauses() -> None:
    rungs = [Rung("9", "after_due", 5)]
    pause = (REPORTED + minutes(1), REPORTED + minutes(31))

    plain = schedule(ALWAYS, hours(4), REPORTED, rungs)
    paused = schedule(ALWAYS, hours(4), REPORTED, rungs, [pause])

    assert plain[-1].at == REPORTED + hours(4) + minutes(5)
    assert [after.at - before.at for before, after in zip(plain, paused, strict=True)] == [minutes(30)] * 3


def test_a_step_that_fired_is_not_next_again() -> None:
    steps = schedule(ALWAYS, minutes(10), REPORTED)

    assert next_step(steps, set()) == steps[0]
    assert next_step(steps, {"warning"}) == steps[1]
    assert next_step(steps, {"warning", "breach"}) is None


def test_a_higher_priority_counts_from_the_report_and_keeps_the_pauses() -> None:
    reported, pauses = shanghai(11, 16, 9), [(shanghai(11, 16, 10), shanghai(11, 16, 11))]

    as_p3 = due(HOSPITAL, reported, hours(24), pauses)
    as_p2 = due(ALWAYS, reported, hours(24), pauses)

    assert as_p3 == shanghai(11, 19, 10)
    assert as_p2 == shanghai(11, 17, 10)


def test_changing_the_priority_there_and_back_gives_the_first_due_time() -> None:
    reported, pauses = shanghai(11, 16, 9), [(shanghai(11, 16, 10), shanghai(11, 16, 11))]

    before = due(HOSPITAL, reported, hours(24), pauses)
    due(ALWAYS, reported, hours(24), pauses)
    after = due(HOSPITAL, reported, hours(24), pauses)

    assert after == before


def test_gross_counts_the_night_and_net_does_not() -> None:
    start, end = shanghai(11, 16, 16), shanghai(11, 17, 10)
    pauses = [(shanghai(11, 17, 9), None)]

    assert gross(start, end) == hours(18)
    assert net(HOSPITAL, start, end) == hours(3.5)
    assert net(HOSPITAL, start, end, pauses) == hours(2.5)


def test_a_pause_that_still_runs_ends_at_the_moment_of_asking() -> None:
    now = shanghai(11, 16, 12)
    later = (shanghai(11, 16, 13), None)

    assert settled([(REPORTED, None), later], now + hours(4)) == [
        (REPORTED, now + hours(4)),
        (later[0], now + hours(4)),
    ]
    assert settled([later], now) == []


def test_the_share_used_passes_one_when_late() -> None:
    assert share_used(minutes(8), minutes(10)) == 0.8
    assert share_used(minutes(15), minutes(10)) == 1.5
    assert share_used(minutes(0), minutes(0)) == 1.0
