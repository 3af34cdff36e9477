"""What an eye, a screen reader, a keyboard and a small or enlarged screen need, on every page a role can reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.hospital import Hospital
from tests.browser.screens import route, walk

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# Swagger UI's own headings and landmarks keep all of WCAG, but not every best practice; its markup is not ours.
SWAGGER = RULES | {"runOnly": [one for one in RULES["runOnly"] if one != "best-practice"]}
WALKS = [("", PHONE), ("nurse", PHONE), ("engineer", PHONE), ("manager", DESK)]
FEWEST = {"": 12, "nurse": 6, "engineer": 10, "manager": 9}  # pages a walk must open, or it has lost its way
ADMIN_PAGES = 12  # of about 160 without --full: each further page is Unfold's list or form with another model in it

Visit = Callable[..., Page]


CONTRAST = RULES | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def violations(page: Page, rules: dict[str, Any] | None = None) -> list[tuple[str, ...]]:
    rules = rules or (SWAGGER if page.url.endswith("/api/v1/docs/") else RULES)
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
    return [
        (one["id"], " ".join(map(str, node["target"])), node["html"][:160]) for one in found for node in one["nodes"]
    ]


TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const inside = (node) => {
    for (let up = node.parentElement; up; up = up.parentElement)
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(up).overflowX)) return true;
    return false;
  };
  const guilty = (node) => node.getBoundingClientRect().right > innerWidth + 1 && !inside(node);
  const named = (node) => node.outerHTML.slice(0, 120);
  return wide <= 1 ? [] : [wide, ...[...document.body.querySelectorAll("*")].filter(guilty).slice(0, 4).map(named)];
}"""
# Pieces of text of one layer that lie over each other; bars that stay on the screen are a layer of their own.
COVERED = """() => {
  const layer = (node) => {
    for (let up = node; up; up = up.parentElement)
      if (["fixed", "sticky"].includes(getComputedStyle(up).position) || up.tagName === "DIALOG") return up;
    return document.body;
  };
  const kept = (node) => {  // what of it scrolling boxes show
    let box = { left: -1e6, top: -1e6, right: 1e6, bottom: 1e6 };
    for (let up = node; up && up !== document.body; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (up.classList.contains("sr") || style.clipPath !== "none" || style.opacity === "0") return null;
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const r = up.getBoundingClientRect();
      box = { left: Math.max(box.left, r.left), top: Math.max(box.top, r.top),
              right: Math.min(box.right, r.right), bottom: Math.min(box.bottom, r.bottom) };
    }
    return box;
  };
  const pieces = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    if (parent.closest("script, style, noscript, option, svg, .sr")) continue;
    const box = kept(parent), range = document.createRange();
    range.selectNodeContents(node);
    for (const r of box ? range.getClientRects() : []) {
      const piece = { left: Math.max(r.left, box.left), top: Math.max(r.top, box.top), right: Math.min(r.right, box.right),
                      bottom: Math.min(r.bottom, box.bottom), node: parent, layer: layer(parent), text: node.data.trim() };
      if (piece.right - piece.left > 2 && piece.bottom - piece.top > 2) pieces.push(piece);
    }
  }
  const found = new Set();
  pieces.sort((a, b) => a.top - b.top);
  for (let i = 0; i < pieces.length; i++)
    for (let j = i + 1; j < pieces.length && pieces[j].top < pieces[i].bottom - 4; j++) {
      const a = pieces[i], b = pieces[j];
      if (a.node === b.node || a.layer !== b.layer) continue;
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.min(a.bottom, b.bottom) - b.top > 6)
        found.add(`${a.text.slice(0, 40)} | ${b.text.slice(0, 40)}`);
    }
  return [...found].slice(0, 4);
}"""
STILL_MOVING = """() => document.getAnimations().filter((one) => one.effect.getComputedTiming().duration > 10
  && one.playState === "running").map((one) => one.animationName ?? one.transitionProperty)"""
INVISIBLE = """() => [...document.querySelectorAll("button, a.btn, .tile, .dchip, .tag, .p, input.inp, select, .chip")]
  .filter((node) => node.getClientRects().length)
  .filter((node) => { const s = getComputedStyle(node); return s.borderStyle === "none" && s.outlineStyle === "none"
    && !node.innerText?.trim() && !node.querySelector("svg, img"); }).map((node) => node.outerHTML.slice(0, 120))"""


