"""From a commit to a screen, through real web, worker and clock processes and a real websocket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.core.management import CommandError
from django.db import close_old_connections
from django.utils import timezone
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from assets.models import Device, User
from config.kernel import log
from dispatch.models import DepartmentMode, Engineer, EngineerQualification, Leave, Shift
from integrations.management.bench.figures import Figures, goal, share, spread
from integrations.management.bench.house import House, house, session_of
from tickets.lifecycle import services as lifecycle
from tickets.models import Alert, Clock, Ticket

LONGEST_WAIT = 10.0


def bench_report(runs: int) -> Figures:
    """Committed (the report's answer is there) -> assigned -> on an engineer's screen."""
    runs = min(runs, 300)
    _everybody_on_duty()
    devices = list(
        Device.objects.filter(type__group__presets__isnull=False, tickets__isnull=True).select_related("type__group")[
            : runs + 5
        ]
    )
    leader = User.objects.filter(role="dispatcher")[0]
    with house("web", "worker", "clock") as home, screen(home) as told:
        posts, waits = [], []
        for n, device in enumerate(devices):
            began = time.perf_counter()
            ticket = lifecycle.submit(
                device=device, preset=device.type.group.presets.all()[0], by=leader, at=timezone.now()
            )
            committed = time.perf_counter()
            seen = told(f"ticket:{ticket.public_id}", "TicketAssigned")
            if n >= 5:  # the first ones warm the worker
                posts.append((committed - began) * 1000)
                waits.append((seen - committed) * 1000)
            lifecycle.cancel(ticket, by=leader, at=timezone.now(), reason="bench")
            told(f"ticket:{ticket.public_id}", "TicketCancelled")
            time.sleep(0.1)
    met = share(waits, 0.95) <= 250
    return {"n": len(waits), **spread(waits), **spread(posts, "submit")} | goal("p95 <= 250 ms", met=met)


def bench_alerts(runs: int) -> Figures:
    """Clocks that fall due one after another; each breach must come to the screen once, and soon."""
    runs = min(max(runs, 5), 500)
    ticket = Ticket.objects.filter(clocks__isnull=False).latest("pk")
    Clock.objects.update(next_at=None)
    like = ticket.clocks.all()[0]
    with house("web", "clock") as home, screen(home) as told:
        start = timezone.now() + timedelta(seconds=2)
        dues = _falling_due(like, ticket, start, runs)
        late: list[float] = []
        heard: dict[str, int] = {}
        limit = time.monotonic() + 2 + runs * 0.05 + 20
        while len(heard) < runs and time.monotonic() < limit:
            moment, fact = told("", "SlaBreached", wall=True)
            subject = fact["subject"]
            if subject in dues:  # the house has breaches of its own
                heard[subject] = heard.get(subject, 0) + 1
                late.append((moment - dues[subject]) * 1000)
        time.sleep(1)
    breaches = Alert.objects.filter(step="breach", clock__ticket__number__startswith="ALERT")
    missed = runs - len(heard.keys() & dues.keys())
    twice = sum(count > 1 for count in heard.values()) + breaches.count() - breaches.values("clock").distinct().count()
    met = bool(late) and share(late, 0.99) <= 1500 and not missed and not twice
    return {"n": runs, **spread(late), "missed": missed, "twice": twice} | goal(
        "p99 <= 1500 ms, 0 missed, 0 twice", met=met
    )


def _falling_due(like: Clock, ticket: Ticket, start: Any, runs: int) -> dict[str, float]:
    """`runs` tickets whose only open step is the breach, 50 ms apart; subject -> moment (epoch seconds)."""
    rows = Ticket.objects.bulk_create(
        Ticket(
            number=f"ALERT{n:06d}", department_id=ticket.department_id, device_id=ticket.device_id, reported_at=start
        )
        for n in range(runs)
    )
    dues: dict[str, float] = {}
    clocks = []
    for n, row in enumerate(rows):
        # One minute of target on a calendar that never closes, begun so that it ends at the wanted moment.
        due = start + timedelta(milliseconds=50 * n)
        clocks.append(
            Clock(
                ticket=row, metric="response", priority=1, calendar=_always(), target_minutes=1, started_at=due - timedelta(minutes=1),
                due_at=due, warn_at=due - timedelta(seconds=12), next_at=due,
            )
        )  # fmt: skip
        dues[f"ticket:{row.public_id}"] = due.timestamp()
    made = Clock.objects.bulk_create(clocks)
    Alert.objects.bulk_create(Alert(clock=c, step="warning", due_at=c.warn_at, at=c.warn_at) for c in made)
    return dues


def _always() -> Any:
    from tickets.models import Calendar

    return Calendar.objects.filter(always=True)[0]


Told = Callable[..., Any]


@contextmanager
def screen(home: House) -> Iterator[Told]:
    """A signed-in engineer's socket. `told(subject, type)` waits for that fact and says when it came."""
    engineer = User.objects.filter(role="engineer", is_active=True)[0]
    close_old_connections()
    cookie = {"Cookie": session_of(engineer)}
    with connect(home.sockets + str(log.head()), additional_headers=cookie, origin=Origin(home.base)) as socket:
        yield lambda subject, kind, wall=False: _wait(socket, subject, kind, wall=wall)


def _wait(socket: ClientConnection, subject: str, kind: str, *, wall: bool) -> Any:
    limit = time.monotonic() + LONGEST_WAIT
    while (left := limit - time.monotonic()) > 0:
        fact = json.loads(socket.recv(timeout=left))
        moment = time.time() if wall else time.perf_counter()
        if fact.get("type") == kind and fact.get("subject", "").startswith(subject):
            return (moment, fact) if wall else moment
    raise CommandError(f"{kind} of {subject or 'anything'} did not come to the screen within {LONGEST_WAIT:.0f} s")


def _everybody_on_duty() -> None:
    """Idle engineers with valid cards and a shift around now, in departments that wait for no click: what is measured
    is the way, not the waiting for somebody."""
    now = timezone.now()
    DepartmentMode.objects.all().delete()
    Leave.objects.all().delete()
    EngineerQualification.objects.update(valid_until=timezone.localdate(now) + timedelta(days=30))
    leader = User.objects.filter(role="dispatcher")[0]
    for ticket in Ticket.objects.open().exclude(state__in=["resolved", "verifying"]):
        lifecycle.cancel(ticket, by=leader, at=now, reason="bench")
    Shift.objects.bulk_create(
        Shift(engineer=engineer, starts_at=now - timedelta(hours=2), ends_at=now + timedelta(hours=6))
        for engineer in Engineer.objects.all()
    )
