"""The board: three groups by time to breach, P1 above them, a fixed number of queries, and nothing personal on the wall."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from assets.models import Device
from tests import factories
from tickets.desk import queries
from tickets.lifecycle import services as lifecycle
from tickets.models import Clock, HoldReason


@pytest.fixture(autouse=True)
def _chinese():
    with translation.override("zh-hans"):
        yield


def report(device, preset, at, **more):
    return lifecycle.submit(device=device, preset=preset, by=None, at=at, **more)


def titles(board):
    return [(group.tone, [row.ticket.short_number for row in group.rows]) for group in board.groups]


def test_rows_stand_by_time_to_breach_in_three_groups(ventilator, monitor, stopped, spo2, dispatcher, now):
    late = report(ventilator, stopped, now - timedelta(minutes=10), in_use=True)
    calm = report(monitor, spo2, now - timedelta(minutes=1))
    near = report(factories.device(monitor.department, monitor.type), spo2, now)
    Clock.objects.filter(ticket=near).update(warn_at=now - timedelta(seconds=1))

    found = queries.board(dispatcher, now)

    assert titles(found) == [
        ("breach", [late.short_number]),
        ("warn", [near.short_number]),
        ("ok", [calm.short_number]),
    ]
    assert [row.ticket for row in found.strip] == [late]
    assert found.strip[0].sentence == "响应已超时"


def test_a_paused_ticket_says_why_and_until_when(monitor, spo2, engineer, dispatcher, now):
    ticket = report(monitor, spo2, now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(ticket, by=engineer, at=now)
    lifecycle.arrive(ticket, by=engineer, at=now, reason="没有码")
    lifecycle.pause(ticket, reason=HoldReason.objects.get(code="parts"), by=engineer, at=now, until=now + timedelta(hours=1))
    Clock.objects.filter(ticket=ticket, met_at__isnull=True, paused=False).update(met_at=now)

    [group] = queries.board(dispatcher, now).groups

    assert group.tone == "ok"
    assert group.rows[0].left == "暂停中"
    assert "15:21" in group.rows[0].target


def test_chips_count_what_they_show(ventilator, monitor, stopped, spo2, engineer, dispatcher, now):
    report(ventilator, stopped, now)
    taken = report(monitor, spo2, now)
    lifecycle.assign(taken, to=engineer, by=dispatcher, at=now)
    lifecycle.accept(taken, by=engineer, at=now)

    found = queries.board(dispatcher, now, show="working")

    assert {chip["key"]: chip["n"] for chip in found.chips} == {
        "": 2, "unaccepted": 1, "working": 1, "waiting": 0, "verifying": 0,
    }  # fmt: skip
    assert [row.ticket for group in found.groups for row in group.rows] == [taken]


@pytest.mark.parametrize("given", [{"department": "SUR"}, {"priority": "3"}])
def test_filters_narrow_the_queue_but_never_the_p1_strip(ventilator, monitor, stopped, spo2, dispatcher, now, given):
    urgent = report(ventilator, stopped, now, in_use=True)
    plain = report(monitor, spo2, now)

    found = queries.board(dispatcher, now, **given)

    assert [row.ticket for group in found.groups for row in group.rows] == [plain]
    assert [row.ticket for row in found.strip] == [urgent]


def test_more_than_three_p1_are_counted_not_shown(ventilator, stopped, dispatcher, now):
    for _n in range(5):
        report(factories.device(ventilator.department, ventilator.type), stopped, now, in_use=True)

    found = queries.board(dispatcher, now)

    assert (len(found.strip), found.more_p1) == (3, 2)


@pytest.mark.parametrize("path", ["/desk/", "/desk/_board/", "/desk/?wall=1", "/desk/_roster/", "/desk/_alerts/"])
def test_ten_tickets_cost_as_many_queries_as_one(ventilator, stopped, engineer, dispatcher, signed_in, path):
    browser, at = signed_in(dispatcher), timezone.now()

    def cost():
        browser.get(path)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(path).status_code == 200
        return len(seen)

    def another():
        ticket = report(factories.device(ventilator.department, ventilator.type), stopped, at, in_use=True)
        lifecycle.assign(ticket, to=engineer, by=dispatcher, at=at)

    another()
    one = cost()
    for _n in range(9):
        another()

    assert cost() == one


def test_the_desk_is_for_the_desk(signed_in, nurse, engineer, manager, client, db):
    assert client.get("/desk/").status_code == 302
    for user, status in ((nurse, 403), (engineer, 403), (manager, 200)):
        assert signed_in(user).get("/desk/").status_code == status


def test_the_wall_shows_no_number_bed_or_full_name(ventilator, stopped, engineer, dispatcher, signed_in):
    ticket = report(ventilator, stopped, timezone.now(), in_use=True)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=timezone.now())

    browser = signed_in(dispatcher)
    page = browser.get("/desk/_board/?wall=1").content.decode() + browser.get("/desk/_roster/?wall=1").content.decode()

    assert "李工" in page
    for secret in ("李志远", ticket.number, ticket.short_number, ticket.public_id, "3 床", ticket.contact_ext):
        assert secret not in page


def test_the_share_on_time_counts_open_breaches_as_late(monitor, spo2, dispatcher, now):
    report(monitor, spo2, now)
    Clock.objects.filter(metric="response").update(met_at=now, due_at=now + timedelta(minutes=1))
    Clock.objects.filter(metric="arrival").update(breached_at=now)

    today = queries.wall(dispatcher, now + timedelta(minutes=1))["today"]

    assert (today.n, today.met) == (2, 1)
    low, high = today.interval
    assert low < 50 < high


def test_life_support_below_its_least_is_said_first(ventilator, dispatcher, now):
    Device.objects.update(backup_group="vent", min_ready=2)

    stock = queries.wall(dispatcher, now)["stock"]

    assert stock[0]["missing"] == 1
    assert stock[0]["tone"] == "breach"


def test_feed_names_people_and_never_a_system_id(ventilator, stopped, engineer, dispatcher, now):
    from config.kernel import log

    ticket = report(ventilator, stopped, now)
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)
    log.lead("test")
    log.sequence("test")

    said = [str(line.text) for line in queries.feed(dispatcher)]

    assert f"<b>{ticket.short_number}</b> 派给 李工" in said
    assert any("报修" in text for text in said)


def test_every_sentence_of_the_feed_can_be_filled():
    from tickets.desk.queries.feed import SAID

    slots = dict.fromkeys(("no", "who", "to", "metric", "level", "reason", "tell"), "x")
    for language in ("zh-hans", "en"):
        with translation.override(language):
            for _icon, _tone, sentence in SAID.values():
                assert str(sentence).format(**slots)
