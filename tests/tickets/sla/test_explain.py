"""The lines of "why this due time?"."""

from datetime import date, time, timedelta

from tests.tickets.sla.calendars import HOSPITAL, MAKE_UP_SATURDAY, hours, minutes, shanghai
from tickets.sla.rules import ALWAYS, Line, Pause, Promise, Rebase, explain

NOW = shanghai(11, 30)


def of_kind(lines: tuple[Line, ...], kind: str) -> list[Line]:
    return [line for line in lines if line.kind == kind]


def test_round_the_clock_is_report_plus_target() -> None:
    reported = shanghai(11, 16, 14, 21, 8)

    lines = explain(Promise("fix", 1, reported, hours(4), ALWAYS, "24x7"), NOW)

    assert [line.kind for line in lines] == ["reported", "target", "pauses", "due"]
    assert lines[1].params == {"metric": "fix", "priority": 1, "calendar": "24x7", "always": True}
    assert (lines[0].at, lines[1].amount, lines[-1].at) == (reported, hours(4), reported + hours(4))


def test_each_day_says_which_windows_it_used_and_lunch_is_its_own_line() -> None:
    lines = explain(Promise("fix", 3, shanghai(11, 16, 10), hours(8), HOSPITAL), NOW)

    first, second = of_kind(lines, "day")
    assert first.params["windows"] == ((time(10), time(12)), (time(13, 30), time(17, 30)))
    assert (first.amount, second.amount) == (hours(6), hours(2))
    assert second.params["windows"] == ((time(8), time(10)),)
    (lunch,) = of_kind(lines, "break")
    assert (lunch.params["start"], lunch.params["end"], lunch.amount) == (time(12), time(13, 30), hours(1.5))


def test_a_holiday_is_skipped_by_name_and_a_make_up_day_is_marked() -> None:
    lines = explain(Promise("fix", 3, shanghai(9, 30, 16), hours(24), HOSPITAL), NOW)

    (holiday,) = of_kind(lines, "off")
    assert holiday.params == {
        "date": date(2026, 10, 1),
        "until": date(2026, 10, 7),
        "name": "国庆节",
        "holiday": True,
    }
    worked = {line.params["date"]: line.params["makeup"] for line in of_kind(lines, "day")}
    assert worked == {
        date(2026, 9, 30): False,
        date(2026, 10, 8): False,
        date(2026, 10, 9): False,
        MAKE_UP_SATURDAY: True,
    }


def test_a_weekend_is_one_line_without_a_name() -> None:
    lines = explain(Promise("fix", 3, shanghai(11, 20, 16), hours(3), HOSPITAL), NOW)

    (weekend,) = of_kind(lines, "off")
    assert weekend.params == {
        "date": date(2026, 11, 21),
        "until": date(2026, 11, 22),
        "name": "",
        "holiday": False,
    }


def test_a_report_at_night_says_that_nothing_was_open_any_more() -> None:
    lines = explain(Promise("response", 3, shanghai(11, 16, 22), minutes(30), HOSPITAL), NOW)

    assert [line.kind for line in lines] == ["reported", "target", "after_hours", "day", "due"]


def test_a_pause_says_why_how_long_and_what_it_added() -> None:
    pause = Pause(shanghai(11, 16, 11, 30), shanghai(11, 16, 14), "parts")

    lines = explain(Promise("fix", 3, shanghai(11, 16, 9), hours(4), HOSPITAL, "", (pause,)), NOW)

    (line,) = of_kind(lines, "pause")
    assert (line.params["reason"], line.params["on_wall"], line.amount) == ("parts", hours(2.5), hours(1))
    assert of_kind(lines, "pauses")[0].amount == hours(1)
    assert of_kind(lines, "day")[0].params["paused"] == hours(1)


def test_overlapping_pauses_are_not_added_twice() -> None:
    first, second = (
        Pause(shanghai(11, 16, 9), shanghai(11, 16, 11), "parts"),
        Pause(shanghai(11, 16, 10), shanghai(11, 16, 12), "vendor"),
    )

    lines = explain(Promise("fix", 1, shanghai(11, 16, 8), hours(4), ALWAYS, "", (first, second)), NOW)

    assert [line.amount for line in of_kind(lines, "pause")] == [hours(2), hours(1)]
    assert lines[-1].at == shanghai(11, 16, 15)


def test_days_wholly_inside_a_pause_are_one_line() -> None:
    pause = Pause(shanghai(11, 16, 17, 30), shanghai(11, 20, 8), "vendor")

    lines = explain(Promise("fix", 3, shanghai(11, 16, 16, 30), hours(2), HOSPITAL, "", (pause,)), NOW)

    (held,) = of_kind(lines, "held")
    assert (held.params["date"], held.params["until"]) == (date(2026, 11, 17), date(2026, 11, 19))
    assert held.params["paused"] == hours(24)
    assert lines[-1].at == shanghai(11, 20, 9)


def test_an_open_pause_says_that_the_due_time_still_moves() -> None:
    promise = Promise("fix", 1, shanghai(11, 16, 8), hours(4), ALWAYS, "", (Pause(shanghai(11, 16, 9), None, "parts"),))

    lines = explain(promise, shanghai(11, 16, 10))

    assert (lines[-1].at, lines[-1].params) == (shanghai(11, 16, 13), {"open": True})
    assert of_kind(lines, "pause")[0].params["ended_at"] is None


def test_response_and_arrival_say_that_they_never_pause() -> None:
    pause = Pause(shanghai(11, 16, 9), shanghai(11, 16, 10), "parts")

    lines = explain(Promise("arrival", 2, shanghai(11, 16, 8), hours(4), ALWAYS, "", (pause,)), NOW)

    assert of_kind(lines, "never_pauses")[0].params == {"count": 1}
    assert lines[-1].at == shanghai(11, 16, 12)


def test_a_changed_priority_is_told_before_the_target_that_follows_from_it() -> None:
    rebase = Rebase(shanghai(11, 16, 10), 3, 2, "patient moved")

    lines = explain(Promise("fix", 2, shanghai(11, 16, 8), hours(24), ALWAYS, "", (), (rebase,)), NOW)

    assert [line.kind for line in lines] == ["reported", "rebase", "target", "pauses", "due"]
    assert lines[1].params == {"old": 3, "new": 2, "reason": "patient moved"}
    assert lines[-1].at == shanghai(11, 17, 8)


def test_the_days_add_up_to_the_target() -> None:
    pauses = (Pause(shanghai(10, 8, 11), shanghai(10, 9, 14), "parts"),)

    lines = explain(Promise("fix", 3, shanghai(9, 30, 16), hours(20), HOSPITAL, "", pauses), NOW)

    used = sum((line.amount for line in of_kind(lines, "day") if line.amount), timedelta(0))
    assert used == hours(20)
