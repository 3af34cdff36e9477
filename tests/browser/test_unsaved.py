"""A session that ends while somebody writes: the words come back after signing in, and only to that person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hospital import Hospital
from tests.browser.phone import work_of

pytestmark = pytest.mark.browser
WORDS = "电源板坏，接地 86"


def _write_and_lose_the_session(page: Page, ticket: str) -> None:
    page.goto(f"/field/{ticket}/finish/")
    page.fill("[name=diagnosis]", WORDS)
    page.locator("label.pick:has([name=cause][value=part])").click()
    page.locator("label.pick:has([name=release][value=usable])").click()
    page.context.clear_cookies(name="sessionid")
    page.click("footer.dock button[type=submit]")
    page.click("[data-sure]")
    expect(page.locator("#unsaved")).to_contain_text("没有保存")


def _sign_in(page: Page, login: dict[str, str]) -> None:
    page.fill("input[name=login]", login["username"])
    page.fill("input[name=password]", login["password"])
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


def test_what_was_written_is_back_after_signing_in_again(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page, login = visit("engineer"), hospital.login("engineer")
    ticket = work_of(hospital, login["username"])
    _write_and_lose_the_session(page, ticket)

    _sign_in(page, login)

    expect(page).to_have_url(f"{hospital.base_url}/field/{ticket}/finish/")
    expect(page.locator(".toast[data-kind=answer]")).to_contain_text("已填回")
    expect(page.locator("[name=diagnosis]")).to_have_value(WORDS)
    expect(page.locator("[name=cause][value=part]")).to_be_checked()
    expect(page.locator("[name=release][value=usable]")).to_be_checked()
    page.reload()
    expect(page.locator("[name=diagnosis]")).to_have_value("")


def test_somebody_else_in_the_same_tab_does_not_read_it(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page = visit("engineer")
    ticket = work_of(hospital, hospital.login("engineer")["username"])
    _write_and_lose_the_session(page, ticket)

    _sign_in(page, hospital.login("manager"))
    page.goto(f"/field/{ticket}/finish/")

    expect(page.locator("[name=diagnosis]")).to_have_value("")
    assert page.evaluate("Object.keys(sessionStorage)") == []


def test_a_desk_note_comes_back_too(hospital: Hospital, visit: Callable[..., Page]) -> None:
    page, login = visit("dispatcher"), hospital.login("dispatcher")
    page.goto("/desk/tickets/")
    page.goto(page.locator("tbody tr a").first.get_attribute("href") or "")
    page.fill("#note", "科里说下午再来")
    page.context.clear_cookies(name="sessionid")
    page.press("#note", "Enter")
    expect(page.locator("#unsaved")).to_be_visible()

    _sign_in(page, login)

    expect(page.locator("#note")).to_have_value("科里说下午再来")
