"""The benches of `manage.py bench`: one module each, every figure beside a floor of the same run. Ratios count."""

from __future__ import annotations

from collections.abc import Callable

from integrations.management.bench import api, due, fanout, growth, pages, processes, report, seed
from integrations.management.bench.figures import Figures

# name -> (what runs inside a scratch database, what it answers)
BENCHES: dict[str, tuple[Callable[[int], Figures], str]] = {
    "list": (api.bench_list, "50 tickets over the API, signed in, row rights"),
    "detail": (api.bench_detail, "one ticket over the API"),
    "create": (api.bench_create, "a ticket with clocks, follower, facts and dispatch job over the API"),
    "due": (due.bench_due, "what is due, asked by the clock"),
    "alerts": (report.bench_alerts, "breach to screen, real processes"),
    "report": (report.bench_report, "report to the engineer's screen, real processes"),
    "fanout": (fanout.bench_fanout, "one fact to many websockets, real server"),
    "seed": (seed.bench_seed, "rows of a year, log included"),
    "growth": (growth.bench_growth, "list, detail, create and due at ten times the tickets"),
    "processes": (processes.bench_processes, "start-up and memory"),
    "pages": (pages.bench_pages, "page weights and time to interactive on a slow phone"),
}
