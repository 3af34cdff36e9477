"""What the two anonymous pages may show: an allow-list. No staff phone, no cost, no history, surnames only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.register import queries as register
from assets.register.models import Device, DeviceStatus, FaultPreset
from config.kernel.templatetags.wardline import clock_time
from tickets.record.models import Attachment, State, Ticket, Watcher
from tickets.sla.models import Clock
from tickets.ward.rules import TRACKING_DIES_AFTER

MAX_TILES = 9
METRICS = ("response", "response", "arrival", "restoration")  # of the line's four stops
LATEST_REPORTS = 1_000  # of a ward: what its tiles are ordered by
DANGER_ICONS = (
    ("smoke", "flame", gettext_lazy("冒烟 / 焦味")),
    ("shock", "zap", gettext_lazy("漏电 / 麻手")),
    ("injury", "bandage", gettext_lazy("有人受伤")),
    ("leak", "droplets", gettext_lazy("漏气 / 漏液")),
)


def tiles_for(device: Device) -> list[FaultPreset]:
    """At most nine fault tiles: what the ward reported most of late, 其他 always last."""
    presets = list(FaultPreset.objects.filter(group_id=device.type.group_id, active=True).order_by("order"))
    # The ward's last reports whatever they were about: asked for this group alone, a rare one reads all that it ever had.
    latest = Ticket.objects.filter(department_id=device.department_id).order_by("-id")
    counts = Counter(latest.values_list("preset_id", flat=True)[:LATEST_REPORTS])
    others = [p for p in presets if p.category == "other"]
    named = [p for p in presets if p.category != "other"]
    named.sort(key=lambda p: (-counts[p.pk], p.order))
    return [*named[: MAX_TILES - len(others)], *others]


def phone_of(ticket_or_device: Ticket | Device) -> str:
    """The number a ward calls: the equipment desk's."""
    return str(settings.HOSPITAL_PHONE)


def find(token: str) -> Ticket | None:
    """The ticket behind a tracking or watcher token; None when there is none or it ended 90 days ago."""
    if not 16 <= len(token) <= 22:
        return None
    rows = Ticket.objects.select_related(
        "device__type__group", "device__location", "department", "location", "preset", "assignee", "hold_reason",
        "backup_device__location",
    )  # fmt: skip
    ticket = rows.filter(tracking_token=token).first()
    if ticket is None:
        pk = Watcher.objects.filter(token=token).values_list("ticket_id", flat=True).first()
        ticket = rows.filter(pk=pk).first() if pk else None
    return ticket


def alive(ticket: Ticket, now: datetime) -> bool:
    return ticket.ended_at is None or now - ticket.ended_at < TRACKING_DIES_AFTER


def tracking(ticket: Ticket, now: datetime, token: str) -> dict[str, Any]:
    """Everything the tracking page of this token shows, by name."""
    dues = {clock.metric: clock for clock in ticket.clocks.all()}
    backup = ticket.backup_device or (
        register.nearest_ready_backup(ticket.device)
        if ticket.device and ticket.is_open and ticket.restored_at is None
        else None
    )
    files = sent_by_ward(ticket)
    repaired = ticket.state in (State.RESOLVED, State.VERIFYING)
    stops = _stops(ticket, now, dues)
    return {
        "number": ticket.short_number,
        "full_number": ticket.number,
        "device": ticket.device_label,
        "fault": ticket.fault_label,
        "reported_at": ticket.reported_at,
        "state": ticket.state,
        "open": ticket.is_open,
        "repaired": repaired,
        "returned": ticket.is_open and not repaired and ticket.reopen_count > 0,
        "closed": ticket.state == State.CLOSED,
        "ended_word": ticket.get_state_display(),
        "withdrawable": ticket.state in (State.NEW, State.TRIAGED, State.ASSIGNED)
        and not Watcher.objects.filter(token=token, withdrawn_at__isnull=False).exists(),
        "again": _report_again(ticket),
        "named": ticket.reporter_id is not None,
        "headline": _headline(ticket),
        "eta_minutes": eta_minutes(ticket, now),
        "eta_at": ticket.eta_at,
        "latest": next((stop["until"] for stop in stops if stop["until"]), None),
        "stops": stops,
        "first_aid": ticket.device.type.group.first_aid_card()
        if ticket.device and ticket.in_use and ticket.is_open and not repaired and ticket.restored_at is None
        else None,
        "backup": backup,
        "backup_running": ticket.backup_device is not None,
        "backup_minutes": _walk(ticket, backup),
        "needs_callback": ticket.needs_callback and ticket.state == State.NEW,
        "life_support": bool(ticket.device and ticket.device.type.life_support),
        "rating": ticket.rating,
        "phone": phone_of(ticket),
        "photos": [file for file in files if file.kind == "photo"],
        "voices": [file for file in files if file.kind == "audio"],
        "notes": [c for c in ticket.comments.all() if c.public],
    }


def _report_again(ticket: Ticket) -> str:
    """Where the same device is reported, once this report has ended."""
    device = ticket.device
    if device is None or ticket.is_open or device.status == DeviceStatus.RETIRED:
        return ""
    return reverse("ward:report", args=[register.token_of(device)])


