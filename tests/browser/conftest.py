"""One Chromium and one running hospital for all browser tests of a run."""

import shutil
from collections.abc import Callable, Generator, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests.browser.hospital import Hospital
from tests.furnished import of_this_run

# The same engine without tabs and address bar, which cost two thirds of opening a page; the whole browser otherwise.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# The shell ends a page that asks whether the device understands speech; like this it has no such answer to give.
FLAGS = ["--no-sandbox", "--disable-blink-features=OnDeviceWebSpeechAvailable"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
DESK = {"viewport": {"width": 1440, "height": 900}}

SHOWN = pytest.StashKey[list[BrowserContext]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails tells what its pages showed: on a machine one cannot visit, the assertion alone says little."""
    report = yield
    if report.when == "call" and report.failed:
        for page in (page for context in item.stash.get(SHOWN, []) for page in context.pages):
            try:
                report.sections.append((page.url, page.inner_text("body", timeout=2_000)[:2_000]))
            except Error as gone:
                report.sections.append((page.url, gone.message))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hospital(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    if there := getattr(request.config, "running_hospital", None):  # `.ci/production.py --journeys` brings its own
        yield there
        return
    place = Hospital(tmp_path_factory.mktemp("hospital"), of_this_run(tmp_path_factory.getbasetemp()))
    try:
        place.start()
        yield place
    finally:
        place.stop()


@pytest.fixture
def visit(chromium: Browser, hospital: Hospital, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """A page of one's own: `visit()` is a stranger with a phone, `visit("engineer")` signed in, `device=DESK` a desk.

    The demo has one password for each role, so `username` names another person of that role. `zone` is what the phone thinks it is in.
    """
    contexts: list[BrowserContext] = []
    request.node.stash[SHOWN] = contexts

    def opened(
        role: str = "",
        device: dict[str, object] = PHONE,
        language: str = "zh-CN",
        username: str = "",
        zone: str = "Asia/Shanghai",
    ) -> Page:
        context = chromium.new_context(
            **device,
            locale=language,
            timezone_id=zone,
            base_url=hospital.base_url,
            reduced_motion="reduce",
            ignore_https_errors=True,
        )
        contexts.append(context)
        page = context.new_page()
        if role:
            login = hospital.login(role)
            page.goto("/accounts/login/")
            page.fill("input[name=login]", username or login["username"])
            page.fill("input[name=password]", login["password"])
            with page.expect_navigation():
                page.press("input[name=password]", "Enter")
        return page

    yield opened
    for context in contexts:
        context.close()
