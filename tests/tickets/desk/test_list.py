"""The list: filters, search by two characters, pages that stand still, views, export."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.tickets.desk import stories
from tickets.desk import queries
from tickets.models import SavedView, Ticket
from tickets.record.queries import search

DAY = timedelta(days=1)


def ids(rows):
    return [ticket.pk for ticket in rows]


@pytest.fixture
def two(ventilator, stopped, monitor, spo2, now):
    """A P1 on the ventilator, and a P3 on the monitor reported yesterday."""
    return (
        stories.reported(monitor, spo2, now - DAY, description="屏幕发黑"),
        stories.reported(ventilator, stopped, now, in_use=True),
    )


@pytest.mark.database
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("监护", [0]), ("呼吸", [1]), ("呼吸机", [1]), ("呼", [1]), ("呼吸 停机", [1]), ("呼吸 屏幕", []), ("发黑", [0]), ("hv-300", [1]),
        ("HV", [1]), ("重症", [1]), ("%", []), ("'\"*:()&|!", []), ("没有这样的词", []), ("", [1, 0]), ("  ", []),
    ],
)  # fmt: skip
def test_search_finds_by_two_characters_and_by_beginnings(text, found, two):
    expected = [two[n].pk for n in found]

    assert ids(search(Ticket.objects.order_by("-id"), text)) == (
        expected if text.strip() or not text else ids(reversed(two))
    )


@pytest.mark.database
def test_search_follows_a_changed_ticket(two):
    Ticket.objects.filter(pk=two[0].pk).update(search_text="除颤 颤仪")

    assert ids(search(Ticket.objects.all(), "除颤仪")) == [two[0].pk]
    assert ids(search(Ticket.objects.all(), "监护")) == []


def test_each_filter_narrows_by_itself(two, dispatcher, engineer, now):
    old, urgent = two
    stories.assigned(urgent, engineer, now)
    cases = {
        ("priority", ("1",)): [urgent], ("department", "SUR"): [old], ("engineer", "li"): [urgent], ("group", "monitor"): [old],
        ("state", ("assigned",)): [urgent], ("from", f"{now:%Y-%m-%d}"): [urgent], ("to", f"{now - DAY:%Y-%m-%d}"): [old],
        ("open", "1"): [urgent, old], ("repeat", "1"): [], ("overdue", "1"): [old], ("mine", "1"): [],
    }  # fmt: skip

    for (name, value), expected in cases.items():
        given = {name: list(value) if isinstance(value, tuple) else value}
        assert ids(queries.filtered(dispatcher, given, now)) == ids(expected), name


def test_strange_addresses_are_no_filter_and_no_error(dispatcher, signed_in, two):
    page = signed_in(dispatcher).get(
        "/desk/tickets/?state=nope&priority=9&from=gestern&after=x&before=1e9&open=yes&id__gt=1"
    )

    assert page.status_code == 200
    assert [row.ticket.pk for row in page.context["rows"]] == ids(reversed(two))


def test_pages_stand_still_while_tickets_come_in(monitor, spo2, dispatcher, now):
    made = [stories.reported(stories.another(monitor), spo2, now) for _n in range(5)][::-1]
    rows = queries.filtered(dispatcher, {}, now)
    first = queries.page(rows, size=2)

    new = stories.reported(stories.another(monitor), spo2, now)
    second = queries.page(rows, after=first.older, size=2)
    back = queries.page(rows, before=second.newer, size=2)

    assert ids(first.tickets) == ids(made[:2])
    assert ids(second.tickets) == ids(made[2:4])
    assert ids(back.tickets) == ids(made[:2])
    assert queries.page(rows, before=back.newer, size=2).tickets == [new]
    last = queries.page(rows, after=second.older, size=2)
    assert (ids(last.tickets), last.older) == (ids(made[4:]), None)


def test_the_list_costs_at_most_eight_queries_at_any_length(monitor, spo2, dispatcher, signed_in, now):
    client = signed_in(dispatcher)
    stories.reported(monitor, spo2, now)
    client.get("/desk/tickets/")

    costs = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/desk/tickets/?q=监护").status_code == 200
        costs.append(len(seen))
        for _n in range(9):
            stories.reported(stories.another(monitor), spo2, now)

    assert costs[0] == costs[1] <= 8


def test_an_empty_answer_says_so_and_leads_on(dispatcher, signed_in, rules):
    page = signed_in(dispatcher).get("/desk/tickets/?q=没有").content.decode()

    assert "没有符合的工单" in page
    assert 'href="/desk/tickets/">看全部' in page


def test_wards_have_no_list_and_engineers_no_export(nurse, engineer, signed_in):
    assert signed_in(nurse).get("/desk/tickets/").status_code == 403
    assert signed_in(engineer).get("/desk/tickets/").status_code == 200
    assert signed_in(engineer).get("/desk/tickets/export.csv").status_code == 403


def test_a_view_keeps_known_filters_and_is_seen_when_shared(dispatcher, manager, signed_in):
    client = signed_in(dispatcher)

    client.post(
        "/desk/views/", {"name": "夜里的 P1", "query": "priority=1&open=1&password__startswith=a", "shared": "1"}
    )
    client.post("/desk/views/", {"name": "夜里的 P1", "query": "priority=1&priority=2", "shared": "1"})

    view = SavedView.objects.get()
    assert (view.owner, view.name, view.query, view.shared) == (dispatcher, "夜里的 P1", {"priority": ["1", "2"]}, True)
    assert "夜里的 P1" in signed_in(manager).get("/desk/tickets/").content.decode()
    assert signed_in(manager).post(f"/desk/views/{view.pk}/delete/").status_code == 404
    assert client.post(f"/desk/views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_no_cell_of_an_export_is_a_formula(monitor, spo2, dispatcher, signed_in, now):
    monitor.name = "=HYPERLINK(1)"
    monitor.save()
    ticket = stories.reported(monitor, spo2, now)
    client = signed_in(dispatcher)

    text = b"".join(client.get("/desk/tickets/export.csv?open=1").streaming_content).decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(client.get("/desk/tickets/export.xlsx").content))

    head, row = list(csv.reader(io.StringIO(text)))
    assert (head[0], row[0], row[1]) == ("工单号", ticket.number, "P3")
    assert row[3].startswith("'=HYPERLINK")
    cell = list(book.active.rows)[1][3]
    assert (cell.value[:2], cell.data_type) == ("'=", "s")
    assert client.get("/desk/tickets/export.exe").status_code == 404


def test_a_filter_that_cannot_be_read_is_said(dispatcher, signed_in, rules):
    page = signed_in(dispatcher).get("/desk/tickets/?from=abc&priority=9&state=new&lang=en&after=3").content.decode()

    assert "from=abc, priority=9</span>" in page