def sent_by_ward(ticket: Ticket) -> list[Attachment]:
    """Files that came with the report; what engineers add is for engineers."""
    return [f for f in ticket.attachments.all() if f.public and (f.by_id is None or f.by_id == ticket.reporter_id)]


def _headline(ticket: Ticket) -> str:
    who = ticket.assignee.short_name if ticket.assignee else ""
    words = {
        State.NEW: _("已送达，值班人员会回电核实"),
        State.TRIAGED: _("正在找合适的工程师"),
        State.ASSIGNED: _("已通知%(who)s，等他接单"),
        State.ACCEPTED: _("%(who)s已接单，正在赶来") if ticket.departed_at else _("%(who)s已接单"),
        State.ARRIVED: _("%(who)s已到场"),
        State.WORKING: _("%(who)s正在维修"),
        State.PAUSED: _("暂停：%(reason)s"),
        State.RESOLVED: _("%(who)s已修好"),
        State.VERIFYING: _("%(who)s说修好了，试一下"),
        State.CLOSED: _("已验收，关闭"),
        State.CANCELLED: _("已撤销"),
        State.REJECTED: _("已驳回"),
        State.REOPENED: _("重新打开，正在找工程师"),
    }
    return words[State(ticket.state)] % {"who": who, "reason": ticket.hold_reason.label if ticket.hold_reason else ""}


def eta_minutes(ticket: Ticket, now: datetime) -> int | None:
    """Until the engineer is there; None once he is, or when nobody can say."""
    if not ticket.is_open or _is_here(ticket) or ticket.eta_at is None or ticket.eta_at <= now:
        return None
    return max(1, round((ticket.eta_at - now).total_seconds() / 60))


def _walk(ticket: Ticket, backup: Device | None) -> int | None:
    if backup is None or ticket.device is None:
        return None
    here, there = ticket.device.location, backup.location
    metres = abs(here.x - there.x) + abs(here.y - there.y) + 20 * abs(here.floor - there.floor) + 30
    return max(1, round(metres / 70))


def _of_this_round(ticket: Ticket, at: datetime | None) -> datetime | None:
    """A ticket keeps its first arrival, for the clock. Sent on or opened again, it is another engineer who is awaited."""
    return at if at and ticket.accepted_at and at >= ticket.accepted_at else None


def _is_here(ticket: Ticket) -> bool:
    if ticket.state == State.PAUSED:  # one may wait for a part before one has left
        return bool(_of_this_round(ticket, ticket.arrived_at) or _of_this_round(ticket, ticket.started_at))
    return ticket.state in (State.ARRIVED, State.WORKING, State.RESOLVED, State.VERIFYING, State.CLOSED)


def _stops(ticket: Ticket, now: datetime, clocks: Mapping[str, Clock]) -> list[dict[str, Any]]:
    """已送达, 已接单, 赶来中, 恢复使用: the ward's wording of the line, as it stands now. `until` is what is promised still."""
    accepted, here = ticket.accepted_at is not None, _is_here(ticket)
    came = _of_this_round(ticket, ticket.arrived_at)
    rows = [
        (_("已送达"), True, ticket.reported_at, None),
        (_("已接单") if accepted else _("等接单"), accepted, ticket.accepted_at, None),
        (_("已到场") if here else _("赶来中"), here, came if here else None, clocks.get("arrival")),
        _last_stop(ticket, clocks),
    ]
    stops, reached = [], True
    for metric, (label, done, at, clock) in zip(METRICS, rows, strict=True):
        until = None if done or not ticket.is_open else _promised(clock)
        late = bool(clock and at and at > clock.due_at) if done else bool(until and now > until)
        status = ("late" if late else "met") if done else "todo"
        if not done and reached and ticket.is_open:
            status = "late" if late else "now"
        reached = reached and done
        stops.append({"metric": metric, "status": status, "label": label, "detail": _detail(at, until),
                      "sentence": _sentence(label, status), "until": until})  # fmt: skip
    return stops


def _last_stop(ticket: Ticket, clocks: Mapping[str, Clock]) -> tuple[str, bool, datetime | None, Clock | None]:
    """With a backup the ward works on already, and what it waits for is its own device."""
    if ticket.restored_at and ticket.resolved_at is None:
        return _("原机修好"), False, None, clocks.get("fix")
    restored = ticket.restored_at or ticket.resolved_at
    return _("恢复使用"), restored is not None, restored, clocks.get("restoration") or clocks.get("fix")


def _promised(clock: Clock | None) -> datetime | None:
    """None as well while the clock stands still: nobody knows how long it will."""
    return clock.due_at if clock and clock.running and not clock.paused else None


def _detail(at: datetime | None, until: datetime | None) -> str:
    if at:
        return clock_time(at)
    return _("最晚 %(time)s") % {"time": clock_time(until)} if until else ""


def _sentence(label: str, status: str) -> str:
    words = {
        "met": _("%(stop)s，已完成"),
        "late": _("%(stop)s，超时"),
        "now": _("%(stop)s，进行中"),
        "todo": _("%(stop)s，未到"),
    }
    return words[status] % {"stop": label}
