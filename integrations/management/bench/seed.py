"""A year of a hospital by the hundred thousand: tickets, followers, clocks and the whole log with its hash chain.

Goes in through COPY (PostgreSQL) or executemany (SQLite) with the secondary indexes down, as a bulk load does, into an
empty or demo database that is not the configured one. Priorities are 1 and 2, whose calendars never close, so that every
due time is what the rules say. Most tickets are closed, one in twenty cancelled, the newest thousand open and running.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from config.kernel import log
from config.kernel.models import EventRecord
from integrations.management.bench import loading, story
from integrations.management.bench.figures import Figures, goal
from tickets.models import Clock, Ticket, TicketCounter, Watcher


def bench_seed(runs: int) -> Figures:
    """1,000 tickets a run (100 runs: 100,000), beside nothing: the goal is a time."""
    return seed(max(1, runs) * 1000)


def seed(tickets: int, *, still_open: int = story.OPEN, years: int = 1, ago: int = 0) -> Figures:
    """Afterwards that many more tickets are there with all their rows, spread over `years` that ended so many years `ago`;
    figures of how long it took."""
    log.lead("bench")
    while log.sequence("bench"):
        pass
    began, used = time.perf_counter(), time.process_time()
    before = Ticket.objects.count(), EventRecord.objects.count()
    cast = story.Cast.from_database()
    start = story.Start(
        ticket=_next(Ticket),
        number=5001 + before[0],  # above what the demo and earlier loads can have given on any day
        seq=log.head(),
        previous=_last_hash(),
        now=int(timezone.now().timestamp()) - ago * story.YEAR,
        years=years,
    )
    with loading.bulk([Ticket, Watcher, Clock, EventRecord]) as sink:
        written = time.perf_counter()
        for block in story.blocks(cast, start, tickets, still_open):
            sink.write(block)
        sink.finish()
        written = time.perf_counter() - written
    _count_numbers()
    seconds = time.perf_counter() - began
    rows = (Ticket.objects.count() - before[0]) + (EventRecord.objects.count() - before[1])
    per_million = seconds * 1_000_000 / tickets
    return {
        "n": tickets,
        "seconds": round(seconds, 1),
        "rows_s": round(written, 1),
        "indexes_s": round(seconds - written, 1),
        "own_cpu_s": round(time.process_time() - used, 1),
        "tickets_and_facts": rows,
        "seconds_per_million": round(per_million, 1),
    } | goal("<= 60 s per million", met=per_million <= 60)


def check(last: int = 20_000) -> None:
    """The chain holds over the newest facts; CommandError where it breaks."""
    broken = log.verify(start=max(1, log.head() - last))
    if broken is not None:
        raise CommandError(f"the chain breaks at fact {broken}")


def _next(model: Any) -> int:
    last = model.objects.order_by("-pk").values_list("pk", flat=True).first()
    return int(last or 0) + 1


def _last_hash() -> str:
    found = EventRecord.objects.filter(seq__isnull=False).order_by("-seq").values_list("hash", flat=True).first()
    return found or log.GENESIS


def _count_numbers() -> None:
    """The counter of today goes on after the highest number given."""
    today = timezone.localdate()
    given = (
        Ticket.objects.filter(number__startswith=f"WX{today:%Y%m%d}-").order_by("-pk").values_list("number", flat=True)
    )
    highest = max((int(number.rsplit("-", 1)[-1]) for number in given), default=0)
    TicketCounter.objects.update_or_create(day=today, defaults={"last": highest + 1})
    if connection.vendor == "postgresql":  # does so by itself before long; nobody ever tells SQLite
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
