"""A ticket's clocks as people see them: the four stops of the line and the ring. Reads only prefetched clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from config.kernel import words
from tickets.record.models import Ticket
from tickets.sla.models import Clock, Metric
from tickets.sla.queries.rulebook import rulebook

ONE_DAY = timedelta(days=1)
DOT = SafeString('<i class="sep">·</i>')


def clocks_of(ticket: Ticket) -> dict[str, Clock]:
    """Clocks by metric, from the prefetch where there is one."""
    return {clock.metric: clock for clock in ticket.clocks.all()}


def lead_clock(ticket: Ticket) -> Clock | None:
    """The running clock that is due first; a paused one only when nothing else runs; None when all have ended."""
    running = [clock for clock in ticket.clocks.all() if clock.running]
    return min(running, key=lambda clock: (clock.paused, clock.due_at), default=None)


def status_of(clock: Clock, now: datetime) -> str:
    """met, late, hold, near or now: the sign that stands for this clock. `todo` is for the line to decide."""
    ended_at = clock.met_at or clock.stopped_at
    if (ended_at or now) > clock.due_at and not clock.paused:
        return "late"
    if clock.met_at:
        return "met"
    if clock.stopped_at:
        return "todo"
    if clock.paused:
        return "late" if clock.breached_at else "hold"
    return "near" if now >= clock.warn_at else "now"


def time_used(clock: Clock, until: datetime) -> timedelta:
    """Working time from the report to `until`, pauses left out: the target less what was left, or plus what was over."""
    calendar = rulebook().calendar(clock.calendar_id)
    target = timedelta(minutes=clock.target_minutes)
    if until <= clock.due_at:
        return max(target - calendar.working_between(until, clock.due_at), timedelta(0))
    return target + calendar.working_between(clock.due_at, until)


def share_left(clock: Clock, now: datetime) -> float:
    """Share of the target's working time that is left, 0 to 1."""
    target = timedelta(minutes=clock.target_minutes)
    if not target or now >= clock.due_at:
        return 0.0
    return min(rulebook().calendar(clock.calendar_id).working_between(now, clock.due_at) / target, 1.0)


def stops_for(ticket: Ticket, now: datetime, *, full: bool = False) -> list[dict[str, Any]]:
    """The four stops in fixed order: {metric, status, label, detail, sentence, due}.

    `status` is met, late, near, now, todo or hold. `full` words them as the ticket page does: time used in the label,
    target and moment in the detail.
    """
    clocks, stops, current = clocks_of(ticket), list[dict[str, Any]](), True
    for metric in Metric:
        clock = clocks.get(metric)
        if clock is None:
            stops.append(_without_target(metric))
            continue
        status = status_of(clock, now)
        if status == "now" and not current:
            status = "todo"
        current = current and not clock.running
        stops.append(_stop(ticket, clock, status, now, full=full))
    return stops


def ring_for(ticket: Ticket, now: datetime) -> dict[str, Any]:
    """The ring of the clock that is due first: {status, share_left, value, unit, target, sentence, due, total, running}.

    `status` is ok, warn, breach or hold. `total` (seconds) only where the wall counts like the clock, round the clock.
    With `running` False nothing counts any more and the ring may be left out.
    """
    clock = lead_clock(ticket)
    if clock is None:
        done = {"value": "✓", "unit": "", "target": _("计时结束"), "sentence": _("计时结束")}
        return {"status": "ok", "share_left": 1.0, "due": None, "total": None, "running": False, **done}
    if clock.paused:
        return _hold_ring(ticket, clock)
    name = str(Metric(clock.metric).label)
    left = clock.due_at - now
    figure = words.ring_figure(left)
    form = _("%(metric)s超时 %(time)s") if left < timedelta(0) else _("距%(metric)s %(time)s")
    status = {"late": "breach", "near": "warn"}.get(status_of(clock, now), "ok")
    always = rulebook().calendar(clock.calendar_id).is_always
    return {
        "status": status,
        "share_left": share_left(clock, now),
        "value": figure.value,
        "unit": figure.unit,
        "target": name,
        "sentence": form % {"metric": name, "time": words.spoken(left)},
        "due": clock.due_at,
        "total": (clock.due_at - clock.started_at).total_seconds() if always else None,
        "running": True,
    }


def moment(at: datetime, now: datetime) -> str:
    """14:21 on the same day, otherwise 11-20 14:21, in the hospital's time."""
    local = timezone.localtime(at)
    return local.strftime("%H:%M" if local.date() == timezone.localdate(now) else "%m-%d %H:%M")


def working_hours(span: timedelta) -> str:
    """`4 小时`, `1 小时 30 分`, `30 分`, `40 秒`: never days, a working day is not one."""
    seconds = int(span.total_seconds())
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours and minutes:
        return _("%(h)d 小时 %(m)d 分") % {"h": hours, "m": minutes}
    if hours:
        return _("%(h)d 小时") % {"h": hours}
    if seconds % 60 and not minutes:
        return _("%(s)d 秒") % {"s": seconds}
    return _("%(m)d 分") % {"m": minutes}


