"""Voice in a real Chromium with a made-up microphone: recorded here, sent here, played by who may; no outside recogniser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import CHROMIUM, FLAGS, PHONE
from tests.browser.hospital import Hospital
from tests.browser.phone import OF_ITS_OWN, SOON, untouched

pytestmark = pytest.mark.browser
FAKE = [*FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
PLAYS = """async (audio) => {
  audio.muted = true;
  await audio.play();
  await new Promise((done) => (audio.ontimeupdate = () => audio.currentTime > 0 && done()));
  return audio.error === null;
}"""
WORKING = (
    OF_ITS_OWN
    + """
from django.utils import timezone
from assets.models import User
from tickets.lifecycle import services as l
u, now = User.objects.get(username={user!r}), timezone.now()
t = l.submit(device=d, preset=d.type.group.presets.first(), in_use=False, by=None, at=now)
l.assign(t, to=u, by=None, at=now, automatic=True); l.accept(t, by=u, at=now); l.arrive(t, by=u, at=now, scanned=True)
l.start(t, by=u, at=now, decon="cleaned")
print(json.dumps(t.public_id))
"""
)
OUTSIDE = """
window.started = 0;
window.webkitSpeechRecognition = class { start() { window.started += 1; } stop() {} };
window.SpeechRecognition = window.webkitSpeechRecognition;
"""
INSIDE = """
window.asked = [];
window.SpeechRecognition = class {
  static available(what) { window.asked.push(what); return Promise.resolve("available"); }
  constructor() { this.processLocally = false; }
  start() { window.local = this.processLocally; }
  stop() {
    const said = [{ transcript: "电源板坏，更换电源板 PB-12，功能正常，可用" }]; said.isFinal = true;
    this.onresult({ resultIndex: 0, results: [said] }); this.onend();
  }
};
"""


@pytest.fixture(scope="module")
def speaking(chromium: Browser) -> Iterator[Browser]:
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=FAKE)
    yield browser
    browser.close()


@pytest.fixture
def phone(speaking: Browser, hospital: Hospital) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def opened(role: str = "", before: str = "") -> Page:
        options: dict[str, Any] = {**PHONE, "locale": "zh-CN", "base_url": hospital.base_url}
        context = speaking.new_context(**options, ignore_https_errors=True)
        contexts.append(context)
        page = context.new_page()
        if before:
            page.add_init_script(before)
        if role:
            login = hospital.login(role)
            page.goto("/accounts/login/")
            page.fill("input[name=login]", login["username"])
            page.fill("input[name=password]", login["password"])
            with page.expect_navigation():
                page.press("input[name=password]", "Enter")
        return page

    yield opened
    for context in contexts:
        context.close()


def _finish(hospital: Hospital, page: Page) -> str:
    ticket = str(hospital.ask(WORKING.format(group="pump", more={}, user=hospital.login("engineer")["username"])))
    page.goto(f"/field/{ticket}/finish/")
    expect(page.locator("[data-record]")).to_be_visible()
    return ticket


def _speak(page: Page) -> None:
    button = page.locator("[data-record]:visible")
    button.click()
    expect(button).to_contain_text("停止", timeout=SOON)
    expect(button).to_contain_text("1 秒", timeout=SOON)
    button.click()


def test_a_nurse_records_and_the_engineer_hears_it(hospital: Hospital, phone: Callable[..., Page]) -> None:
    ward = phone()
    ward.goto(untouched(hospital, "monitor"))
    ward.locator("label:has(input[name=in_use][value=no])").click()
    ward.locator("label:has(input[name=symptom])").first.click()
    ward.click("#send")
    ward.wait_for_url(re.compile("/t/"), timeout=SOON)
    ward.locator("summary", has_text="语音").click()
    _speak(ward)

    expect(ward.locator("main")).to_contain_text("发的语音，已收到", timeout=SOON)
    ticket = hospital.ask(
        "from tickets.models import Attachment\n"
        "print(json.dumps(Attachment.objects.filter(kind='audio').order_by('-pk').first().ticket.public_id))"
    )
    engineer = phone("engineer")
    engineer.goto(f"/field/{ticket}/")
    player = engineer.locator("audio")
    expect(player).to_have_count(1)
    assert player.evaluate(PLAYS)


def test_an_engineers_note_goes_with_the_sheet_and_no_outside_ear_listens(
    hospital: Hospital, phone: Callable[..., Page]
) -> None:
    page = phone("engineer", before=OUTSIDE)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    ticket = _finish(hospital, page)
    expect(page.locator("[data-record]")).to_contain_text("录一段语音")
    _speak(page)
    expect(page.locator("[data-play]")).to_be_visible()

    for name in ("cause", "action"):
        page.locator(f"label.pick:has(input[name={name}])").first.click()
    page.locator("label.pick:has(input[name=release][value=out_of_use])").click()
    page.fill("input[name=release_note]", "等主板")
    page.locator("button[form=finish]").click()
    expect(page.locator("#sure .lead")).to_contain_text("停用")
    with page.expect_navigation(url=re.compile("/field/$")):
        page.locator("[data-sure]").click()

    kept = hospital.ask(
        "from tickets.models import RepairReport\n"
        f"r = RepairReport.objects.get(ticket__public_id={ticket!r})\n"
        "print(json.dumps([f.kind for f in r.files.all()]))"
    )
    assert kept == ["audio"]
    assert page.evaluate("window.started") == 0
    assert hosts == {urlsplit(hospital.base_url).netloc}


def test_a_recogniser_on_the_device_fills_the_sheet(hospital: Hospital, phone: Callable[..., Page]) -> None:
    page = phone("engineer", before=INSIDE)
    _finish(hospital, page)
    expect(page.locator("[data-record]")).to_contain_text("说一句")

    _speak(page)

    expect(page.locator("[data-said]")).to_contain_text("已填", timeout=SOON)
    expect(page.locator("textarea[name=diagnosis]")).to_have_value("电源板坏，更换电源板 PB-12，功能正常，可用")
    assert page.locator("input[name=cause][value=part]").is_checked()
    assert page.locator("input[name=action][value=replace]").is_checked()
    assert page.locator("input[name=release][value=usable]").is_checked()
    assert page.locator("input[name=part_name]").input_value() == "电源板 PB-12"
    assert page.evaluate("window.asked") == [{"langs": ["zh-CN"], "processLocally": True}]
    assert page.evaluate("window.local") is True


def test_each_value_is_judged_by_itself(hospital: Hospital, phone: Callable[..., Page]) -> None:
    page = phone("engineer")
    _finish(hospital, page)
    boxes = page.locator("input[data-limit]").all()
    assert len(boxes) > 1

    for box in boxes:
        box.fill("1")
    expect(page.locator("[data-verdict].good")).to_have_count(len(boxes))
    boxes[-1].fill("999999")

    expect(page.locator("[data-verdict].bad")).to_have_count(1)
    expect(page.locator("#blocked")).to_be_visible()
    expect(page.locator("label:has(input[name=release][value=usable])")).to_be_hidden()


def test_a_value_below_nothing_has_not_passed(hospital: Hospital, phone: Callable[..., Page]) -> None:
    page = phone("engineer")
    _finish(hospital, page)
    box = page.locator("input[data-limit]").first
    verdict = page.locator("[data-verdict]").first

    box.fill("-5")

    expect(verdict).to_contain_text("不能小于 0")
    expect(verdict).not_to_contain_text("合格")
    expect(page.locator("[data-verdict].good")).to_have_count(0)
    box.fill("0")
    expect(verdict).to_contain_text("合格")
