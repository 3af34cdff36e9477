"""`make screenshots`: the tour's pictures, from a demo hospital of their own. Look at them before you commit them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import servers
import setup
from playwright.sync_api import Browser, Page, sync_playwright

TARGET = Path(setup.ROOT, "static", "img", "tour")
PHONE, DESK, WALL = (390, 844), (1440, 900), (1920, 1080)
SETTLED = 3.0  # seconds after a report until dispatch has answered
SLOWEST_START = 120.0


class Shot(NamedTuple):
    name: str
    path: str  # {report}, {ticket}, {done}: pages of the story below
    role: str
    size: tuple[int, int]
    language: str = "zh-CN"


SHOTS = [
    Shot("1-report", "{report}", "", PHONE),
    Shot("1-report-en", "{report}", "", PHONE, "en"),
    Shot("2-field", "/field/", "engineer", PHONE),
    Shot("2-field-en", "/field/", "engineer", PHONE, "en"),
    Shot("3-desk", "/desk/", "dispatcher", DESK),
    Shot("3-desk-en", "/desk/", "dispatcher", DESK, "en"),
    Shot("3-ticket", "/desk/tickets/{ticket}/", "dispatcher", DESK),
    Shot("3-wall", "/desk/?wall=1", "manager", WALL),
    Shot("4-confirm", "{done}", "", PHONE),
    Shot("4-confirm-en", "{done}", "", PHONE, "en"),
    Shot("5-admin", "/admin/", "manager", DESK),
    Shot("5-admin-en", "/admin/", "manager", DESK, "en"),
]
REPAIR = [
    ("accept", {}),
    ("depart", {"eta_minutes": 5}),
    ("arrive", {"scanned": True}),
    ("start", {"decon": "cleaned"}),
    ("resolve", {"cause": "part", "action": "replace", "release": "usable"}),
]


@contextlib.contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """A running demo hospital in a folder of its own; yields what `demo --json` says."""
    port = servers.free_port()
    with tempfile.TemporaryDirectory(prefix="wardline-shots-") as folder:
        base = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "DATA_DIR": folder, "PORT": str(port), "PUBLIC_BASE_URL": base}
        command = [setup.PYTHON, "manage.py", "run"]
        server = subprocess.Popen(command, cwd=setup.ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"{base}/readyz", server)
            facts = subprocess.run(
                [setup.PYTHON, "manage.py", "demo", "--json"],
                cwd=setup.ROOT, env=environment, check=True, capture_output=True, text=True,
            )  # fmt: skip
            yield json.loads(facts.stdout)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    limit = time.monotonic() + SLOWEST_START
    while time.monotonic() < limit and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    setup.stop("The demo did not get ready.")


def sign_in(page: Page, base: str, login: Mapping[str, str]) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("input[name=login]", login["username"])
    page.fill("input[name=password]", login["password"])
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


class Caller:
    """One role on the REST API."""

    def __init__(self, facts: Mapping[str, Any], role: str) -> None:
        self.base = facts["base_url"] + "/api/v1/"
        self.headers = {"Content-Type": "application/json"}
        login = next(login for login in facts["logins"] if login["role"] == role)
        self.name = login["username"]
        token = self.call("auth/token/", {"username": self.name, "password": login["password"]})["token"]
        self.headers["Authorization"] = f"Token {token}"

    def call(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, self.headers)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            setup.stop(f"{path} answers {error.code}: {error.read().decode()}")


def tell_the_story(facts: Mapping[str, Any]) -> dict[str, str]:
    """One ticket repaired and waiting for the ward, one still open, so that every page has something to say."""
    dispatcher, engineer = Caller(facts, "dispatcher"), Caller(facts, "engineer")
    tickets = []
    for device in facts["devices"][1:3]:
        symptom = dispatcher.call(f"devices/{device['public_id']}/")["symptoms"][0]["code"]
        report = {"device": device["public_id"], "symptom": symptom, "in_use": True, "danger": []}
        tickets.append(dispatcher.call("tickets/", report))
    done = tickets[0]
    time.sleep(SETTLED)  # dispatch sends somebody by itself; the picture needs this engineer
    if dispatcher.call(f"tickets/{done['id']}/")["assignee"] != engineer.name:
        dispatcher.call(f"tickets/{done['id']}/assign/", {"to": engineer.name, "reason": "离得最近"})
    for verb, body in REPAIR:
        engineer.call(f"tickets/{done['id']}/{verb}/", body)
    report_page = facts["devices"][0]["report_url"]
    return {"report": report_page, "ticket": tickets[1]["id"], "done": done["tracking_url"]}


def take(browser: Browser, facts: Mapping[str, Any], pages: Mapping[str, str], shot: Shot) -> None:
    width, height = shot.size
    phone = shot.size == PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale=shot.language, is_mobile=phone, has_touch=phone,
        device_scale_factor=2 if phone else 1, timezone_id="Asia/Shanghai",
    )  # fmt: skip
    page = context.new_page()
    base = facts["base_url"]
    if shot.role:
        sign_in(page, base, next(login for login in facts["logins"] if login["role"] == shot.role))
    path = shot.path.format(**pages).removeprefix(base)
    answer = page.goto(base + path)
    if answer is None or not answer.ok:
        setup.stop(f"{shot.name}: {path} answers {answer.status if answer else 'nothing'}.")
    page.wait_for_timeout(1500)  # live parts draw after the page has loaded
    page.screenshot(path=str(TARGET / f"{shot.name}.png"))
    context.close()
    print(f"{shot.name}.png", flush=True)


def main() -> None:
    wanted = sys.argv[1:]
    TARGET.mkdir(parents=True, exist_ok=True)
    with demo() as facts, sync_playwright() as engine:
        pages = tell_the_story(facts)
        chromium = shutil.which("chromium") or shutil.which("chromium-headless-shell")
        browser = engine.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shot in SHOTS:
            if not wanted or shot.name in wanted:
                take(browser, facts, pages, shot)
        browser.close()


if __name__ == "__main__":
    main()
