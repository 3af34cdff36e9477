"""Every role opens its pages in both languages: no script error, nothing the security policy had to stop, nothing untranslated."""

import re

import pytest

from tests.browser.conftest import DESK, PHONE

pytestmark = pytest.mark.browser

CHINESE = re.compile(r"[\u3400-\u9fff]+")
PAGES = [
    ("", PHONE, "{report}"),
    ("engineer", PHONE, "/field/"),
    ("manager", DESK, "/desk/"),
    ("manager", DESK, "/desk/tickets/"),
    ("manager", DESK, "/desk/?wall=1"),
    ("manager", DESK, "/admin/"),
    ("admin", DESK, "/admin/assets/device/"),
    ("admin", DESK, "/admin/tickets/ticket/"),
    ("admin", DESK, "/api/v1/docs/"),
]
OWN_NAMES = {"中文", "简体中文", "简体"}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    ("role", "device", "path"), PAGES, ids=[f"{role or 'stranger'} {path}" for role, _, path in PAGES]
)
def test_a_page_opens_without_a_complaint(hospital, visit, role, device, path, language):
    page = visit(role, device=device, language=language)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    answer = page.goto(path.format(report=hospital.facts["devices"][0]["report_url"]))
    page.wait_for_load_state("load")

    assert answer.status == 200
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), (
        "the page is wider than the screen"
    )


@pytest.mark.parametrize(("role", "device", "path"), [PAGES[0], PAGES[1], PAGES[2]], ids=["report", "field", "desk"])
def test_an_english_page_says_nothing_in_chinese_but_names(hospital, visit, role, device, path):
    page = visit(role, device=device, language="en")

    page.goto(path.format(report=hospital.facts["devices"][0]["report_url"]))
    labels = page.eval_on_selector_all(
        "h1, h2, h3, button, label, th, legend, nav a", "all => all.map(one => one.innerText)"
    )

    found = {word for label in labels for word in CHINESE.findall(label)} - OWN_NAMES
    assert found == set()
