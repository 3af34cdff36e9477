"""What every page of the admin has from its base: lists that never count a whole log, and say where they end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Device, FaultPreset, User
from config.kernel import log
from config.kernel.admin import FirstRows, ReadOnlyAdmin
from tickets.lifecycle import services as lifecycle
from tickets.models import Calendar, CalendarDay, Clock, Ticket
from tickets.sla.queries import forget_rulebook

pytestmark = pytest.mark.django_db
LOG = "/admin/kernel/eventrecord/"


@pytest.fixture
def browser(
    manager: User, signed_in: Callable[[User], Client], ventilator: Device, stopped: FaultPreset, now: object
) -> Client:
    lifecycle.submit(device=ventilator, preset=stopped, by=None, at=now)
    assert log.lead("test")
    assert log.sequence("test")
    return signed_in(manager)


def listed(page: HttpResponse) -> list[Any]:
    return list(page.context["cl"].result_list)


def test_a_list_of_the_log_counts_its_first_rows_only(browser: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        browser.get(LOG)

    counts = [one["sql"] for one in asked if "COUNT(*)" in one["sql"] and "kernel_eventrecord" in one["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {FirstRows.MOST}" in counts[0]


@pytest.mark.parametrize(("most", "told"), [(1, True), (FirstRows.MOST, False)])
def test_a_list_says_that_it_ends_early(
    most: int, told: bool, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FirstRows, "MOST", most)

    page = browser.get(LOG).content.decode()

    assert ("其余用搜索或筛选找" in page) is told


def test_what_has_no_end_is_listed_newest_first(browser: Client) -> None:
    pages = [site.get_model_admin(model) for model in site._registry]

    assert {page.ordering for page in pages if isinstance(page, ReadOnlyAdmin)} == {("-pk",), ("-seq",)}
    assert listed(browser.get("/admin/tickets/clock/"))[0] == Clock.objects.latest("pk")


def test_no_address_sorts_a_log_by_another_column(browser: Client) -> None:
    with CaptureQueriesContext(connection) as asked:
        page = browser.get(LOG + "?o=3")

    sorts = [one["sql"] for one in asked if 'FROM "kernel_eventrecord"' in one["sql"] and "ORDER BY" in one["sql"]]
    assert page.status_code == 200
    assert sorts
    assert all('ORDER BY "kernel_eventrecord"."seq" DESC' in sql for sql in sorts)


@pytest.mark.parametrize(
    ("term", "found"),
    [("TicketSubmitted", True), ("{number}", True), ("ventilator", True), ("何军", False), ("ticket:{ticket}", True)],
)
def test_the_log_is_found_by_type_person_ticket_and_subject(term: str, found: bool, browser: Client) -> None:
    ticket = Ticket.objects.get()

    rows = listed(browser.get(LOG, {"q": term.format(number=ticket.number, ticket=ticket.public_id)}))

    assert ("TicketSubmitted" in {row.type for row in rows}) is found


def test_the_log_is_found_by_who_did_it(browser: Client, manager: User, now: object) -> None:
    lifecycle.cancel(Ticket.objects.get(), by=manager, at=now, reason="误报")

    assert {row.type for row in listed(browser.get(LOG, {"q": "何军"}))} == {"CommentAdded", "TicketCancelled"}


@pytest.mark.parametrize(
    "address",
    ["tickets/ticket", "tickets/clock", "tickets/alert", "tickets/pause", "tickets/rebase", "dispatch/decision",
     "dispatch/exclusion", "integrations/notification", "integrations/delivery"],
)  # fmt: skip
def test_lists_without_end_are_searched_without_reading_them(address: str, browser: Client) -> None:
    number = Ticket.objects.get().number

    pages = [browser.get(f"/admin/{address}/", {"q": term}) for term in (number, "WX20000101-0001", "何军", "' \" %")]

    assert [page.status_code for page in pages] == [200] * 4
    assert not any(listed(page) for page in pages[1:])
    if address in {"tickets/ticket", "tickets/clock"}:
        assert {str(getattr(row, "ticket", row)) for row in listed(pages[0])} == {number}


def test_tickets_are_found_by_who_has_them(browser: Client, engineer: User, dispatcher: User, now: object) -> None:
    ticket = Ticket.objects.get()
    lifecycle.assign(ticket, to=engineer, by=dispatcher, at=now)

    assert listed(browser.get("/admin/tickets/ticket/", {"q": "志远"})) == [ticket]
    assert listed(browser.get("/admin/tickets/ticket/", {"q": "建国"})) == []


def test_a_list_that_leaves_nothing_out_does_not_offer_the_rest(browser: Client) -> None:
    whole, found = browser.get(LOG).content.decode(), browser.get(LOG + "?q=TicketSubmitted").content.decode()

    assert "显示全部" not in whole
    assert "显示全部" in found


def test_a_change_without_a_reason_shows_a_dash(browser: Client, ventilator: Device) -> None:
    page = browser.get(f"/admin/assets/device/{ventilator.pk}/history/").content.decode()

    cell = page.split('data-label="修改原因">', 1)[1].split("</td>", 1)[0]
    assert cell.strip() == "—"


def test_missing_holidays_lead_to_the_page_where_they_are_entered(browser: Client) -> None:
    CalendarDay.objects.all().delete()
    forget_rulebook()

    page = browser.get("/admin/").content.decode()

    office = Calendar.objects.get(always=False)
    line = re.search(r'<a[^>]*href="([^"]+)"[^>]*>(?:(?!</a>).)*年的放假和调休还没录入', page, re.DOTALL)
    assert line
    assert line[1] == f"/admin/tickets/calendar/{office.pk}/change/"
    assert "节假日与调休" in browser.get(line[1]).content.decode()
