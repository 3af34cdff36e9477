"""The main job in real Chromium: scan, three taps, the engineer's phone, the ward confirms; a desk watches it live."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.browser.conftest import DESK
from tests.browser.hospital import Hospital

pytestmark = [
    pytest.mark.browser,
    pytest.mark.database,
    pytest.mark.xdist_group("journey"),
]  # its hospital is made once

SOON = 20_000  # ms; a loaded machine, not a promise
ALERT_WITHIN = 5_000  # ms between the due time and the desk's screen


@dataclass
class Watch:
    """A desk page, the facts that its sockets brought, and a mark that only a reload would wipe away."""

    page: Page
    facts: list[dict[str, Any]] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.goto("about:blank")  # signing in may land on the desk, and that page's socket is not this one's
        self.page.on("websocket", self._listen)
        self.page.goto("/desk/")
        self.page.wait_for_function("document.querySelector('#roster li, #roster article, #roster .row')", timeout=SOON)
        self.page.evaluate("window.sameDocument = true")

    def _listen(self, socket: WebSocket) -> None:
        self.sockets.append(socket.url)
        socket.on("framereceived", self._receive)

    def _receive(self, frame: str | bytes) -> None:
        fact = json.loads(frame)
        if "subject" in fact:
            self.facts.append(fact)

    def shows(self, ticket: str, word: str) -> None:
        """The row of this ticket says `word`."""
        expect(self.page.locator(f"tr[data-key='{ticket}'] .st")).to_have_text(word, timeout=SOON)

    def alerts(self, number: str, sentence: str) -> float:
        """When the feed says it of this ticket, on the browser's clock in milliseconds."""
        said = """([no, what]) => [...document.querySelectorAll(".feed li")]
            .some((line) => line.innerText.replace(/\\s+/g, " ").includes(`${no} ${what}`)) && Date.now()"""
        return float(self.page.wait_for_function(said, arg=[number, sentence], polling=50, timeout=SOON).json_value())

    def has_seen(self, *types: str, of: str) -> None:
        """These facts of one ticket came, each once, in this order; no seq twice and none left out."""
        numbers = [fact["seq"] for fact in self.facts]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        told = [fact["type"] for fact in self.facts if fact["subject"] == f"ticket:{of}" and fact["type"] in types]
        assert told == list(types)

    def was_never_reloaded(self) -> None:
        assert self.page.evaluate("window.sameDocument") is True


