"""What people do with their phones in more than one story, and what a phone still owes."""

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.hospital import Hospital

SOON = 30_000


def fill(page: Page, in_use: str) -> None:
    page.locator(f"label:has(input[name=in_use][value={in_use}])").click()
    page.locator("label:has(input[name=symptom])").first.click()


# A demo has thirteen pumps, the tests of one worker report more: each gets one of its own, as like the demo's as twins are.
OF_ITS_OWN = """
from uuid import uuid4
from assets.models import Device
like = Device.objects.filter(type__group__code={group!r}, **{more!r}).order_by("-pk").first()
same = ("type", "department", "location", "name", "name_en", "model", "manufacturer", "criticality")
d = Device.objects.create(
    asset_no=f"T-{{uuid4().hex[:8]}}", serial_no=uuid4().hex, **{{name: getattr(like, name) for name in same}}
)
"""


def untouched(hospital: Hospital, group: str, **more: str) -> str:
    """The report page of a ready device of this group that nobody else knows; `more` narrows where it stands."""
    made = OF_ITS_OWN.format(group=group, more=more)
    token = hospital.ask(f"{made}from assets.register.queries import token_of\nprint(json.dumps(token_of(d)))")
    return f"/q/{token}/"


def lose_the_network(page: Page) -> None:
    """The page knows that it has none any more, and so does a request, when this returns."""
    page.context.set_offline(True)
    page.wait_for_function("() => !navigator.onLine")
    page.wait_for_function("() => fetch('/healthz', { cache: 'no-store' }).then(() => false, () => true)")


def find_the_network(page: Page) -> None:
    page.context.set_offline(False)
    page.wait_for_function("() => navigator.onLine")


def owed(page: Page) -> int:
    return len(json.loads(page.evaluate("localStorage.getItem('wardline.outbox')") or "[]"))


def report(page: Page, hospital: Hospital) -> None:
    """A pump nobody needs just now is reported; the page is its tracking page."""
    page.goto(untouched(hospital, "pump"))
    fill(page, "no")
    page.click("#send")
    page.wait_for_url(re.compile("/t/"), timeout=SOON)


def report_and_close_without_a_network(page: Page, hospital: Hospital, group: str) -> Page:
    """The report waits on the phone; the answer is another page of the same browser, which has a network again."""
    page.goto(untouched(hospital, group))
    fill(page, "no")
    lose_the_network(page)
    page.click("#send")
    expect(page.locator("#undelivered")).to_be_visible(timeout=SOON)
    context = page.context
    page.goto("about:blank")  # a page that closes gets its network back for a moment, and would deliver in it
    page.close()
    context.set_offline(False)
    return context.new_page()


def work_of(hospital: Hospital, username: str) -> str:
    """A ticket at work, in the hands of this engineer."""
    return str(
        hospital.ask(
            "from assets.models import User\n"
            "from tickets.models import Ticket\n"
            "row = Ticket.objects.filter(state='working').order_by('pk').last()\n"
            f"Ticket.objects.filter(pk=row.pk).update(assignee=User.objects.get(username={username!r}))\n"
            "print(json.dumps(row.public_id))"
        )
    )
