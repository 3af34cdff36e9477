"""The newest facts as sentences: who did what to which ticket. Names are looked up when shown, never stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Subquery
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from assets.places.models import Department
from config.kernel.models import EventRecord
from tickets.policies import visible_events
from tickets.record.models import HoldReason, State
from tickets.record.queries import names_of
from tickets.record.rules import short_number
from tickets.sla.models import Metric, Rung

LATELY = 5_000  # facts
_NUMBER = re.compile(r"\s*\{no\}\s*")
# type: icon, tone, sentence with {no} {who} {to} {metric} {level} {reason} {step}
SAID: dict[str, tuple[str, str, Any]] = {
    "TicketSubmitted": ("scan-line", "ink3", gettext_lazy("{who} 报修 {no}")),
    "TicketTriaged": ("shield-check", "ink3", gettext_lazy("{no} 定为 P{level}")),
    "TicketAssigned": ("send", "ink3", gettext_lazy("{no} 派给 {to}")),
    "TicketUnassigned": ("undo-2", "c-warn", gettext_lazy("{no} 退回，{to} 不再负责")),
    "TicketAccepted": ("user-round-check", "c-brand", gettext_lazy("{who} 接单 {no}")),
    "TicketDeparted": ("footprints", "ink3", gettext_lazy("{who} 出发 {no}")),
    "TicketArrived": ("map-pin", "c-brand", gettext_lazy("{who} 到场 {no}")),
    "WorkStarted": ("wrench", "c-brand", gettext_lazy("{who} 开始维修 {no}")),
    "WorkPaused": ("pause", "ink3", gettext_lazy("{who} 暂停 {no}，{reason}")),
    "WorkResumed": ("play", "ink3", gettext_lazy("{who} 继续处理 {no}")),
    "StepUndone": ("undo-2", "ink3", gettext_lazy("{who} 撤销“{step}” {no}")),
    "ServiceRestored": ("package-check", "c-ok", gettext_lazy("{no} 已恢复")),
    "TicketResolved": ("wrench", "c-ok", gettext_lazy("{who} 修复 {no}")),
    "VerificationRequested": ("clipboard-check", "ink3", gettext_lazy("{no} 等病区验收")),
    "TicketClosed": ("check-check", "c-ok", gettext_lazy("{who} 关闭 {no}")),
    "TicketReopened": ("rotate-ccw", "c-warn", gettext_lazy("{who} 重新打开 {no}")),
    "TicketCancelled": ("x", "ink3", gettext_lazy("{who} 撤销 {no}")),
    "TicketRejected": ("ban", "ink3", gettext_lazy("{who} 驳回 {no}")),
    "PriorityChanged": ("chevrons-up-down", "c-warn", gettext_lazy("{no} 改为 P{level}")),
    "TicketNudged": ("bell", "c-warn", gettext_lazy("{who} 催 {no}")),
    "ReporterJoined": ("users-round", "ink3", gettext_lazy("又有人报 {no}")),
    "TicketRated": ("star", "ink3", gettext_lazy("{who} 评价 {no}")),
    "SlaWarned": ("triangle-alert", "c-warn", gettext_lazy("{no} {metric}快到时限")),
    "SlaBreached": ("octagon-alert", "c-breach", gettext_lazy("{no} {metric}超时")),
    "EscalationRaised": ("phone-call", "c-breach", gettext_lazy("{no} {metric}：已告知{tell}")),
    "SuggestionMade": ("send", "ink3", gettext_lazy("{no} 建议派给 {to}，等你确认")),
    "NobodyAvailable": ("siren", "c-breach", gettext_lazy("{no} 没有人能去")),
    "WorkInterrupted": ("arrow-left-right", "c-warn", gettext_lazy("{to} 先去 P1，{no} 放下")),
    "AcceptanceTimedOut": ("timer", "c-warn", gettext_lazy("{to} 没有按时接 {no}")),
    "ReviewWanted": ("eye", "c-warn", gettext_lazy("{no} 派给 {to}，要人看一眼")),
}


# The field steps that can be taken back, in the middle of a sentence.
STEPS: dict[str, Any] = {
    "accept": pgettext_lazy("step", "接单"),
    "depart": pgettext_lazy("step", "出发"),
    "arrive": pgettext_lazy("step", "到场"),
    "start": pgettext_lazy("step", "开始维修"),
    "pause": pgettext_lazy("step", "暂停"),
    "resume": pgettext_lazy("step", "继续"),
    "restore": pgettext_lazy("step", "备用机已接上"),
}


@dataclass(frozen=True)
class Told:
    """One line of the feed."""

    at: datetime
    icon: str
    tone: str
    text: SafeString
    ticket: str


def feed(user: Any, *, limit: int = 12) -> list[Told]:
    """The latest facts this person may follow, newest first, of the last 5,000 of the log. At most five queries."""
    head = EventRecord.objects.filter(seq__isnull=False).order_by("-seq").values("seq")[:1]
    seen = visible_events(user, EventRecord.objects.filter(seq__gt=Subquery(head) - LATELY, type__in=SAID))
    return tell(list(seen.order_by("-seq")[:limit]))


def tell(records: Iterable[EventRecord]) -> list[Told]:
    """Facts in words: names, departments and hold reasons for all of them at once."""
    known = [record for record in records if record.type in SAID]
    behind = words_behind(known)
    return [
        Told(
            record.at, *SAID[record.type][:2], sentence_of(record, str(SAID[record.type][2]), behind), ticket_of(record)
        )
        for record in known
    ]


def sentences(records: Iterable[EventRecord]) -> list[SafeString]:
    """A sentence for each, in order; a fact without one keeps the name that the log gives it."""
    listed = list(records)
    behind = words_behind(listed)
    return [
        sentence_of(record, str(SAID[record.type][2]), behind)
        if record.type in SAID
        else format_html("<span>{}</span>", record.type)
        for record in listed
    ]


@dataclass(frozen=True)
class Behind:
    """What the ids and codes of some facts are called."""

    people: dict[str, str]
    places: dict[str, str]
    holds: dict[str, str]


def words_behind(records: Iterable[EventRecord]) -> Behind:
    """At most four queries, however many facts."""
    listed = list(records)
    paused = any(record.type == "WorkPaused" for record in listed)
    return Behind(
        people=names_of({person for record in listed for person in (record.by, _other(record))}),
        places={row.code: row.label for row in Department.objects.filter(code__in={r.scope for r in listed})},
        holds={row.code: row.label for row in HoldReason.objects.all()} if paused else {},
    )


def _other(record: EventRecord) -> str:
    data = record.data
    return str(data.get("to") or data.get("engineer") or data.get("previous") or "")


def who_did(record: EventRecord, behind: Behind) -> str:
    """The name of the one whose fact it is: a person, the ward whose code was scanned, or the system."""
    if record.by == "qr":
        return behind.places.get(record.scope, _("病区"))
    return _("系统") if record.by == "system" else behind.people.get(record.by, _("已清除"))


def sentence_of(record: EventRecord, sentence: str, behind: Behind, *, with_number: bool = True) -> SafeString:
    """One fact with names and, on a board, the ticket's short number."""
    data = record.data
    metric, short = data.get("metric"), short_number(str(data.get("number", "")), timezone.localdate())
    if not with_number:
        sentence = _NUMBER.sub(" ", sentence).strip().replace("， ", "，")
        sentence = sentence[:1].upper() + sentence[1:]
    strong = "{}" if with_number else "<b>{}</b>"
    return format_html(
        sentence,
        no=format_html("<b>{}</b>", short),
        who=format_html(strong, who_did(record, behind)),
        to=format_html(strong, behind.people.get(_other(record), _("工程师"))),
        metric=Metric(metric).label if metric in Metric.values else "",
        tell=_told(data),
        level=data.get("priority", ""),
        step=STEPS.get(str(data.get("verb", "")), ""),
        reason=behind.holds.get(str(data.get("reason", "")), _("等待")),
    )


def _told(data: dict[str, Any]) -> str:
    """Who was told; where there is no engineer yet, his step goes to the desk."""
    tell = data.get("tell")
    if tell == Rung.Tell.ASSIGNEE and data.get("state") in (State.NEW, State.TRIAGED):
        return _("调度")
    return str(Rung.Tell(tell).label) if tell in Rung.Tell.values else ""


def ticket_of(record: EventRecord) -> str:
    """The ticket's public id out of `ticket:<id>`."""
    kind, _sep, public_id = record.subject.partition(":")
    return public_id if kind == "ticket" else ""
