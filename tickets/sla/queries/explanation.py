"""Why this due time? The arithmetic of `rules.explain` for one ticket, as JSON and as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from config.kernel import words
from tickets.record.models import HoldReason, Ticket
from tickets.sla import rules
from tickets.sla.models import Clock, Metric, Pause, Rebase
from tickets.sla.queries.display import moment, share_left, status_of
from tickets.sla.queries.rulebook import rulebook

# Names of shipped rows; a hospital's own names are shown as they were entered.
gettext_noop("元旦"), gettext_noop("春节"), gettext_noop("清明节"), gettext_noop("劳动节")
gettext_noop("端午节"), gettext_noop("中秋节"), gettext_noop("国庆节"), gettext_noop("24×7"), gettext_noop("工作时间")

DUE_WORDS = {
    "response": gettext_noop("最晚响应"),
    "arrival": gettext_noop("最晚到场"),
    "restoration": gettext_noop("最晚恢复"),
    "fix": gettext_noop("最晚修复"),
}


@dataclass(frozen=True)
class _Record:
    """What happened to the ticket's clocks, and the moment of asking. `reasons`: hold codes to words."""

    pauses: tuple[rules.Pause, ...]
    rebases: tuple[rules.Rebase, ...]
    reasons: dict[str, str]
    now: datetime


@dataclass(frozen=True)
class _Told:
    """What a sentence about one clock may need."""

    promise: rules.Promise
    record: _Record


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
        calendar_name=_name(book.calendar_names.get(clock.calendar_id, "")),
        pauses=record.pauses,
        rebases=record.rebases,
        pausable=clock.pausable,
    )
    until = clock.met_at or clock.stopped_at or record.now
    lines = rules.explain(promise, record.now)
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
        "net_text": _amount(net),
        "lines": [_line(line, _Told(promise, record)) for line in _with_warnings(lines, promise)],
    }


def _with_warnings(lines: tuple[rules.Line, ...], promise: rules.Promise) -> list[rules.Line]:
    """A year without entered holidays is said before the due time that counted on it."""
    due_at = lines[-1].at
    if promise.calendar.is_always or due_at is None:
        return list(lines)
    reach = promise.calendar.local_date(due_at)
    years = [year for year in rules.missing_years(rulebook().known_days, reach) if year >= promise.reported_at.year]
    return [*lines[:-1], *(rules.Line("unknown_year", {"year": year}) for year in years), lines[-1]]


# Sentences. -----------------------------------------------------------------------------------------------------------


def _line(line: rules.Line, told: _Told) -> dict[str, Any]:
    text, value = _SENTENCES[line.kind](line, told)
    params = {**line.params, "name": _name(line.params["name"])} if "name" in line.params else line.params
    return {
        "kind": line.kind,
        "params": _plain(params),
        "amount_seconds": None if line.amount is None else int(line.amount.total_seconds()),
        "at": _iso(line.at),
        "text": text,
        "value": value,
    }


