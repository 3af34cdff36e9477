"""The queue of the desk's board by time to breach, in a fixed number of queries whatever the load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from assets.places.models import Department
from config.kernel import words
from tickets.policies import visible_tickets
from tickets.record.models import OPEN, State, Ticket
from tickets.sla.models import Clock
from tickets.sla.queries import lead_clock, status_of, stops_for
from tickets.sla.queries.display import moment

HOUR = timedelta(hours=1)
STRIP = 3  # P1 cards that one glance takes in
LONGEST = 150  # rows; the rest is a link to the list
SHOWS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "": (gettext_lazy("全部"), OPEN),
    "unaccepted": (gettext_lazy("未接单"), (State.NEW, State.TRIAGED, State.REOPENED, State.ASSIGNED)),
    "working": (gettext_lazy("处理中"), (State.ACCEPTED, State.ARRIVED, State.WORKING)),
    "waiting": (gettext_lazy("等待中"), (State.PAUSED,)),
    "verifying": (gettext_lazy("待验收"), (State.RESOLVED, State.VERIFYING)),
}


@dataclass(frozen=True)
class Row:
    """One line of the queue. `tone`: breach, warn, ok or hold. Its words are made when a page asks for them: a thousand
    rows are put in order for the few that are shown."""

    ticket: Ticket
    clock: Clock | None
    tone: str
    now: datetime

    @property
    def due(self) -> datetime | None:
        return None if self.clock is None or self.clock.paused else self.clock.due_at

    @property
    def left(self) -> str:
        if self.due is None:
            return _("暂停中") if self.clock else _("计时结束")
        return words.due(self.due - self.now)

    @property
    def far(self) -> str:
        """The figure on a wall: hours and minutes, seconds only below an hour."""
        if self.due is None:
            return ""
        figure = words.clock(self.due - self.now)
        return figure[:-3] if self.hours else figure

    @property
    def hours(self) -> bool:
        return self.due is not None and abs(self.due - self.now) >= HOUR

    @property
    def target(self) -> str:
        if self.clock is None:
            return self.ticket.get_state_display()
        if not self.clock.paused:
            return str(self.clock.get_metric_display())
        until = moment(self.ticket.hold_until, self.now) if self.ticket.hold_until else ""
        why = self.ticket.hold_reason.label if self.ticket.hold_reason else str(self.clock.get_metric_display())
        return _("，").join(filter(None, (why, until)))

    @property
    def sentence(self) -> str:
        if self.clock is None:
            return _("计时结束")
        name = str(self.clock.get_metric_display())
        if self.clock.paused:
            return name
        return (_("%(metric)s已超时") if self.tone == "breach" else _("距%(metric)s到期")) % {"metric": name}

    @property
    def stops(self) -> list[dict[str, Any]]:
        return stops_for(self.ticket, self.now)

    @property
    def version(self) -> str:
        return f"{self.ticket.version}-{self.tone}-{self.target}"

    @property
    def place(self) -> str:
        return place_of(self.ticket)


@dataclass(frozen=True)
class Group:
    """`已超时 2` and its rows."""

    tone: str
    title: str
    rows: list[Row]


@dataclass(frozen=True)
class Board:
    """Everything below the title row."""

    strip: list[Row]
    more_p1: int
    groups: list[Group]
    chips: list[dict[str, Any]]
    total: int
    hidden: int
    departments: list[Department] = field(default_factory=list)


def place_of(ticket: Ticket) -> str:
    """Building and ward, as short as a row can take it: 外科楼 · 重症医学科; English names the ward."""
    ward = str(ticket.department)
    building = ticket.location.path_zh.split(" ")[0] if ticket.location else ""
    english = (get_language() or "").startswith("en")
    return ward if english or not building or building == ward else f"{building} {ward}"


def row_of(ticket: Ticket, now: datetime) -> Row:
    """One ticket as a line of the queue; reads prefetched clocks only."""
    clock = lead_clock(ticket)
    status = status_of(clock, now) if clock else ""
    return Row(ticket, clock, {"late": "breach", "near": "warn", "hold": "hold"}.get(status, "ok"), now)


def order(row: Row) -> tuple[bool, datetime, int]:
    last = row.due is None
    return last, (row.clock.due_at if row.clock else row.ticket.reported_at), row.ticket.pk


def open_rows(user: Any, now: datetime) -> list[Row]:
    """Every open ticket this person may see, first due first. Two queries."""
    tickets = visible_tickets(user, Ticket.objects.open().for_board())
    return sorted((row_of(ticket, now) for ticket in tickets), key=order)


def urgent_of(rows: Iterable[Row]) -> list[Row]:
    """P1 that somebody still has to work on."""
    return [row for row in rows if row.ticket.priority == 1 and row.ticket.state not in SHOWS["verifying"][1]]


def board(user: Any, now: datetime, *, show: str = "", department: str = "", priority: str = "") -> Board:
    """Open tickets by time to breach in three groups; P1 above them, whatever the filter."""
    rows = open_rows(user, now)
    urgent = urgent_of(rows)
    here = [
        row
        for row in rows
        if (not department or row.ticket.department.code == department)
        and (not priority or str(row.ticket.priority) == priority)
    ]
    counts = Counter(str(row.ticket.state) for row in here)
    shown = [row for row in here if row.ticket.state in SHOWS[show][1]]
    return Board(
        strip=urgent[:STRIP],
        more_p1=max(len(urgent) - STRIP, 0),
        groups=_groups(shown[:LONGEST]),
        chips=[
            {"key": key, "label": label, "n": sum(counts[state] for state in states), "current": key == show}
            for key, (label, states) in SHOWS.items()
        ],
        total=len(rows),
        hidden=max(len(shown) - LONGEST, 0),
        departments=sorted({row.ticket.department for row in rows}, key=lambda one: one.code),
    )


def _groups(rows: Iterable[Row]) -> list[Group]:
    found: dict[str, list[Row]] = {"breach": [], "warn": [], "ok": []}
    for row in rows:
        found["ok" if row.tone == "hold" else row.tone].append(row)
    titles = {"breach": _("已超时"), "warn": _("快到时限"), "ok": _("时限内")}
    return [Group(tone, titles[tone], lines) for tone, lines in found.items() if lines]