@dataclass
class Story:
    """One ticket as its people see it: the ward's phone, the engineer's phone, the desk."""

    hospital: Hospital
    visit: Callable[..., Page]
    device: dict[str, str]
    ward: Page
    desk: Watch
    ticket: str = ""
    number: str = ""

    def scan(self) -> None:
        self.ward.goto(self.device["report_url"])

    def choose(self) -> int:
        """Two taps: in use, what is wrong."""
        self.ward.locator("label.pick:has(input[name=in_use][value=yes])").tap()
        self.ward.locator("label.pick:has(input[name=symptom])").first.tap()
        return 2

    def send(self) -> int:
        self.ward.locator("#send").tap()
        return 1

    def receipt(self) -> None:
        self.ward.wait_for_url(re.compile("/t/"), timeout=SOON)
        expect(self.ward.locator("header.band h1")).to_have_text("已送达")
        told = self.hospital.ask(
            "from tickets.models import Ticket; t = Ticket.objects.latest('pk');"
            "print(json.dumps([t.public_id, t.short_number, t.device.public_id, t.client_id is not None]))"
        )
        self.ticket, self.number, device, _ = told
        assert device == self.device["public_id"]
        expect(self.ward.locator("header.band p")).to_contain_text(self.number)

    def engineer(self) -> Page:
        """The phone of whoever the worker sent."""
        self.desk.shows(self.ticket, "已派单")
        username = self.hospital.ask(
            "from tickets.models import Ticket;"
            f"print(json.dumps(Ticket.objects.get(public_id='{self.ticket}').assignee.username))"
        )
        phone = self.visit("engineer", username=username)
        phone.goto("/field/")
        return phone

    def accept(self, phone: Page) -> None:
        phone.locator(f"article[data-key='{self.ticket}'] a").first.tap()
        self.step(phone, "accept")
        self.desk.shows(self.ticket, "已接单")

    def step(self, phone: Page, verb: str) -> None:
        with phone.expect_navigation():
            phone.locator(f"form[action$='/do/{verb}/'] button.main").tap()
        expect(phone.locator("[role=alert]")).to_have_count(0)

    def repair(self, phone: Page) -> None:
        """Arrive by the device's short code, declare decontamination, start, fill the sheet."""
        phone.fill("input[name=scan]", self.device["short_code"])
        self.step(phone, "arrive")
        self.desk.shows(self.ticket, "已到场")
        phone.locator("label.pick:has(input[name=decon][value=cleaned])").tap()
        self.step(phone, "start")
        self.desk.shows(self.ticket, "维修中")
        phone.locator("a.main[href$='/finish/']").tap()
        phone.wait_for_url(re.compile("/finish/$"))
        for name in ("cause", "action"):
            phone.locator(f"label.pick:has(input[name={name}])").first.tap()
            expect(phone.locator(f"input[name={name}]").first).to_be_checked()
        for box in phone.locator("input[name^=test_]").all():
            box.fill("1")
        phone.locator("input[name=function_ok]").check()
        phone.locator("label.pick:has(input[name=release][value=usable])").tap()
        with phone.expect_navigation():
            phone.locator("button[form=finish]").tap()
            phone.locator("#sure [data-sure]").tap()
        assert phone.locator("[role=alert]").all_inner_texts() == []
        phone.wait_for_url(re.compile("/field/$"))
        self.desk.shows(self.ticket, "待验收")

    def confirm(self) -> None:
        """The ward's page followed by itself; it confirms, and the ticket leaves the board."""
        button = self.ward.locator("#confirm button")
        button.wait_for(timeout=SOON)
        name = self.ward.locator("input[name=name][form=confirm]")
        if name.count():
            name.fill("陈护士")
        button.tap()
        expect(self.ward.locator("header.band.done")).to_be_visible(timeout=SOON)
        expect(self.desk.page.locator(f"tr[data-key='{self.ticket}']")).to_have_count(0, timeout=SOON)

    def state(self) -> list[Any]:
        """State, how often arrival was announced late, and how many tickets this device got from this report."""
        return self.hospital.ask(
            "from tickets.models import Ticket; from config.kernel.models import EventRecord;"
            f"t = Ticket.objects.get(public_id='{self.ticket}');"
            "late = EventRecord.objects.filter(type='SlaBreached', subject='ticket:' + t.public_id, data__metric='arrival');"
            "print(json.dumps([t.state, late.count(), Ticket.objects.filter(device=t.device,"
            " reported_at__gte=t.reported_at).count()]))"
        )

    def bring_arrival_forward(self, seconds: int) -> float:
        """Let the arrival be due in so many seconds, as if the report were older; the due time as a browser's clock says it."""
        return self.hospital.ask(
            "from datetime import timedelta; from django.utils import timezone; from tickets.models import Clock;"
            f"c = Clock.objects.get(ticket__public_id='{self.ticket}', metric='arrival');"
            "assert c.calendar.code == 'always', c.calendar;"
            f"by = c.due_at - (timezone.now() + timedelta(seconds={seconds}));"
            "c.started_at -= by; c.due_at -= by; c.warn_at -= by; c.next_at = c.warn_at; c.save();"
            "print(json.dumps(c.due_at.timestamp() * 1000))"
        )