def _say_reported(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("报修时间，以服务器收到为准"), _stamp(line.at, told.record.now)


def _say_rebase(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("P%(old)s 改为 P%(new)s，从报修时间重新算") % dict(line.params), _stamp(line.at, told.record.now)


def _say_target(line: rules.Line, told: _Told) -> tuple[str, str]:
    said = {
        "priority": told.promise.priority,
        "metric": Metric(told.promise.metric).label,
        "calendar": told.promise.calendar_name,
    }
    return _("P%(priority)s %(metric)s时限，按%(calendar)s日历") % said, f"+ {_amount(line.amount)}"


def _say_day(line: rules.Line, told: _Told) -> tuple[str, str]:
    windows = _("，").join(
        _("%(start)s 到 %(end)s") % {"start": _hour(a), "end": _hour(b)} for a, b in line.params["windows"]
    )
    said = {"day": _day(line.params["date"]), "windows": windows, "name": _name(line.params["name"])}
    text = _("%(day)s %(name)s调休上班，%(windows)s") if line.params["makeup"] else _("%(day)s %(windows)s")
    if line.params["paused"]:
        return (text + _("，其中暂停 %(paused)s")) % (said | {"paused": _amount(line.params["paused"])}), _amount(
            line.amount
        )
    return text % said, _amount(line.amount)


def _say_after_hours(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("%(day)s 已下班，从下个工作时段算起") % {"day": _day(line.params["date"])}, _("不计")


def _say_break(line: rules.Line, told: _Told) -> tuple[str, str]:
    said = {"start": _hour(line.params["start"]), "end": _hour(line.params["end"])}
    return _("%(start)s 到 %(end)s 休息") % said, _("不计")


def _say_off(line: rules.Line, told: _Told) -> tuple[str, str]:
    name = _name(line.params["name"]) or _("休息日")
    return _("%(days)s %(name)s") % {"days": _days(line), "name": name}, _("不计")


def _say_held(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("%(days)s 全天暂停") % {"days": _days(line)}, _("不计")


def _say_pause(line: rules.Line, told: _Told) -> tuple[str, str]:
    ended = line.params["ended_at"]
    said = {
        "reason": told.record.reasons.get(line.params["reason"], line.params["reason"]),
        "start": moment(line.params["started_at"], told.record.now),
        "end": moment(ended, told.record.now) if ended else "",
    }
    text = _("%(reason)s，%(start)s 到 %(end)s") if ended else _("%(reason)s，%(start)s 起，还没继续")
    return text % said, f"+ {_amount(line.amount)}"


def _say_pauses(line: rules.Line, told: _Told) -> tuple[str, str]:
    count = line.params["count"]
    return ngettext("暂停 %(count)s 次", "暂停 %(count)s 次", count) % {"count": count}, f"+ {_amount(line.amount)}"


def _say_never_pauses(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("%(metric)s不因暂停而延后") % {"metric": Metric(told.promise.metric).label}, f"+ {_amount(line.amount)}"


def _say_unknown_year(line: rules.Line, told: _Told) -> tuple[str, str]:
    return _("%(year)s 年的节假日还没录入，按没有节假日算") % dict(line.params), ""


def _say_due(line: rules.Line, told: _Told) -> tuple[str, str]:
    text = _(DUE_WORDS[told.promise.metric])
    return (_("%(text)s，如果现在继续") % {"text": text} if line.params["open"] else text), _stamp(
        line.at, told.record.now
    )


_SENTENCES = {
    "reported": _say_reported,
    "rebase": _say_rebase,
    "target": _say_target,
    "day": _say_day,
    "after_hours": _say_after_hours,
    "break": _say_break,
    "off": _say_off,
    "held": _say_held,
    "pause": _say_pause,
    "pauses": _say_pauses,
    "never_pauses": _say_never_pauses,
    "unknown_year": _say_unknown_year,
    "due": _say_due,
}


def _amount(span: timedelta | None) -> str:
    """`4 小时`, `1 小时 30 分`, `30 分`, `40 秒`: working time is never said in days."""
    seconds = int((span or timedelta(0)).total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours and minutes:
        return _("%(h)d 小时 %(m)d 分") % {"h": hours, "m": minutes}
    if hours:
        return _("%(h)d 小时") % {"h": hours}
    if seconds % 60 and not minutes:
        return _("%(s)d 秒") % {"s": seconds}
    return _("%(m)d 分") % {"m": minutes}


def _stamp(at: datetime | None, now: datetime) -> str:
    """今天 18:21:08, otherwise 11-20 18:21:08."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate(now)
    return _("今天 %(time)s") % {"time": f"{local:%H:%M:%S}"} if today else f"{local:%m-%d %H:%M:%S}"


def _day(day: date) -> str:
    names = [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]
    return f"{day:%m-%d} {names[day.weekday()]}"


def _days(line: rules.Line) -> str:
    first, last = line.params["date"], line.params["until"]
    if first == last:
        return _day(first)
    return _("%(start)s 到 %(end)s") % {"start": _day(first), "end": _day(last)}


def _hour(at: time) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def _name(name: str) -> str:
    return _(name) if name else ""


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
