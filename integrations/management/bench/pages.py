"""What the three front pages weigh over the wire and when a slow phone can use them, in real Chromium."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import CommandError

from assets.models import Device, User
from assets.register.queries import report_url
from integrations.management.bench.figures import Figures, goal
from integrations.management.bench.house import House, house, session_of
from tickets.models import Ticket

# Lighthouse's "slow 4G" phone: 1.6 Mbit/s down, 150 ms round trip, processor four times slower.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOWER_PROCESSOR = 4
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}


def bench_pages(runs: int) -> Figures:
    """Cold cache each time. Interactive = scripts and style are in and the main thread was quiet for 100 ms."""
    times = max(1, min(runs // 20, 5))
    with house("web") as home:
        addresses = _addresses(home)  # playwright's loop lets nobody ask the database
        with _browser() as browser:
            parts = [_measured(browser, home, *page, times) for page in addresses]
            ward = dict(_without_scripts(browser, addresses[0][1]))
    report = parts[0]
    report["without_javascript"] = "works" if ward["usable"] else "does not work"
    report |= goal("<= 60 KB, works without JavaScript", met=report["transfer_kb"] <= 60 and ward["usable"])
    return {"parts": [report, *parts[1:]]}


def _addresses(home: House) -> list[tuple[str, str, str]]:
    """Name, address and the cookie of who looks."""
    device = Device.objects.for_display().filter(tickets__isnull=True, status__in=["ready", "in_use"])[0]
    token = report_url(device).split("/q/", 1)[1]
    engineer = User.objects.filter(role="engineer", tickets__in=Ticket.objects.open()).first()
    engineer = engineer or User.objects.filter(role="engineer")[0]
    return [
        ("ward report", f"{home.base}/q/{token}", ""),
        ("field", f"{home.base}/field/", session_of(engineer)),
        ("desk", f"{home.base}/desk/", session_of(User.objects.filter(role="dispatcher")[0])),
    ]


def _measured(browser: Any, home: House, name: str, url: str, cookie: str, times: int) -> Figures:
    found: list[Figures] = [_visit(browser, home, url, cookie) for _n in range(times)]
    middle: Callable[[str], float] = lambda key: round(statistics.median(one[key] for one in found), 1)  # noqa: E731
    keys = ("transfer_kb", "requests", "first_paint_ms", "interactive_ms")
    return {"part": name, "n": times, **{key: middle(key) for key in keys}} | goal("told, no goal", met=True)


def _visit(browser: Any, home: House, url: str, cookie: str) -> Figures:
    context = browser.new_context(**PHONE, locale="zh-CN", service_workers="block")
    if cookie:
        name, value = cookie.split("=", 1)
        context.add_cookies([{"name": name, "value": value, "url": home.base}])
    page = context.new_page()
    link = context.new_cdp_session(page)
    weight = {"bytes": 0, "requests": 0}
    link.send("Network.enable")
    link.send("Network.emulateNetworkConditions", SLOW)
    link.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_PROCESSOR})

    def loaded(event: dict[str, Any]) -> None:
        weight["bytes"] += int(event["encodedDataLength"])
        weight["requests"] += 1

    link.on("Network.loadingFinished", loaded)
    answer = page.goto(url, wait_until="load", timeout=60_000)
    if answer is None or answer.status != 200:
        raise CommandError(f"{url} answered {answer.status if answer else 'nothing'}")
    interactive = page.evaluate(_QUIET)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    context.close()
    return {
        "transfer_kb": weight["bytes"] / 1024,
        "requests": weight["requests"],
        "first_paint_ms": paint,
        "interactive_ms": interactive,
    }


_QUIET = """() => new Promise(done => {
  let last = performance.now(), quiet = last;
  const look = () => {
    const now = performance.now();
    if (now - last > 50) quiet = now;
    last = now;
    if (now - quiet >= 100) done(quiet); else setTimeout(look, 10);
  };
  setTimeout(look, 10);
})"""


def _without_scripts(browser: Any, url: str) -> Iterator[tuple[str, bool]]:
    """A form that posts, with a tile to choose, is there before any script ran."""
    context = browser.new_context(**PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    yield "usable", page.locator("button[type=submit][form]").count() > 0
    context.close()


@contextmanager
def _browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise CommandError("`bench pages` needs the development requirements (playwright)") from error
    known = ("chromium", "chromium-browser", "chromium-headless-shell")
    path = next(filter(None, map(shutil.which, known)), None)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
