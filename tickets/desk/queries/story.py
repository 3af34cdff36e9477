"""One ticket's story for the desk: facts of the log in words, with comments, reasons and proofs beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.models import EventRecord
from tickets.desk.queries.feed import SAID, Behind, sentence_of, who_did, words_behind
from tickets.record.models import (
    Action,
    Attachment,
    Cause,
    Comment,
    Decon,
    PartLine,
    Release,
    RepairReport,
    Source,
    Ticket,
)
from tickets.record.queries import name_of_test, priority_reasons

MORE: dict[str, tuple[str, str, Any]] = {
    "CommentAdded": ("message-square-text", "", gettext_lazy("{who} 留言")),
    "AttachmentAdded": ("camera", "", gettext_lazy("{who} 加了附件")),
    "DeconDeclared": ("spray-can", "", gettext_lazy("{who} 声明消毒状态")),
    "TicketDisputed": ("rotate-ccw", "warn", gettext_lazy("{who} 说还没修好")),
}
BRAND = {"TicketAccepted", "TicketArrived", "WorkStarted"}
WARN = {"TicketReopened", "PriorityChanged", "SlaWarned", "TicketUnassigned", "WorkInterrupted", "AcceptanceTimedOut"}
BREACH = {"SlaBreached", "EscalationRaised", "NobodyAvailable"}
OK = {"ServiceRestored", "TicketResolved", "TicketClosed"}


@dataclass(frozen=True)
class Line:
    """One entry of the timeline; `kind` is state or note."""

    at: datetime
    icon: str
    tone: str
    kind: str
    text: SafeString
    under: list[str] = field(default_factory=list)
    quote: str = ""
    private: bool = False
    photo: str = ""


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def timeline(ticket: Ticket) -> list[Line]:
    """Every fact of one ticket, newest first. A fixed number of queries."""
    known = SAID.keys() | MORE.keys()
    records = list(
        EventRecord.objects.filter(subject=f"ticket:{ticket.public_id}", type__in=known).order_by("-id")[:300]
    )
    behind = words_behind(records)
    comments = {row.pk: row for row in ticket.comments.all()}
    files = {row.public_id: row for row in ticket.attachments.all()}
    repaired = any(record.type == "TicketResolved" for record in records)
    sheets = {row.at: row for row in ticket.repair_reports.all()} if repaired else {}
    parts = list(ticket.parts.all()) if repaired else []
    lines = []
    for record in records:
        comment = comments.get(record.data.get("comment"))
        sheet = sheets.get(record.at) if record.type == "TicketResolved" else None
        used = [part for part in parts if sheet and part.at == sheet.at]
        lines.append(_line(record, behind, comment, files, sheet, used))
    return lines


def _line(
    record: EventRecord,
    behind: Behind,
    comment: Comment | None,
    files: dict[str, Attachment],
    sheet: RepairReport | None,
    parts: list[PartLine],
) -> Line:
    icon, tone, sentence = MORE.get(record.type) or SAID[record.type]
    file = files.get(str(record.data.get("attachment", "")))
    if record.type in SAID:
        tone = next(
            (
                t
                for t, kinds in (("brand", BRAND), ("warn", WARN), ("breach", BREACH), ("ok", OK))
                if record.type in kinds
            ),
            "",
        )
    return Line(
        at=record.at,
        icon=icon,
        tone=tone,
        kind="note" if record.type in ("CommentAdded", "AttachmentAdded") else "state",
        text=sentence_of(record, str(sentence), behind, with_number=False),
        under=[text for text in (*_under(record, behind, files), *map(_part, parts), *_measured(sheet)) if text],
        quote=comment.text if comment else sheet.diagnosis if sheet else "",
        private=bool(comment and not comment.public) or bool(file and not file.public),
        photo=_photo(record, files),
    )


def _photo(record: EventRecord, files: dict[str, Attachment]) -> str:
    file = files.get(str(record.data.get("attachment", "")))
    return file.public_id if file and file.kind == "photo" else ""


def _arrived(data: dict[str, Any]) -> str:
    if data.get("scanned"):
        return _("扫码确认")
    return _("输入编号到场，没有扫码") if data.get("how") == "typed" else _("手动到场")


def _part(part: PartLine) -> str:
    said = [f"{part.name} x {part.quantity}"]
    if part.serial_no:
        said.append(_("序列号 %(no)s") % {"no": part.serial_no})
    if part.old_part_kept:
        said.append(_("旧件已留存"))
    return _("，").join(said)


def _measured(sheet: RepairReport | None) -> list[str]:
    """What the finish sheet says beside its three words: each test with its value and limit, and why restricted or out."""
    return [*(_tested(test) for test in sheet.tests), sheet.release_note] if sheet else []


def _tested(test: dict[str, Any]) -> str:
    said = name_of_test(str(test.get("code", "")), str(test.get("name", "")))
    if test.get("limit") is not None:  # a check without a limit is passed or not; its 1 is no figure
        said += f" {_figure(test.get('value'))} {test.get('unit', '')}" + _("（限值 %(limit)s）") % {
            "limit": test["limit"]
        }
    return _("，").join([said, _("合格") if test.get("passed") else _("没有通过")])


def _figure(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _given_by(record: EventRecord, behind: Behind) -> str:
    """Who sent somebody: the system, himself, or the one at the desk."""
    if record.data.get("automatic"):
        return _("自动派单")
    if record.by == record.data.get("to"):
        return _("自己接手")
    return _("%(name)s指定") % {"name": who_did(record, behind)}


def _under(record: EventRecord, behind: Behind, files: dict[str, Attachment]) -> list[str]:
    """What stands below the sentence: the source, the reason, the proof."""
    data, kind = record.data, record.type
    if kind == "AttachmentAdded":
        file = files.get(str(data.get("attachment", "")))
        return [file.label or str(file.get_kind_display())] if file else []
    if kind == "TicketResolved":
        parts = ((Cause, "cause"), (Action, "action"), (Release, "release"))
        return [_("，").join(_label(choices, str(data.get(key, ""))) for choices, key in parts)]
    said: dict[str, str] = {
        "TicketSubmitted": _label(Source, str(data.get("source", ""))),
        "TicketTriaged": priority_reasons(list(data.get("reasons") or [])),
        "TicketAssigned": _given_by(record, behind) if kind == "TicketAssigned" else "",
        "TicketArrived": _arrived(data),
        "WorkResumed": _("到时间，自动继续") if data.get("automatic") else "",
        "ServiceRestored": _("备用机已接上") if data.get("how") == "backup" else "",
        "DeconDeclared": _label(Decon, str(data.get("decon", ""))),
    }
    return [said[kind]] if kind in said else []
