"""The wall's figures: on time with its n, open by state and priority, life-support stock. No personal data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q
from django.utils import timezone
from django.utils.translation import get_language

from assets.register.models import READY_TO_LEND, Device, awaits_repair
from config.kernel import words
from tickets.desk.queries.board import SHOWS, STRIP, open_rows, urgent_of
from tickets.record.models import State, Ticket
from tickets.sla.models import Clock

ALWAYS_SHOWN = (State.NEW, State.ASSIGNED, State.WORKING, State.VERIFYING)


@dataclass(frozen=True)
class Share:
    """On time out of all that came due or was done in a stretch."""

    n: int
    met: int

    @property
    def percent(self) -> float | None:
        return 100 * self.met / self.n if self.n else None

    @property
    def interval(self) -> tuple[int, int]:
        """Wilson's 95 % interval in whole percent: a small n must not look certain."""
        if not self.n:
            return 0, 100
        z, n, p = 1.96, self.n, self.met / self.n
        middle, spread = p + z * z / (2 * n), z * ((p * (1 - p) + z * z / (4 * n)) / n) ** 0.5
        scale = 1 + z * z / n
        return round(100 * (middle - spread) / scale), round(100 * (middle + spread) / scale)


def on_time(start: datetime, end: datetime) -> Share:
    """Clocks that ended, or passed their limit, between two moments. One that was stopped had promised nothing any more."""
    ended = Q(met_at__gte=start, met_at__lt=end)
    passed = Q(met_at__isnull=True, breached_at__gte=start, breached_at__lt=end)
    # By two indexes; without the moments every clock there ever was is read.
    counted = Clock.objects.filter(ended | passed, stopped_at__isnull=True)
    found = counted.aggregate(n=Count("pk"), met=Count("pk", filter=ended & Q(met_at__lte=F("due_at"))))
    return Share(found["n"], found["met"])


def life_support() -> list[dict[str, Any]]:
    """Ready devices of each life-support backup group against the least it must keep; the shortest first."""
    rows = (
        Device.objects.filter(type__life_support=True, min_ready__gt=0)
        .exclude(backup_group="")
        .values("backup_group", "type__group__code", "type__group__name", "type__group__name_en")
        .annotate(
            ready=Count("pk", filter=Q(~awaits_repair(), status__in=READY_TO_LEND)),
            least=Max("min_ready"),
        )
        .order_by("backup_group")
    )
    english = (get_language() or "").startswith("en")
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = (english and row["type__group__name_en"]) or row["type__group__name"]
        line = found.setdefault(row["type__group__code"], {"name": name, "ready": 0, "least": 0})
        line["ready"] += row["ready"]
        line["least"] += row["least"]
    for line in found.values():
        line["missing"] = max(line["least"] - line["ready"], 0)
        line["tone"] = "breach" if line["missing"] else "warn" if line["ready"] == line["least"] else ""
    return sorted(found.values(), key=lambda line: (line["ready"] - line["least"], line["name"]))[:7]


def wall(user: Any, now: datetime) -> dict[str, Any]:
    """The wall's figures: no bed, no full name, no ticket number, no phone."""
    rows = open_rows(user, now)
    urgent = urgent_of(rows)
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    states = Counter(str(row.ticket.state) for row in rows)
    waiting = [row.ticket.reported_at for row in rows if row.ticket.state in SHOWS["unaccepted"][1]]
    oldest = now - min(waiting) if waiting else None
    priorities = Counter(row.ticket.priority for row in rows)
    today = on_time(midnight, now)
    return {
        "strip": urgent[:STRIP],
        "more_p1": max(len(urgent) - STRIP, 0),
        "today": today,
        "interval": today.interval,
        "week": on_time(now - timedelta(days=7), now),
        "total": len(rows),
        "split": _split(priorities),
        "states": _states(states),
        "oldest": words.due(oldest) if oldest else "",
        "oldest_late": bool(oldest and oldest > timedelta(minutes=30)),
        "stock": life_support(),
        "outside": sum(1 for row in rows if _is_outside(row.ticket)),
    }  # fmt: skip


def _states(counts: Counter[str]) -> list[dict[str, Any]]:
    """A row for each state that has tickets, and for four that always have one. They add up to the total."""
    counts = counts.copy()
    counts[State.VERIFYING] += counts.pop(
        State.RESOLVED, 0
    )  # repaired and not asked yet: a moment, or a part still open
    busiest = max(counts.values(), default=0) or 1
    return [
        {"label": state.label, "n": counts[state], "max": busiest, "most": counts[state] == busiest}
        for state in State
        if counts[state] or state in ALWAYS_SHOWN
    ]


def _is_outside(ticket: Ticket) -> bool:
    """Sent out for repair, or nobody here can go on until the vendor has come."""
    waits = ticket.state == State.PAUSED and ticket.hold_reason is not None and ticket.hold_reason.code == "vendor"
    return waits or ticket.route in ("vendor", "warranty", "contract")


def _split(priorities: Counter[int]) -> list[dict[str, Any]]:
    """Shares of the bar in percent of its width, one unit of air between two."""
    total, x, found = sum(priorities.values()) or 1, 0.0, []
    for level in (1, 2, 3, 4):
        width = 97 * priorities[level] / total
        found.append({"level": level, "n": priorities[level], "x": f"{x:.1f}%", "width": f"{width:.1f}%"})
        x += width + (1 if width else 0)
    return found
