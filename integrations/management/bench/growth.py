"""The same requests at ten times the tickets: how their time grows (exponent of the size)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable

from django.db import connection
from django.utils import timezone

from assets.models import User
from assets.register.queries import token_of
from integrations.management.bench import api, seed
from integrations.management.bench.figures import Figures, goal, timed
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket
from tickets.record.models import Watcher
from tickets.sla import services as sla
from tickets.sla.queries import rulebook

TICKETS_A_RUN = 1_000
PAGES = (
    ("dispatcher", "/desk/"),
    ("dispatcher", "/desk/?wall=1"),
    ("dispatcher", "/desk/tickets/"),
    ("dispatcher", "/desk/tickets/?q=ventilator"),
    ("dispatcher", "/desk/tickets/?open=1"),
    ("dispatcher", "/desk/tickets/{ticket}/"),
    ("engineer", "/field/"),
    ("nurse", "/ward/"),
    ("nurse", "/q/{code}/"),
    ("nurse", "/t/{token}/"),
    ("manager", "/admin/"),
    ("manager", "/admin/tickets/ticket/"),
    ("manager", "/admin/tickets/ticket/?q={number}"),
    ("manager", "/admin/tickets/clock/"),
    ("manager", "/admin/tickets/clock/?q={number}"),
    ("manager", "/admin/kernel/eventrecord/"),
    ("manager", "/admin/kernel/eventrecord/?q={number}"),
    ("manager", "/admin/kernel/eventrecord/?q=TicketReopened"),
)


def bench_growth(runs: int) -> Figures:
    """1,000 tickets a run, then ten times that (100 runs: 100,000 and 1,000,000)."""
    small = max(1, runs) * TICKETS_A_RUN
    seeded = [seed.seed(small)]
    last = Ticket.objects.latest("pk").pk
    before, asked = _medians(runs), _queries()
    _end_what_was_opened_since(last)
    # Ten times the past at the same pace: not ten times the work in hand, nor ten times what is reported in a day.
    seeded.append(seed.seed(small * 9, still_open=0, years=9, ago=1))
    after, asked_again = _medians(runs), _queries()
    seed.check()
    parts = []
    for name, first in before.items():
        grown = math.log10(after[name] / first)
        figures = {
            "part": name, "n": _times(name, runs), "small_ms": round(first, 3), "large_ms": round(after[name], 3),
            "tickets": f"{small} -> {small * 10}", "exponent": round(grown, 3),
            "queries": f"{asked[name]} -> {asked_again[name]}" if name in asked else "",
        }  # fmt: skip
        met = grown <= 0.05 and asked.get(name) == asked_again.get(name)
        parts.append(figures | goal("exponent <= 0.05, same queries", met=met))
    return {"parts": [*({"part": "seed", **one} for one in seeded), *parts]}


def _end_what_was_opened_since(last: int) -> None:
    """The pages are asked again with as many open tickets as before."""
    leader = User.objects.filter(role="dispatcher")[0]
    for ticket in Ticket.objects.open().filter(pk__gt=last):
        lifecycle.cancel(ticket, by=leader, at=timezone.now(), reason="bench")


def _times(name: str, runs: int) -> int:
    """A page with a thousand open tickets takes most of a second: once a round must do."""
    return 1 if name.startswith("page") else max(runs, 20)


def _round(name: str, call: Callable[[], object], runs: int) -> float:
    times = _times(name, runs)
    return statistics.median(timed(call, times, warm=0 if times == 1 else 5))


def _calls() -> dict[str, Callable[[], object]]:
    return {
        "list": api.listing(),
        "detail": api.detail(),
        "create": api.creating(),
        "due": lambda: sla.fire_due(timezone.now()),
        **{f"page {address}": api.page(role, address.format(**_last())) for role, address in PAGES},
    }


def _last() -> dict[str, str]:
    """What addresses name: the last open ticket, and its device."""
    watched = Watcher.objects.filter(ticket__ended_at__isnull=True).order_by("-ticket_id")[0]
    ticket = watched.ticket
    code = token_of(ticket.device) if ticket.device else ""
    return {"ticket": ticket.public_id, "number": ticket.number, "token": watched.token, "code": code}


def _medians(runs: int) -> dict[str, float]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")  # else the first requests set the hint bits of a fresh load
        cursor.execute(f"SELECT count(*) FROM {Ticket._meta.db_table}")
    found = {}
    for name, call in _calls().items():
        rounds = [_round(name, call, runs) for _n in range(3)]
        found[name] = min(rounds)  # of three: a neighbour's load only ever adds
    return found


def _queries() -> dict[str, int]:
    asked = {}
    for name, call in _calls().items():
        if name == "due":
            continue
        rulebook()  # kept for five seconds: whether they ran out just now is chance
        asked[name] = api.count(call)  # type: ignore[arg-type]  # answers nothing that matters
    return asked
