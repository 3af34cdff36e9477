"""Hostile text in every field, every page of every role open in Chromium: no dialog, no foreign element, no CSP report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import DESK, PHONE
from tests.browser.hospital import Hospital
from tests.browser.screens import walk
from tests.furnished import of_this_run

pytestmark = pytest.mark.browser

LISTEN = """window.__reports = [];
document.addEventListener("securitypolicyviolation", (e) => window.__reports.push(
  `${e.violatedDirective} ${e.blockedURI} ${e.sourceFile ?? ""}:${e.lineNumber} ${e.sample}`));"""
FOREIGN = """() => {
  const probes = [...document.querySelectorAll(
    "xss-probe, [x=xss-probe], [name=xss-probe], img[src=x], [onerror], [onload], [onfocus], [onclick], [ontoggle]," +
    "[onmouseover], [onbegin], iframe, object, embed, base, meta[http-equiv=refresh], script:not([src]):not([type])," +
    "[href^='javascript:'], [action^='javascript:'], [src^='data:text'], [href^='data:text'], [hx-trigger=load][hx-get='/']"
  )].filter((one) => !one.closest("[data-ours]")).map((one) => one.outerHTML.slice(0, 160));
  return window.__xss ? [...probes, "a payload ran"] : probes;
}"""
WALKS = [("", PHONE, 12), ("nurse", PHONE, 5), ("engineer", PHONE, 9), ("manager", DESK, 9), ("admin", DESK, 24)]
ADMIN_PAGES = 30  # of about 160 without --full
POISON = "from tests.browser.poison import rows, doors\nprint(json.dumps({what}))"


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A hospital of its own: its texts are of no use to other tests."""
    place = Hospital(tmp_path_factory.mktemp("poisoned"), of_this_run(tmp_path_factory.getbasetemp()))
    try:
        place.start()
        by_door = place.ask(POISON.format(what=f"doors({json.dumps(place.facts)})".replace("true", "True")))
        assert set(by_door) <= {200, 201, 302, 303, 400, 409, 422, 429}
        place.written = place.ask(POISON.format(what="rows()"))
        yield place
    finally:
        place.stop()


@pytest.fixture
def watched(chromium: Browser, poisoned: Hospital) -> Iterator[tuple[Page, dict[str, list[str]], Any]]:
    context = chromium.new_context(locale="zh-CN", base_url=poisoned.base_url, reduced_motion="reduce")
    context.add_init_script(LISTEN)
    page = context.new_page()
    seen: dict[str, list[str]] = {"dialogs": [], "errors": []}

    def dialog(one: Any) -> None:
        seen["dialogs"].append(f"{page.url} {one.message}")
        one.dismiss()

    page.on("dialog", dialog)
    page.on("pageerror", lambda error: seen["errors"].append(f"{page.url} {error}"))
    page.on("console", lambda said: seen["errors"].append(f"{page.url} {said.text}") if _is_error(said) else None)
    yield page, seen, context
    context.close()


def _is_error(said: Any) -> bool:
    """The walk itself opens one page that is not there, and some that are not for its role."""
    return said.type == "error" and not any(f"status of {code}" in said.text for code in (403, 404))


def sign_in(page: Page, hospital: Hospital, role: str) -> None:
    login = hospital.login(role)
    page.goto("/accounts/login/")
    page.fill("input[name=login]", login["username"])
    page.fill("input[name=password]", login["password"])
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


def test_every_field_that_people_fill_was_poisoned(poisoned: Hospital) -> None:
    written = poisoned.written

    assert len(written) >= 60
    for field in ("tickets.Ticket.description", "tickets.Comment.text", "assets.Device.name", "assets.Person.name",
                  "assets.User.display_name", "assets.FaultPreset.name", "assets.Location.path_zh"):  # fmt: skip
        assert written[field] > 0


@pytest.mark.parametrize(("role", "device", "fewest"), WALKS, ids=[role or "stranger" for role, _, _ in WALKS])
def test_no_text_becomes_a_program_on_any_page(
    poisoned: Hospital, watched: tuple[Page, dict[str, list[str]], Any], role: str, device: Any, fewest: int, full: bool
) -> None:
    page, seen, _context = watched
    page.set_viewport_size(device["viewport"])
    if role:
        sign_in(page, poisoned, role)
    foreign, reports, opened = {}, {}, 0

    for name in walk(page, poisoned, role, limit=ADMIN_PAGES if role == "admin" and not full else None):
        page.wait_for_load_state("load")
        opened += 1
        for node in page.query_selector_all("input:not([type=hidden]), summary, [title], [data-tip]")[:25]:
            if node.is_visible():
                node.dispatch_event("mouseover")
                node.dispatch_event("focus")
        foreign |= {name: found} if (found := page.evaluate(FOREIGN)) else {}
        said = page.evaluate("window.__reports ?? []")
        reports |= {name: said} if said else {}

    assert seen["dialogs"] == []
    assert foreign == {}
    assert reports == {}
    assert seen["errors"] == []
    assert opened >= fewest
