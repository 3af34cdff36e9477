"""What a nurse does with her phone, and what the phone still owes."""

import json

from playwright.sync_api import Page

from tests.browser.hospital import Hospital

SOON = 30_000


def fill(page: Page, in_use: str) -> None:
    page.locator(f"label:has(input[name=in_use][value={in_use}])").click()
    page.locator("label:has(input[name=symptom])").first.click()


def untouched(hospital: Hospital, group: str, **more: str) -> str:
    """The report page of a ready device of this group that nobody has reported; `more` narrows the devices."""
    token = hospital.ask(
        "from assets.register.queries import token_of\n"
        "from assets.models import Device\n"
        "from tickets.record.models import OPEN\n"
        f"rows = Device.objects.filter(type__group__code={group!r}, status='ready', **{more!r}).exclude(tickets__state__in=OPEN)\n"
        "print(json.dumps(token_of(rows.order_by('-pk').first())))"
    )
    return f"/q/{token}/"


def owed(page: Page) -> int:
    return len(json.loads(page.evaluate("localStorage.getItem('wardline.outbox')") or "[]"))
