"""The three requests that everything hangs on, over the API with sign-in and row rights, each beside the bare driver."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Device, User
from integrations.management.bench.figures import Figures, against, goal, interleaved
from integrations.management.bench.floors import Driver
from integrations.management.bench.scratch import signed_in
from tickets.models import Ticket

_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def bench_list(runs: int) -> Figures:
    """50 tickets, against the bare driver fetching 50 rows over three joins, and against it fetching all that is said."""
    ours, driver = listing(), Driver()
    figures = _measured(ours, [driver.page, driver.whole_page], runs)
    driver.link.close()
    met = figures["times_floor"] <= 10 and figures["queries"] <= 4
    return figures | {"tickets": _about()} | goal("<= 10x raw, <= 4 queries", met=met)


def bench_detail(runs: int) -> Figures:
    """One ticket, against the bare driver's page of 50 (a detail has no floor of its own in the goals)."""
    ours, driver = detail(), Driver()
    figures = _measured(ours, [driver.one], runs)
    driver.link.close()
    return figures | goal("<= 6 queries", met=figures["queries"] <= 6)


def bench_create(runs: int) -> Figures:
    """A report, against a transaction of two rows, and against one that writes as many rows as a report does."""
    ours = creating()
    ours()
    driver = Driver().prepare()
    figures = _measured(ours, [driver.two_rows, driver.as_many_rows], runs)
    driver.close()
    met = figures["times_floor"] <= 6 and figures["queries"] <= 8
    said = "<= 6x raw two rows, <= 8 queries" if connection.vendor == "postgresql" else "<= 8 queries"
    return figures | goal(said, met=met if connection.vendor == "postgresql" else figures["queries"] <= 8)


def _measured(ours: Callable[[], None], floors: list[Callable[[], None]], runs: int) -> Figures:
    mine, least, *more = interleaved([ours, *floors], runs)
    figures = against(mine, least)
    if more:
        same = statistics.median(more[0])
        figures |= {
            "floor_same_content_ms": round(same, 3),
            "times_floor_same_content": round(statistics.median(mine) / same, 1),
        }
    return figures | {"queries": count(ours)}


def count(call: Callable[[], None]) -> int:
    """Queries of one call, transaction control left out."""
    with CaptureQueriesContext(connection) as seen:
        call()
    return sum(not query["sql"].startswith(_CONTROL) for query in seen.captured_queries)


def listing() -> Callable[[], None]:
    client, headers = signed_in("dispatcher")
    return lambda: _expect(client.get("/api/v1/tickets/?page_size=50", headers=headers), 200)


def detail() -> Callable[[], None]:
    client, headers = signed_in("dispatcher")
    pages = itertools.cycle(Ticket.objects.order_by("-id").values_list("public_id", flat=True)[:50])
    return lambda: _expect(client.get(f"/api/v1/tickets/{next(pages)}/", headers=headers), 200)


def page(role: str, address: str) -> Callable[[], None]:
    """A page as somebody of this role opens it."""
    client = Client()
    client.force_login(
        User.objects.filter(role=role, is_active=True).order_by("pk")[0], backend="config.rights.RoleBackend"
    )
    return lambda: _expect(client.get(address), 200)


def creating() -> Callable[[], None]:
    client, headers = signed_in("dispatcher")
    rows = Device.objects.filter(type__group__presets__isnull=False).order_by("pk")
    devices = itertools.cycle(list(rows.values_list("public_id", "type__group__presets__code")[:500]))

    def call() -> None:
        public_id, symptom = next(devices)
        body = {"device": public_id, "symptom": symptom, "in_use": False, "danger": []}
        _expect(client.post("/api/v1/tickets/", body, content_type="application/json", headers=headers), 201)

    return call


def _expect(answer: Any, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.status_code}: {answer.content[:200]!r}")


def _about() -> int:
    return Ticket.objects.count()
