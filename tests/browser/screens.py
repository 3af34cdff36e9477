"""Every page that a person can open: a walk over the links of the running hospital, one page for each route."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.browser.hospital import Hospital

# Not pages: they change something, send a file, or belong to another role's walk.
NO_PAGES = {
    "account_logout",
    "admin:logout",
    "file",
    "desk:export",
    "mfa_download_recovery_codes",
    "api-schema",
    "admin:jsi18n",
}
SEEDS = {
    "": ["/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/q/", "/nowhere/"],
    "nurse": ["/ward/", "/notifications/"],
    "engineer": ["/field/", "/field/waiting/", "/field/scan/", "/field/me/", "/notifications/", "/desk/tickets/"],
    "manager": [
        "/desk/",
        "/desk/?wall=1",
        "/desk/tickets/",
        "/desk/tickets/new/",
        "/notifications/",
        "/notifications/call/",
        "/accounts/password/change/",
        "/accounts/2fa/",
    ],
    "admin": ["/admin/"],
}
TICKETS = """
from tickets.models import Ticket
def newest(states, **more):
    rows = [Ticket.objects.filter(state=state, **more).order_by("-pk").first() for state in states]
    return [row for row in rows if row]
seen = newest(("new", "assigned", "working", "verifying", "closed", "cancelled"))
mine = newest(("assigned", "accepted", "arrived", "working", "paused"), assignee__username=%r)
print(json.dumps({"tracks": [t.tracking_token for t in seen], "mine": [t.public_id for t in mine]}))
"""


def seeds(hospital: Hospital, role: str) -> list[str]:
    """Where the walk of this role begins: its landing pages, and its tickets in every state that there is."""
    found = list(SEEDS[role])
    if role == "":
        tickets = hospital.ask(TICKETS % "")
        found += [device["report_url"] for device in hospital.facts["devices"]] + [
            f"/t/{token}/" for token in tickets["tracks"]
        ]
    if role == "engineer":
        tickets = hospital.ask(TICKETS % hospital.login("engineer")["username"])
        found += [f"/field/{ticket}/{leaf}" for ticket in tickets["mine"] for leaf in ("", "finish/", "more/")]
    return found


def route(address: str) -> str:
    """The name of the route behind an address of this hospital; "" when there is none."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def walk(page: Page, hospital: Hospital, role: str, *, limit: int | None = None) -> Iterator[str]:
    """Open every seed, and then one page for each route that links lead to; yields the route with the page open."""
    first = seeds(hospital, role)
    waiting = deque(urljoin(hospital.base_url, path) for path in first)
    seen: set[str] = set()
    unskippable = set(waiting)
    opened = 0
    while waiting and (limit is None or opened < limit):
        address = waiting.popleft()
        name = route(address)
        if (
            (name in seen and address not in unskippable)
            or name in NO_PAGES
            or (role != "admin" and name.startswith("admin:"))
        ):
            continue
        answer = page.goto(address)
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            continue
        opened += 1
        seen |= {name, route(page.url)}
        yield f"{name or 'missing'} {urlsplit(page.url).path}"
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href.split('#')[0])")
        waiting.extend(link for link in links if link.startswith(hospital.base_url + "/") and route(link) not in seen)
