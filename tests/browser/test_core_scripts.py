"""core.js and live.js in real Chromium, without a server: the same words as Python, one fact once, honest about silence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Browser, Page, Route

from config.kernel import words

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://wardline.test"
SPANS = [
    0,
    1,
    12,
    59,
    60,
    72,
    299,
    300,
    301,
    2280,
    3599,
    3600,
    7200,
    7500,
    13_132,
    86_399,
    86_400,
    90_061,
    259_200,
    273_600,
]

FAKE_SOCKET = """
window.sockets = [];
window.WebSocket = class extends EventTarget {
  constructor(url) { super(); this.url = String(url); window.sockets.push(this); }
  close() { this.closed = true; }
  say(fact) { this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(fact) })); }
  end(code) { this.dispatchEvent(new CloseEvent("close", { code })); }
};
"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page()
    opened.clock.install(time="2026-11-20T14:29:00+08:00")
    yield opened
    opened.close()


def show(page: Page, body: str = "", language: str = "zh-hans") -> None:
    """Serve one page with the words of `language`, and our scripts, from a made-up origin."""
    with translation.override(language):
        given = json.dumps(words.js_words())
    html = f"""<!doctype html><html data-tz="Asia/Shanghai"><meta name="server-time" content="2026-11-20T14:29:00+08:00">
      <script id="words" type="application/json">{given}</script><body>{body}<div id="toasts"></div>
      <script type="module" src="/static/js/core.js"></script></body></html>"""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN)
        if path.startswith("/static/"):
            route.fulfill(body=(ROOT / path.lstrip("/")).read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route(f"{ORIGIN}/**", answer)
    page.add_init_script(FAKE_SOCKET)
    page.goto(f"{ORIGIN}/")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_scripts_and_server_say_spans_in_the_same_words(page, language):
    spans = SPANS + [-s for s in SPANS if s]
    show(page, language=language)

    said = page.evaluate(
        """async (spans) => { const core = await import("/static/js/core.js");
             return spans.map((s) => [core.clock(s), core.spoken(s), core.due(s), core.ringFigure(s)]); }""",
        spans,
    )

    with translation.override(language):
        expected = [[words.clock(s), words.spoken(s), words.due(s), list(words.ring_figure(s))] for s in spans]
    assert said == expected


RING = """<span role="img" aria-label="距到场 2 分"><span class="ring ok" data-due="2026-11-20T14:31:02+08:00" data-form="ring"
  data-target="到场" data-total="600"><svg></svg><span class="v"><b>2:02</b></span></span></span>"""


def test_a_ring_counts_down_turns_amber_and_then_says_overdue_once(page):
    show(page, RING)
    page.evaluate("document.addEventListener('wardline:overdue', () => { window.news = (window.news ?? 0) + 1; })")
    ring = page.locator(".ring")

    page.clock.run_for(3_000)
    assert ring.get_attribute("class") == "ring warn"
    assert page.locator(".ring svg.tri").count() == 1

    page.clock.run_for(121_000)
    assert ring.get_attribute("class") == "ring breach"
    assert page.locator(".ring .disc").count() == 1
    assert page.evaluate("window.news") == 1


def test_a_limit_that_was_late_before_the_page_came_is_no_news(page):
    show(page, '<div class="due"><b data-due="2026-11-20T14:26:42+08:00" data-form="due"></b></div>')
    page.evaluate("document.addEventListener('wardline:overdue', () => { window.news = 1; })")

    page.clock.run_for(2_000)

    assert page.locator("b").inner_text().startswith("+2:2")
    assert page.evaluate("window.news") is None


START = """async (after) => { const { Feed } = await import("/static/js/live.js");
  window.facts = []; window.states = [];
  window.feed = new Feed("/ws/desk/", { after, onEvent: (f) => facts.push(f.seq), onState: (s) => states.push(s.state) }); }"""


def test_facts_arrive_once_and_in_order_and_a_new_socket_resumes_after_the_last(page):
    show(page)
    page.evaluate(START, 40)
    assert page.evaluate("sockets[0].url") == "ws://wardline.test/ws/desk/?after=40"

    page.evaluate("for (const seq of [41, 42, 42, 41, 43]) sockets[0].say({ seq, type: 'TicketAccepted' })")
    page.evaluate("sockets[0].say({ type: 'heartbeat', at: '2026-11-20T14:29:00+08:00', seq: 50 })")
    page.evaluate("sockets[0].end(1006)")
    page.clock.run_for(600)

    assert page.evaluate("facts") == [41, 42, 43]
    assert page.evaluate("sockets.length") == 2
    assert page.evaluate("sockets[1].url") == "ws://wardline.test/ws/desk/?after=43"


def test_ten_silent_seconds_are_stale_and_the_next_word_is_live_again(page):
    show(page)
    page.evaluate(START, 0)
    page.evaluate("sockets[0].say({ type: 'heartbeat', at: new Date().toISOString(), seq: 0 })")

    page.clock.run_for(12_000)
    assert page.evaluate("feed.state") == "stale"

    page.evaluate("sockets[0].say({ type: 'heartbeat', at: new Date().toISOString(), seq: 0 })")
    assert page.evaluate("feed.state") == "live"


def test_a_dead_socket_is_replaced_without_being_told(page):
    show(page)
    page.evaluate(START, 7)
    page.evaluate("sockets[0].say({ type: 'heartbeat', at: new Date().toISOString(), seq: 7 })")

    page.clock.run_for(25_000)

    assert page.evaluate("sockets[0].closed") is True
    assert page.evaluate("sockets.length") >= 2


def test_a_signed_out_reader_stops_asking(page):
    show(page)
    page.evaluate(START, 7)
    page.evaluate("sockets[0].end(4401)")

    page.clock.run_for(60_000)

    assert page.evaluate("feed.state") == "refused"
    assert page.evaluate("sockets.length") == 1
    said = page.evaluate(
        """async () => { const node = document.body.appendChild(document.createElement("p"));
             (await import("/static/js/live.js")).liveMark(node)({ state: "refused", at: Date.now() });
             return node.textContent; }"""
    )
    assert said.endswith("刷新这一页再继续")


def test_text_from_people_stays_text_in_a_toast(page):
    show(page)
    page.evaluate("""async () => (await import("/static/js/core.js")).toast("<img src=x onerror=alert(1)>")""")

    assert page.locator("#toasts img").count() == 0
    assert page.locator("#toasts .toast").inner_text() == "<img src=x onerror=alert(1)>"


def test_an_alarm_does_not_hide_the_answer_to_what_somebody_did(page):
    show(page)

    page.evaluate(
        """async () => { const { toast } = await import("/static/js/core.js");
             toast("已填回"); toast("P1 0026 响应超时", { kind: "alarm" }); toast("P2 0031 响应超时", { kind: "alarm" }); }"""
    )

    assert page.locator("#toasts .toast").all_inner_texts() == ["已填回", "P2 0031 响应超时"]


def test_a_form_is_sent_once_however_often_it_is_pressed(page):
    show(page, '<form method="post" action="/never" target="elsewhere"><button class="btn">发送</button></form>')

    prevented = page.evaluate(
        """() => { const form = document.querySelector("form");
             const press = () => new SubmitEvent("submit", { bubbles: true, cancelable: true, submitter: form.querySelector("button") });
             return [1, 2].map(() => !form.dispatchEvent(press())); }"""
    )

    assert prevented == [False, True]
    assert page.locator("button").get_attribute("aria-busy") == "true"


def test_without_a_network_a_form_stays_with_what_was_typed_and_goes_later(page):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    show(page, '<form method="post" action="/step/"><input name="note"><button>走</button></form>')
    page.fill("input[name=note]", "换了电源板")

    page.context.set_offline(True)
    page.wait_for_function("() => !navigator.onLine")
    page.click("button")

    page.wait_for_selector(".toast")
    assert page.inner_text(".toast") == words.js_words()["offline"]
    assert (page.input_value("input[name=note]"), sent) == ("换了电源板", [])

    page.context.set_offline(False)
    page.wait_for_function("() => navigator.onLine")
    with page.expect_request("**/step/"):
        page.click("button")
