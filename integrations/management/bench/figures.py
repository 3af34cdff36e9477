"""Timing and saying: medians, ratios, the machine, the markdown table."""

from __future__ import annotations

import gc
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

Figures = dict[str, Any]


def timed(call: Callable[[], Any], runs: int, *, warm: int = 5) -> list[float]:
    """Milliseconds of each of `runs` calls, after some that do not count."""
    return interleaved([call], runs, warm=warm)[0]


def interleaved(calls: Sequence[Callable[[], Any]], runs: int, *, warm: int = 5) -> list[list[float]]:
    """The same for several calls in turn, so that a machine that slows down slows all of them down."""
    for call in calls:
        for _n in range(warm):
            call()
    gc.collect()
    found: list[list[float]] = [[] for _call in calls]
    for _n in range(runs):
        for call, times in zip(calls, found, strict=True):
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1000)
    return found


def share(values: Sequence[float], part: float) -> float:
    """The value that `part` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part) - 1)]


def spread(values: Sequence[float], name: str = "") -> Figures:
    """n, median, p95, p99 in milliseconds."""
    at = f"{name}_" if name else ""
    return {
        f"{at}median_ms": round(statistics.median(values), 3),
        f"{at}p95_ms": round(share(values, 0.95), 3),
        f"{at}p99_ms": round(share(values, 0.99), 3),
    }


def against(ours: Sequence[float], floor: Sequence[float]) -> Figures:
    """The spread of ours and the ratio of its median to the floor's."""
    median, least = statistics.median(ours), statistics.median(floor)
    return {"n": len(ours), **spread(ours), "floor_ms": round(least, 3), "times_floor": round(median / least, 1)}


def goal(said: str, *, met: bool) -> Figures:
    return {"goal": said, "met": met}


def machine() -> Figures:
    """Where and when, for the head of a table; `load` says how far the figures may be trusted."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    version = ""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = str(cursor.fetchone()[0]).split()[0]
    return {
        "at": timezone.now().isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} x {model}",
        "python": platform.python_version(),
        "database": f"{connection.vendor} {version}",
        "load": round(os.getloadavg()[0], 1),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def table(results: Sequence[Figures]) -> str:
    """One markdown table of many benches on all databases."""
    head = "| bench | database | figure | floor | goal | met | n | load |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    return "\n".join([head, *(line for result in results for line in _rows(result))])


def _rows(result: Figures) -> list[str]:
    where = result["machine"]
    rows = []
    for figures in result.get("parts") or [result["figures"]]:
        met = {True: "met", False: "**missed**", None: ""}[figures.get("met")]
        rest = {k: v for k, v in figures.items() if k not in {"goal", "met", "n", "part"} and "floor" not in k}
        floor = {k: v for k, v in figures.items() if "floor" in k}
        name = f"{result['bench']} {figures.get('part', '')}".strip()
        said, n = (_said(rest), _said(floor), figures.get("goal", ""), met), figures.get("n", "")
        rows.append("| " + " | ".join(map(str, (name, where["database"], *said, n, where["load"]))) + " |")
    return rows


def _said(figures: Figures) -> str:
    return ", ".join(f"{key} {value}" for key, value in figures.items())
