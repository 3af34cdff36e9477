"""The clock's question "what is due", with many running clocks, and whether the database answers it from the index."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from integrations.management.bench.figures import Figures, against, goal, interleaved
from integrations.management.bench.floors import Driver
from integrations.management.bench.seed import seed
from tickets.models import Clock
from tickets.sla import services as sla
from tickets.sla.models import Metric


def bench_due(runs: int) -> Figures:
    """Nothing is due yet of about 1,000 clocks a run asked for (1,000 runs: 1,000,000), beside SELECT 1."""
    fill(max(1, runs) * 1000)
    driver = Driver()
    ours, floor = interleaved([lambda: sla.fire_due(timezone.now()), driver.one], max(runs, 20))
    driver.link.close()
    figures = against(ours, floor)
    met = figures["median_ms"] <= 1 and uses_index()
    return figures | {"running_clocks": running(), "index": uses_index()} | goal("<= 1 ms", met=met)


def fill(wanted: int) -> None:
    """Afterwards about that many clocks run, four a ticket, and none is due within five hours."""
    seed(max(1, wanted // len(Metric)))
    Clock.objects.update(next_at=timezone.now() + timedelta(hours=5))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE tickets_clock")


def running() -> int:
    return Clock.objects.filter(next_at__isnull=False).count()


def uses_index() -> bool:
    """EXPLAIN names the partial index."""
    asked = Clock.objects.filter(next_at__lte=timezone.now()).order_by("next_at").values_list("pk", "next_at")[:500]
    return "clock_next" in asked.explain()
