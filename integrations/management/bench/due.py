"""The clock's question "what is due", with many running clocks, and whether the database answers it from the index."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from integrations.management.bench.figures import Figures, against, goal, interleaved
from integrations.management.bench.floors import Driver
from tickets.models import Clock, Ticket
from tickets.sla import services as sla


def bench_due(runs: int) -> Figures:
    """Nothing is due yet of 1,000 clocks a run asked for (100 runs: 100,000), beside SELECT 1."""
    fill(max(1, runs) * 1000)
    driver = Driver()
    ours, floor = interleaved([lambda: sla.fire_due(timezone.now()), driver.one], max(runs, 20))
    driver.link.close()
    figures = against(ours, floor)
    met = figures["median_ms"] <= 1 and uses_index()
    return figures | {"running_clocks": running(), "index": uses_index()} | goal("<= 1 ms", met=met)


def fill(wanted: int) -> None:
    """Afterwards that many clocks run and none is due within five hours."""
    now = timezone.now()
    later = now + timedelta(hours=5)
    Clock.objects.update(next_at=None)
    ticket = Ticket.objects.filter(clocks__isnull=False).latest("pk")
    like = ticket.clocks.all()[0]
    for at in range(0, wanted, 10_000):
        rows = Ticket.objects.bulk_create(
            (
                Ticket(number=f"DUE{n:08d}", department_id=ticket.department_id, reported_at=now)
                for n in range(at, min(at + 10_000, wanted))
            ),
            batch_size=500,
        )
        Clock.objects.bulk_create(
            (
                Clock(ticket=row, metric="fix", priority=3, calendar_id=like.calendar_id, target_minutes=30, started_at=now,
                      due_at=later, warn_at=later, next_at=later)
                for row in rows
            ),
            batch_size=1000,
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tickets_clock")


def running() -> int:
    return Clock.objects.filter(next_at__isnull=False).count()


def uses_index() -> bool:
    """EXPLAIN names the partial index."""
    asked = Clock.objects.filter(next_at__lte=timezone.now()).order_by("next_at").values_list("pk", "next_at")[:500]
    return "clock_next" in asked.explain()