IDLE = """
from datetime import timedelta
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from assets.models import Location, Qualification, Skill, User
from dispatch.models import Engineer, EngineerQualification, EngineerSkill, Shift
from tickets.models import Ticket
now = timezone.now()
secret = make_password(%r)
# Hands for each that waits, also when nobody accepts it and it is given to the next: a P1 without an idle hand would call
# the engineer of a story off his ticket.
for n in range(3 * Ticket.objects.filter(assignee=None).open().count() + 6):
    account = User.objects.create_user(username=f"idle{n}", role="engineer", display_name=f"闲工{n}")
    User.objects.filter(pk=account.pk).update(password=secret)
    one = Engineer.objects.create(user=account, base=Location.objects.first(), max_open=9)
    EngineerSkill.objects.bulk_create(EngineerSkill(engineer=one, skill=s, level=3) for s in Skill.objects.all())
    EngineerQualification.objects.bulk_create(
        EngineerQualification(engineer=one, qualification=q, valid_until=(now + timedelta(days=99)).date())
        for q in Qualification.objects.all()
    )
    Shift.objects.create(engineer=one, starts_at=now - timedelta(hours=2), ends_at=now + timedelta(hours=6))
print(1)
"""


@pytest.fixture(scope="module")
def somebody_free(hospital: Hospital) -> None:
    """The demo's own engineers may all be busy, or asleep, at the hour of the test."""
    hospital.ask(IDLE % hospital.login("engineer")["password"])


@pytest.fixture
def story(hospital: Hospital, somebody_free: None, visit: Callable[..., Page]) -> Callable[[int], Story]:
    def begin(device: int) -> Story:
        desk = Watch(visit("manager", device=DESK))
        desk.open()
        return Story(hospital, visit, hospital.facts["devices"][device], visit(), desk)

    return begin


WHOLE_STORY = ("TicketSubmitted", "TicketTriaged", "TicketAssigned", "TicketAccepted", "TicketArrived", "WorkStarted",
               "TicketResolved", "VerificationRequested", "TicketClosed")  # fmt: skip


def test_from_scan_to_closed_while_a_desk_watches_every_step(story: Callable[[int], Story]) -> None:
    one = story(0)

    one.scan()
    taps = one.choose() + one.send()
    one.receipt()
    phone = one.engineer()
    one.accept(phone)
    due = one.bring_arrival_forward(seconds=4)
    late_by = one.desk.alerts(one.number, "到场超时") - due
    one.repair(phone)
    one.confirm()

    assert taps == 3
    assert 0 <= late_by <= ALERT_WITHIN
    assert one.state() == ["closed", 1, 1]
    one.desk.has_seen(*WHOLE_STORY, of=one.ticket)
    one.desk.has_seen("SlaBreached", of=one.ticket)
    one.desk.was_never_reloaded()
    assert len(one.desk.sockets) == 1


def test_the_web_process_dies_in_the_middle_and_nothing_is_lost(story: Callable[[int], Story]) -> None:
    one = story(1)
    hospital = one.hospital

    one.scan()
    one.choose()
    hospital.kill("web")
    one.send()
    expect(one.ward.locator("#undelivered")).to_be_visible(timeout=SOON)
    hospital.start_web()
    one.receipt()  # the phone tried again by itself, with the same client_id
    phone = one.engineer()
    one.accept(phone)
    known = len(one.desk.facts)

    hospital.kill("web")
    one.bring_arrival_forward(seconds=1)
    hospital.wait_until(lambda: one.state()[1] == 1)  # the clock goes on without any web process
    assert len(one.desk.facts) == known
    hospital.start_web()
    one.desk.alerts(one.number, "到场超时")
    phone.reload()
    one.repair(phone)
    one.confirm()

    assert one.state() == ["closed", 1, 1]
    one.desk.has_seen(*WHOLE_STORY, of=one.ticket)
    one.desk.has_seen("SlaBreached", of=one.ticket)
    one.desk.was_never_reloaded()
    assert len(one.desk.sockets) >= 2
