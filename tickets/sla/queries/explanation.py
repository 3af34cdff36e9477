"""Why this due time? The arithmetic of `rules.explain` for one ticket, as JSON and as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from config.kernel import words
from tickets.record.models import HoldReason, Ticket
from tickets.sla import rules
from tickets.sla.models import Clock, Metric, Pause, Rebase
from tickets.sla.queries.display import moment, share_left, status_of
from tickets.sla.queries.rulebook import rulebook
from tickets.sla.queries.sentences import Told, amount, name_of, sentence


@dataclass(frozen=True)
class _Record:
    """What happened to the ticket's clocks, and the moment of asking. `reasons`: hold codes to words."""

    pauses: tuple[rules.Pause, ...]
    rebases: tuple[rules.Rebase, ...]
    reasons: dict[str, str]
    now: datetime


def pauses_of(ticket: Ticket) -> list[rules.Pause]:
    """The pauses that stop clocks, from their append-only rows: one query."""
    rows = Pause.objects.filter(ticket=ticket, reason__stops_clock=True).select_related("reason", "end")
    return [rules.Pause(row.started_at, _ended_at(row), row.reason.code) for row in rows]


def explanation(ticket: Ticket, now: datetime, metric: str | None = None) -> dict[str, Any]:
    """Every clock of a ticket with its arithmetic, ready for JSON; with `metric` that clock alone.

    Times are ISO in UTC, durations whole seconds. `lines` carry the codes of `rules.Line` and a sentence (`text`,
    `value`) in the active language. `net_seconds` is what is held against the target, `gross_seconds` the time on the
    wall; both run to the end of the clock, or to `now`. An unknown metric gives an empty dict. Three queries besides
    the clocks.
    """
    record = _Record(
        pauses=tuple(pauses_of(ticket)),
        rebases=tuple(
            rules.Rebase(row.at, row.from_priority, row.to_priority, row.reason)
            for row in Rebase.objects.filter(ticket=ticket)
        ),
        reasons={row.code: row.label for row in HoldReason.objects.all()},
        now=now,
    )
    order = list(Metric.values)
    clocks = sorted(ticket.clocks.all(), key=lambda clock: order.index(clock.metric))
    if metric is not None:
        return next((_clock(clock, record) for clock in clocks if clock.metric == metric), {})
    return {
        "ticket": ticket.public_id,
        "number": ticket.number,
        "priority": ticket.priority,
        "clocks": [_clock(clock, record) for clock in clocks],
    }


def explanation_lines(ticket: Ticket, metric: str, now: datetime) -> list[dict[str, Any]]:
    """The sentences of the panel alone: {kind, text, value}."""
    lines = explanation(ticket, now, metric).get("lines", [])
    return [{key: line[key] for key in ("kind", "text", "value")} for line in lines]


def _clock(clock: Clock, record: _Record) -> dict[str, Any]:
    book = rulebook()
    calendar = book.calendar(clock.calendar_id)
    promise = rules.Promise(
        metric=clock.metric,
        priority=clock.priority,
        reported_at=clock.started_at,
        target=timedelta(minutes=clock.target_minutes),
        calendar=calendar,
        calendar_name=name_of(book.calendar_names.get(clock.calendar_id, "")),
        pauses=record.pauses,
        rebases=record.rebases,
        pausable=clock.pausable,
        off_hours=book.is_off_hours(clock),
    )
    until = clock.met_at or clock.stopped_at or record.now
    lines = rules.explain(promise, record.now)
    told = Told(promise, record.reasons, record.now)
    stopped = [(pause.started_at, pause.ended_at) for pause in record.pauses] if clock.pausable else []
    gross, net = rules.gross(clock.started_at, until), rules.net(calendar, clock.started_at, until, stopped)
    due_at = lines[-1].at or clock.due_at
    return {
        "metric": clock.metric,
        "label": clock.get_metric_display(),
        "priority": clock.priority,
        "calendar": promise.calendar_name,
        "always": calendar.is_always,
        "status": status_of(clock, record.now),
        "reported_at": _iso(clock.started_at),
        "target_minutes": clock.target_minutes,
        "due_at": _iso(due_at),
        "warn_at": _iso(clock.warn_at),
        "met_at": _iso(clock.met_at),
        "breached_at": _iso(clock.breached_at),
        "paused": clock.paused,
        "due_short": moment(due_at, record.now),
        "share_left": round(share_left(clock, record.now), 4),
        "gross_seconds": int(gross.total_seconds()),
        "gross_text": words.spoken(gross),
        "net_seconds": int(net.total_seconds()),
        "net_text": amount(net),
        "lines": [_line(line, told) for line in _shown(lines, promise)],
    }


def _shown(lines: tuple[rules.Line, ...], promise: rules.Promise) -> list[rules.Line]:
    """The lines with the same lunch break said once, and a year without entered holidays before the due time."""
    shown: list[rules.Line] = []
    breaks = set()
    for line in lines:
        lunch = (line.params.get("start"), line.params.get("end")) if line.kind == "break" else None
        if lunch not in breaks:
            shown.append(line)
        if lunch:
            breaks.add(lunch)
    return [*shown[:-1], *_unknown_years(lines[-1].at, promise), shown[-1]]


def _unknown_years(due_at: datetime | None, promise: rules.Promise) -> list[rules.Line]:
    if promise.calendar.is_always or due_at is None:
        return []
    years = rules.missing_years(rulebook().known_days, promise.calendar.local_date(due_at))
    return [rules.Line("unknown_year", {"year": year}) for year in years if year >= promise.reported_at.year]


def _line(line: rules.Line, told: Told) -> dict[str, Any]:
    text, value = sentence(line, told)
    params = {**line.params, "name": name_of(line.params["name"])} if "name" in line.params else line.params
    return {
        "kind": line.kind,
        "params": _plain(params),
        "amount_seconds": None if line.amount is None else int(line.amount.total_seconds()),
        "at": _iso(line.at),
        "text": text,
        "value": value,
    }


def _ended_at(row: Pause) -> datetime | None:
    return row.end.at if hasattr(row, "end") else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(timezone.get_fixed_timezone(0)).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value