def _hold_ring(ticket: Ticket, clock: Clock) -> dict[str, Any]:
    why = ticket.hold_reason.label if ticket.hold_reason else _("暂停")
    sentence = _("%(metric)s已暂停：%(reason)s") % {"metric": clock.get_metric_display(), "reason": why}
    shown = {"value": _("暂停"), "unit": "", "target": why, "sentence": sentence}
    return {"status": "hold", "share_left": 1.0, "due": clock.due_at, "total": None, "running": True, **shown}


def _without_target(metric: Metric) -> dict[str, Any]:
    sentence = _("%(metric)s不设时限") % {"metric": metric.label}
    shown = {"label": metric.label, "detail": _("不设时限"), "sentence": sentence}
    return {"metric": metric.value, "status": "todo", "due": None, **shown}


class _Said(dict[str, str]):
    """The words a stop may need, each made when a sentence asks for it: a board draws four stops a row."""

    def __init__(self, ticket: Ticket, clock: Clock, now: datetime) -> None:
        super().__init__()
        self.ticket, self.clock, self.now = ticket, clock, now
        self.until = clock.met_at or clock.stopped_at or now

    def __missing__(self, key: str) -> str:
        self[key] = getattr(self, f"_{key}")()
        return self[key]

    def _metric(self) -> str:
        return str(Metric(self.clock.metric).label)

    def _used(self) -> str:
        used = time_used(self.clock, self.until)
        if not used and self.until > self.clock.started_at:
            return _("下班时间")  # "0 seconds" between 22:00 and 22:10 reads like a mistake
        return words.spoken(used) if used < ONE_DAY else working_hours(used)

    def _over(self) -> str:
        return words.spoken(self.until - self.clock.due_at)

    def _plus(self) -> str:
        return words.due(self.clock.due_at - self.until)

    def _left(self) -> str:
        return words.spoken(self.clock.due_at - self.now)

    def _limit(self) -> str:
        return working_hours(timedelta(minutes=self.clock.target_minutes))

    def _due(self) -> str:
        return moment(self.clock.due_at, self.now)

    def _at(self) -> str:
        return moment(self.until, self.now)

    def _reason(self) -> str:
        return self.ticket.hold_reason.label if self.ticket.hold_reason else _("暂停")


def _stop(ticket: Ticket, clock: Clock, status: str, now: datetime, *, full: bool) -> dict[str, Any]:
    said = _Said(ticket, clock, now)
    label, detail, sentence = _short(status, clock)
    facts = [detail]
    if full:
        label, facts = _long(status, clock)
    return {
        "metric": clock.metric,
        "status": status,
        "label": label % said,
        "detail": format_html_join(DOT, "{}", ((fact % said,) for fact in facts)),
        "sentence": sentence % said,
        "due": clock.due_at if clock.running else None,
    }


def _short(status: str, clock: Clock) -> tuple[str, str, str]:
    """Label, detail and sentence on cards and phones, still with their placeholders."""
    if status == "met":
        return "%(metric)s", "%(used)s", _("%(metric)s已达成，用时 %(used)s")
    if status == "late":
        return "%(metric)s %(plus)s", "%(at)s" if clock.met_at else "%(due)s", _("%(metric)s超时 %(over)s")
    if status == "near":
        return "%(metric)s", _("还有 %(left)s"), _("%(metric)s快到时限，还有 %(left)s")
    if status == "hold":
        return "%(metric)s", "%(reason)s", _("%(metric)s已暂停，%(reason)s")
    if status == "now":
        return "%(metric)s", _("最晚 %(due)s"), _("%(metric)s进行中，最晚 %(due)s")
    if clock.stopped_at:
        return "%(metric)s", _("未计"), _("%(metric)s未计")
    return "%(metric)s", _("最晚 %(due)s"), _("%(metric)s未到，最晚 %(due)s")


def _long(status: str, clock: Clock) -> tuple[str, list[str]]:
    """Label and facts on the ticket page, still with their placeholders."""
    limit, latest = _("时限 %(limit)s"), _("最晚 %(due)s")
    if status == "met" or (status == "late" and clock.met_at):
        return "%(metric)s %(used)s", [limit, "%(at)s"]
    if status == "late":
        return _("%(metric)s超时 %(over)s"), [limit, latest]
    if status == "hold":
        return _("%(metric)s，已暂停"), [limit, "%(reason)s"]
    if clock.stopped_at:
        return "%(metric)s", [_("未计")]
    return _("%(metric)s，进行中") if status in {"now", "near"} else "%(metric)s", [limit, latest]
