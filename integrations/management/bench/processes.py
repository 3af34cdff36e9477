"""How long a process takes until it is useful, and how much memory it holds afterwards."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path

from django.utils import timezone

from config.kernel.models import Heartbeat
from integrations.management.bench.figures import Figures, goal
from integrations.management.bench.house import House, house


def bench_processes(runs: int) -> Figures:
    """Web answers, worker and clock have left their sign of life; RSS after 200 pages (a run: two pages)."""
    began, start = time.perf_counter(), timezone.now()
    with house("web") as home:
        web = time.perf_counter() - began
        for _n in range(max(2, runs * 2)):
            with urllib.request.urlopen(f"{home.base}/accounts/login/", timeout=10) as answer:  # noqa: S310 - our own
                answer.read()
        memory = {"web_rss_mb": _memory(home, "web")}
    began = time.perf_counter()
    with house("worker", "clock") as home:
        limit = time.monotonic() + 60
        while not Heartbeat.objects.filter(name="worker", at__gte=start).exists() and time.monotonic() < limit:
            time.sleep(0.1)
        jobs = time.perf_counter() - began
        memory |= {f"{name}_rss_mb": _memory(home, name) for name in ("worker", "clock")}
    total = round(sum(memory.values()), 1)
    return {"n": 1, "web_ready_s": round(web, 2), "worker_and_clock_ready_s": round(jobs, 2), **memory,
            "total_rss_mb": total} | goal("told, no goal", met=True)  # fmt: skip


def _memory(home: House, name: str) -> float:
    """Proportional set size of a child and its children in MB: pages shared after a fork count once."""
    return round(sum(_pss(pid) for pid in _family(home.children[name].pid)) / 1024, 1)


def _family(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    born = [int(child) for child in path.read_text().split()] if path.exists() else []
    return [pid, *(one for child in born for one in _family(child))]


def _pss(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup")
    lines = rollup.read_text().splitlines() if rollup.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
