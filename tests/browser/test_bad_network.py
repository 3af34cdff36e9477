"""Somebody on the way answers for Wardline, a request never comes back, a press meets no network: nothing gets lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESK
from tests.browser.hospital import Hospital
from tests.browser.phone import (
    SOON,
    fill,
    find_the_network,
    lose_the_network,
    owed,
    report,
    untouched,
    work_of,
)

pytestmark = pytest.mark.browser


def _answer_posts(page: Page, status: int) -> None:
    """A proxy on the way answers every report."""

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=status, body="no")
        else:
            route.continue_()

    page.context.route("**/q/**", answer)


def _write(page: Page, words: str) -> None:
    page.locator(".three summary").nth(2).click()
    page.fill("[data-panel='2'] textarea", words)


@pytest.mark.parametrize("status", [403, 408, 429])
def test_a_report_that_somebody_on_the_way_refused_is_sent_again(
    hospital: Hospital, visit: Callable[..., Page], status: int
) -> None:
    page = visit()
    page.goto(untouched(hospital, "pump"))
    fill(page, "no")
    _answer_posts(page, status)
    page.click("#send")
    expect(page.locator("#undelivered")).to_contain_text("没有保存，内容还在", timeout=SOON)
    assert owed(page) == 1

    page.context.unroute_all()

    page.wait_for_url(re.compile("/t/"), timeout=SOON)
    assert owed(page) == 0


def test_a_waiting_report_that_wardline_never_takes_is_shown_until_it_is_opened(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    later, address = visit(), untouched(hospital, "pump")
    later.goto(address)
    letter = {"to": address, "body": "client_id=kept", "device": "肠内营养泵", "asset": "T-1", "urgent": False}
    later.evaluate(
        "kept => localStorage.setItem('wardline.outbox', JSON.stringify([{ ...kept, at: Date.now() }]))", letter
    )

    _answer_posts(later, 410)
    later.goto("/q/")

    lost = later.locator("#mine a.danger")
    expect(lost).to_contain_text("没有送达", timeout=SOON)
    lost.click()
    expect(later.locator("#send")).to_be_visible()
    assert owed(later) == 0


def test_a_page_whose_report_another_tab_delivered_goes_to_the_receipt(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit()
    page.goto(untouched(hospital, "pump"))
    fill(page, "yes")
    page.route("**/q/**", lambda route: None if route.request.method == "POST" else route.continue_())
    page.click("#send")  # hangs for ever

    page.context.new_page().goto("/q/")

    page.wait_for_url(re.compile("/t/"), timeout=SOON)
    expect(page.locator(".band h1")).to_have_text("已送达")


def test_another_language_keeps_what_was_chosen(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page = visit()
    page.goto(untouched(hospital, "pump"))
    fill(page, "no")

    page.click("a[href^='?lang=']")

    expect(page.locator("#send")).to_contain_text("Send report")
    expect(page.locator("[name=in_use][value=no]")).to_be_checked()
    expect(page.locator("[name=symptom]:checked")).to_have_count(1)


def test_words_for_a_report_under_way_stay_without_a_network(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page = visit()
    report(page, hospital)
    _write(page, "漏水到插座旁")

    lose_the_network(page)
    page.click("[data-panel='2'] button[type=submit]")
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("[data-panel='2'] textarea")).to_have_value("漏水到插座旁")

    find_the_network(page)
    page.click("[data-panel='2'] button[type=submit]")
    expect(page.locator("#main")).to_contain_text("已补充", timeout=SOON)


def test_a_refusal_on_the_tracking_page_stands_while_it_is_read(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page = visit()
    report(page, hospital)
    _write(page, " \n ")
    with page.expect_navigation():
        page.click("[data-panel='2'] button[type=submit]")

    page.wait_for_timeout(6_000)  # the page looks every five seconds

    expect(page.locator(".ban.breach:not(#offline)")).to_be_visible()


def test_a_signature_is_asked_for_again_after_a_press_without_a_network(
    hospital: Hospital, visit: Callable[..., Page]
) -> None:
    page = visit("engineer")
    page.goto(f"/field/{work_of(hospital, hospital.login('engineer')['username'])}/finish/")
    page.locator("label.pick:has([name=release][value=out_of_use])").click()
    page.click("footer.dock button[type=submit]")
    lose_the_network(page)
    page.click("[data-sure]")
    expect(page.locator(".toast[data-kind=answer]")).to_contain_text("没有网络")
    find_the_network(page)

    page.locator("label.pick:has([name=release][value=restricted])").click()
    page.click("footer.dock button[type=submit]")

    expect(page.locator("#sure")).to_be_visible()
    expect(page.locator("#sure [data-lead]")).to_contain_text("限用")
    expect(page).to_have_url(re.compile("/finish/$"))


MOVED = """() => new Promise((tell) => {
  const moved = [];
  const from = (one) => one.sources.map((source) => (source.node?.outerHTML ?? "").slice(0, 80));
  new PerformanceObserver((list) => moved.push(...list.getEntries())).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => tell(moved.filter((one) => one.value > 0.005).map((one) => [one.value, ...from(one)])), 500);
})"""


def _slow_scripts(page: Page) -> None:
    def late(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/*.js", late)


def _what_moves(page: Page, path: str) -> list[Any]:
    page.goto(path)
    return list(page.evaluate(MOVED))


def test_nothing_moves_under_a_thumb_when_the_scripts_come_late(hospital: Hospital, visit: Callable[..., Page]) -> None:
    ward, phone, desk = visit(), visit("engineer"), visit("manager", device=DESK)
    english = visit("engineer", language="en")  # whose words are the longer ones
    report(ward, hospital)
    ticket = work_of(hospital, hospital.login("engineer")["username"])
    opened = [(ward, hospital.facts["devices"][3]["report_url"]), (ward, ward.url), (phone, "/field/")]
    opened += [(phone, f"/field/{ticket}/{leaf}") for leaf in ("", "finish/", "more/")]
    opened += [(desk, path) for path in ("/desk/", f"/desk/tickets/{ticket}/", "/desk/tickets/")]
    opened += [(english, "/field/?")]
    for page in (ward, phone, desk, english):
        _slow_scripts(page)

    moves = {path: moved for page, path in opened if (moved := _what_moves(page, path))}

    assert moves == {}