def look(page: Page, language: str) -> dict[str, list[Any]]:
    """What is wrong with the page that is open: as it is, in the dark, in forced colours, and 320 pixels wide, which is
    1280 pixels at 400 %."""
    seen = page.viewport_size or {}
    wrong = {"light": violations(page)}
    if language == "zh-CN":  # the colours are those of every language, and nothing else changes in the dark
        page.emulate_media(color_scheme="dark")
        wrong["dark"] = violations(page, CONTRAST)
    page.emulate_media(color_scheme="light", forced_colors="active")
    wrong["moving"] = page.evaluate(STILL_MOVING)
    wrong["forced colours"] = page.evaluate(INVISIBLE)
    page.emulate_media(forced_colors="none")
    if "wall=1" not in page.url:  # a wall has one size
        wrong["covered"] = page.evaluate(COVERED)
        page.set_viewport_size({"width": 320, "height": 640})
        wrong["320 wide"] = page.evaluate(TOO_WIDE)
        if language == "en":  # whose words are the longer ones
            page.set_viewport_size({"width": 390, "height": 844})
            wrong["covered at 390"] = page.evaluate(COVERED)
        page.set_viewport_size({"width": seen["width"], "height": seen["height"]})
    return {what: found for what, found in wrong.items() if found}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("role", "device"), WALKS, ids=[role or "stranger" for role, _ in WALKS])
def test_every_page_is_fit_for_every_eye(
    hospital: Hospital, visit: Visit, role: str, device: dict[str, Any], language: str
) -> None:
    page = visit(role, device=device, language=language)

    found = {name: look(page, language) for name in walk(page, hospital, role)}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) >= FEWEST[role]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_axe_finds_nothing_in_the_admin(hospital: Hospital, visit: Visit, language: str, full: bool) -> None:
    page = visit("admin", device=DESK, language=language)

    found = {name: violations(page) for name in walk(page, hospital, "admin", limit=None if full else ADMIN_PAGES)}
    page.goto("/api/v1/docs/")
    page.wait_for_selector(".opblock")
    found["the API's description"] = violations(page)

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) >= ADMIN_PAGES


# --- by keyboard alone -----------------------------------------------------------------------------------------------


RING = """() => {
  const seen = (node) => node && (getComputedStyle(node).outlineStyle !== "none" || getComputedStyle(node).boxShadow !== "none");
  const now = document.activeElement;
  return Boolean(seen(now) || seen(now.nextElementSibling) || seen(now.parentElement));
}"""


def tab_to(page: Page, selector: str, most: int = 80) -> None:
    """Tab until the element that matches has the focus; the ring around it must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            ring = page.evaluate(RING)
            assert ring, f"no focus ring on {selector}"
            return
    raise AssertionError(f"{selector} is not reached by {most} tabs on {page.url}")


def test_a_nurse_reports_and_confirms_by_keyboard_alone(hospital: Hospital, visit: Visit) -> None:
    page = visit(device=DESK)
    page.goto(hospital.facts["devices"][3]["report_url"])

    tab_to(page, "input[name=in_use]")
    page.keyboard.press("Space")
    tab_to(page, "input[name=symptom]")
    page.keyboard.press("ArrowRight")
    tab_to(page, "#send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/**")

    assert route(page.url) == "ward:track"
    expect(page.locator("h1")).to_be_visible()
    tab_to(page, "a.call")


def test_an_engineer_opens_a_ticket_and_takes_a_step_by_keyboard_alone(hospital: Hospital, visit: Visit) -> None:
    page = visit("engineer", device=DESK)
    page.goto("/field/")

    tab_to(page, ".f-card h3 a, .f-card h2 a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/field/*/")
    tab_to(page, "footer.dock button, footer.dock a.btn")

    assert route(page.url) == "field:ticket"


def test_a_manager_skips_to_the_board_and_opens_a_dialog_that_gives_the_focus_back(
    hospital: Hospital, visit: Visit
) -> None:
    page = visit("manager", device=DESK)
    page.goto("/desk/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    tab_to(page, "tr[data-key] a, .p1card a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/tickets/*/")
    tab_to(page, "[data-open^=dialog]")
    opener = page.evaluate("document.activeElement.outerHTML")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "!!document.activeElement.closest('dialog[open]') || document.activeElement === document.body"
        )
    page.keyboard.press("Escape")

    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.evaluate("document.activeElement.outerHTML") == opener
