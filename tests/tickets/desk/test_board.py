"""The board and the wall: what stands where, in which order, and what a wall may never show."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import log
from tests import factories
from tests.tickets.desk import stories
from tickets.desk import queries
from tickets.desk.queries.wall import Share, life_support
from tickets.lifecycle import services as lifecycle
from tickets.models import HoldReason, Ticket
from tickets.record.models import OPEN
from tickets.sla import services as sla
from tickets.sla.models import Rung
from tickets.sla.queries import forget_rulebook

MINUTE = timedelta(minutes=1)


def shown(board):
    return [(group.tone, [row.ticket.pk for row in group.rows]) for group in board.groups]


def test_the_queue_has_three_groups_each_by_time_to_breach(ventilator, stopped, monitor, spo2, dispatcher, now):
    late = stories.reported(ventilator, stopped, now - 10 * MINUTE, in_use=True)
    near = stories.reported(monitor, spo2, now - 27 * MINUTE)
    later = stories.reported(stories.another(monitor), spo2, now - 1 * MINUTE)
    soon = stories.reported(stories.another(monitor), spo2, now - 5 * MINUTE)

    board = queries.board(dispatcher, now)

    assert shown(board) == [("breach", [late.pk]), ("warn", [near.pk]), ("ok", [soon.pk, later.pk])]
    assert [group.title for group in board.groups] == ["已超时", "快到时限", "时限内"]
    assert [row.ticket.pk for row in board.strip] == [late.pk]
    assert board.groups[0].rows[0].left == "+7 分"
    assert board.groups[0].rows[0].target == "响应"


def test_chips_count_what_they_filter(ventilator, stopped, monitor, spo2, dispatcher, engineer, now):
    stories.working(stories.reported(ventilator, stopped, now, in_use=True), engineer, now)
    held = stories.reported(monitor, spo2, now)
    lifecycle.restore(held, by=None, at=now)  # only the fix may wait; restoring the ward's service never pauses
    stories.paused(held, engineer, now)

    board = queries.board(dispatcher, now, show="waiting")

    assert [(chip["key"], chip["n"]) for chip in board.chips] == [
        ("", 2), ("unaccepted", 0), ("working", 1), ("waiting", 1), ("verifying", 0),
    ]  # fmt: skip
    assert shown(board) == [("ok", [held.pk])]
    row = board.groups[0].rows[0]
    assert (row.tone, row.left, row.due) == ("hold", "暂停中", None)


def test_a_department_filter_never_hides_a_p1(ventilator, stopped, monitor, spo2, dispatcher, now):
    urgent = stories.reported(ventilator, stopped, now, in_use=True)
    mine = stories.reported(monitor, spo2, now)

    board = queries.board(dispatcher, now, department="SUR")

    assert [row.ticket.pk for row in board.strip] == [urgent.pk]
    assert shown(board) == [("ok", [mine.pk])]


def test_the_board_costs_the_same_at_one_and_at_ten_tickets(monitor, spo2, dispatcher, signed_in, now):
    client = signed_in(dispatcher)
    stories.reported(monitor, spo2, now)
    client.get("/desk/")  # rules and content types warm

    costs = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as few:
            assert client.get("/desk/").status_code == 200
        costs.append(len(few))
        for _n in range(9):
            stories.reported(stories.another(monitor), spo2, now)

    assert costs[0] == costs[1] <= 20


@pytest.mark.parametrize("path", ["/desk/", "/desk/_board/", "/desk/?wall=1", "/desk/_board/?wall=1"])
def test_only_the_desk_opens_the_board(path, nurse, engineer, dispatcher, signed_in, client):
    assert client.get(path).status_code == 302
    assert [signed_in(user).get(path).status_code for user in (nurse, engineer, dispatcher)] == [403, 403, 200]


def test_no_p1_is_said_in_words(monitor, spo2, dispatcher, signed_in, now):
    stories.reported(monitor, spo2, now)

    page = signed_in(dispatcher).get("/desk/").content.decode()

    assert "没有 P1" in page
    assert 'class="p1s"' not in page


def test_the_wall_shows_three_p1_and_says_how_many_more(ventilator, stopped, dispatcher, signed_in, now):
    for n in range(5):
        stories.reported(stories.another(ventilator), stopped, now - n * MINUTE, in_use=True)

    found = queries.wall(dispatcher, now)

    assert (len(found["strip"]), found["more_p1"]) == (3, 2)
    assert "另<br>2 张" in signed_in(dispatcher).get("/desk/_board/?wall=1").content.decode()


def test_the_wall_knows_nothing_personal(ventilator, stopped, dispatcher, engineer, signed_in, now):
    bed = factories.location("床位甲", code="BED-SECRET")
    device = stories.another(ventilator, location=bed)
    ticket = stories.assigned(stories.reported(device, stopped, now, in_use=True, contact_ext="66778"), engineer, now)

    page = signed_in(dispatcher).get("/desk/?wall=1").content.decode()

    for secret in (
        "床位甲",
        "李志远",
        ticket.number,
        ticket.short_number + "<",
        "66778",
        "8120",
        dispatcher.display_name,
    ):
        assert secret not in page
    for wanted in ("李工", "重症医学科", "呼吸机"):
        assert wanted in page


def test_the_walls_figures_are_these_and_no_others(monitor, spo2, dispatcher, now):
    stories.reported(monitor, spo2, now)

    found = queries.wall(dispatcher, now)

    assert sorted(found) == [
        "interval", "more_p1", "oldest", "oldest_late", "outside", "split", "states", "stock", "strip", "today", "total",
        "week",
    ]  # fmt: skip
    assert found["total"] == 1
    assert [(part["level"], part["n"]) for part in found["split"]] == [(1, 0), (2, 0), (3, 1), (4, 0)]


def test_the_walls_rows_add_up_to_its_total(monitor, spo2, dispatcher, engineer, signed_in, now):
    tickets = [stories.reported(stories.another(monitor), spo2, now) for _state in OPEN]
    for ticket, state in zip(tickets, OPEN, strict=True):
        Ticket.objects.filter(pk=ticket.pk).update(state=state, assignee=engineer)

    found = queries.wall(dispatcher, now)

    assert sum(row["n"] for row in found["states"]) == found["total"] == len(OPEN)
    assert {str(row["label"]): row["n"] for row in found["states"]}["重新打开"] == 1
    assert 'class="w-card many"' in signed_in(dispatcher).get("/desk/_board/?wall=1").content.decode()


@pytest.mark.parametrize(("code", "outside"), [("vendor", 1), ("parts", 0)])
def test_a_ticket_that_waits_for_the_vendor_counts_as_with_the_vendor(
    code, outside, monitor, spo2, dispatcher, engineer, signed_in, now
):
    ticket = stories.working(stories.reported(monitor, spo2, now), engineer, now)
    reason = HoldReason.objects.get(code=code)
    lifecycle.pause(ticket, reason=reason, by=engineer, at=now, until=now + timedelta(days=1))

    assert queries.wall(dispatcher, now)["outside"] == outside
    assert "外修或等厂家" in signed_in(dispatcher).get("/desk/_board/?wall=1").content.decode()


def test_rates_carry_their_n_and_a_wilson_interval():
    assert Share(64, 62).percent == pytest.approx(96.875)
    assert Share(64, 62).interval == (89, 99)
    assert (Share(0, 0).percent, Share(0, 0).interval) == (None, (0, 100))


def test_life_support_stock_is_counted_against_its_least(ventilator):
    stories.another(ventilator, backup_group="vent-a", min_ready=2)

    assert life_support() == [{"name": "呼吸机", "ready": 1, "least": 2, "missing": 1, "tone": "breach"}]


def test_the_feed_tells_names_and_never_ids(ventilator, stopped, dispatcher, engineer, now):
    ticket = stories.assigned(stories.reported(ventilator, stopped, now, in_use=True), engineer, now)
    assert log.lead("test")
    log.sequence("test")

    said = [str(line.text) for line in queries.feed(dispatcher)]

    assert f"<b>{ticket.short_number}</b> 派给 李工" in said
    assert not any(engineer.person.public_id in text for text in said)


@pytest.mark.parametrize(("given_out", "told"), [(False, "调度"), (True, "工程师")])
def test_the_feed_says_who_was_told_also_while_nobody_has_it(given_out, told, monitor, spo2, dispatcher, engineer, now):
    Rung.objects.exclude(tell="assignee").delete()
    Rung.objects.update(metric="response", past_due_minutes=1, after_minutes=None, at_percent=None)
    forget_rulebook()
    ticket = stories.reported(monitor, spo2, now)
    if given_out:
        stories.assigned(ticket, engineer, now)
    sla.fire_due(now + timedelta(days=1))
    assert log.lead("test")
    log.sequence("test")

    said = [str(line.text) for line in queries.feed(dispatcher)]

    assert f"<b>{ticket.short_number}</b> 响应：已告知{told}" in said


def test_a_sentence_without_its_number_still_reads(ventilator, stopped, now):
    from config.kernel.models import EventRecord
    from tickets.desk.queries.feed import sentence_of, words_behind

    stories.reported(ventilator, stopped, now)
    record = EventRecord.objects.filter(type="TicketSubmitted").get()
    behind = words_behind([record])

    def told(sentence):
        return str(sentence_of(record, sentence, behind, with_number=False))

    assert told("{to} did not accept {no} in time") == "<b>工程师</b> did not accept in time"
    assert told("{no} 退回，{to} 不再负责") == "退回，<b>工程师</b> 不再负责"
    assert told("{to} 先去 P1，{no} 放下") == "<b>工程师</b> 先去 P1，放下"
