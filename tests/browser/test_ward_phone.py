"""A nurse's phone in a dead corner: nothing claims to be delivered before it is, and nothing that was pressed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.hospital import Hospital
from tests.browser.phone import (
    SOON,
    fill,
    find_the_network,
    lose_the_network,
    owed,
    report_and_close_without_a_network,
    untouched,
)

pytestmark = pytest.mark.browser


def test_a_phone_set_to_another_zone_says_the_hospitals_time(hospital: Hospital, visit: Callable[..., Page]) -> None:
    phone, ward = visit("engineer", zone="America/New_York"), visit()
    phone.goto("/field/")
    mark = phone.locator("#sync span")
    served = mark.inner_text()
    mark.evaluate("node => { node.textContent = node.textContent.replace(/\\d\\d:\\d\\d$/, '99:99') }")

    ward.goto(untouched(hospital, "pump"))
    fill(ward, "no")
    ward.click("#send")

    expect(mark).not_to_contain_text("99:99", timeout=SOON)
    minutes = [int(said[-5:-3]) * 60 + int(said[-2:]) for said in (served, mark.inner_text())]
    assert (minutes[1] - minutes[0]) % 1440 <= 2


def test_the_ward_sees_on_its_phone_how_far_each_ticket_is_and_who_comes(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit("nurse")
    page.goto(untouched(hospital, "pump", department__staff__username=hospital.login("nurse")["username"]))
    fill(page, "no")
    page.click("#send")
    page.wait_for_url(re.compile("/t/"), timeout=SOON)

    page.goto("/ward/")

    rows = page.locator("table.tbl:has(.col-state) tbody tr")
    expect(rows).not_to_have_count(0)
    edges = rows.evaluate_all(
        "rows => rows.flatMap(row => [...row.cells].map(cell => cell.getBoundingClientRect().right))"
    )
    assert max(edges) <= PHONE["viewport"]["width"]


def test_an_urgent_report_without_a_network_asks_for_a_call_and_arrives_later(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(untouched(hospital, "pump"))
    fill(page, "yes")

    lose_the_network(page)
    page.click("#send")
    expect(page.locator("#undelivered")).to_contain_text("未送达，没有网络", timeout=SOON)
    expect(page.locator("#shout")).to_have_attribute("href", "tel:8120", timeout=SOON)
    assert owed(page) == 1
    assert page.locator(".band").count() == 0

    find_the_network(page)
    page.wait_for_url(re.compile("/t/"), timeout=SOON)
    expect(page.locator(".band h1")).to_have_text("已送达")
    assert owed(page) == 0


def test_a_page_closed_without_a_network_delivers_when_one_is_opened_again(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    later = report_and_close_without_a_network(visit(), hospital, "bed")

    later.goto("/q/")

    expect(later.locator("#mine a")).to_have_count(1, timeout=SOON)
    later.locator("#mine a").click()
    expect(later.locator(".band h1")).to_have_text("已送达")
    assert owed(later) == 0


def test_a_hasty_double_tap_sends_one_report_and_still_shows_the_receipt(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(untouched(hospital, "monitor"))
    fill(page, "no")

    page.locator("#send").dblclick()
    page.wait_for_url(re.compile("/t/"), timeout=SOON)

    expect(page.locator(".band h1")).to_have_text("已送达")
    assert owed(page) == 0


def test_what_is_missing_is_said_on_the_page_and_back_still_opens_it(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit()
    address = untouched(hospital, "bed")
    page.goto(address)
    said = page.locator(".errt:visible")

    page.click("#send")
    expect(said).to_have_text(["还没选是否正在给患者使用", "还没选哪里坏了。点一项，或点“其他”"])
    page.locator("label:has(input[name=in_use][value=no])").click()
    expect(said).to_have_text(["还没选哪里坏了。点一项，或点“其他”"])
    page.locator("label:has(input[name=symptom])").first.click()
    expect(said).to_have_count(0)

    page.click("#send")
    page.wait_for_url(re.compile("/t/"), timeout=SOON)
    page.go_back()
    expect(page.get_by_text("同一问题，催一下")).to_be_visible()
    assert page.url.endswith(address)


@pytest.mark.parametrize("scripts", [True, False])
def test_what_withdrawing_asks_back_opens_above_the_dock(
    hospital: Hospital, visit: Callable[..., Page], scripts: bool
) -> None:
    page = visit(device=PHONE | {"java_script_enabled": scripts})
    page.goto(untouched(hospital, "monitor"))
    fill(page, "no")
    page.click("#send")
    page.wait_for_url(re.compile("/t/"), timeout=SOON)

    asks = page.locator("summary", has_text="撤销这次报修")
    asks.evaluate("node => scrollBy(0, node.getBoundingClientRect().bottom - innerHeight + 130)")  # just above the dock

    asks.click()

    sure = page.get_by_role("button", name="确定撤销")
    expect(sure).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(300)
    box, dock = sure.bounding_box(), page.locator(".dock").bounding_box()
    assert box
    assert dock
    assert box["y"] + box["height"] <= dock["y"]
