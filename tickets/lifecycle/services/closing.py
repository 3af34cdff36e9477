"""The end of the story: restored, resolved, verified, closed; and the ways back or out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import Person, User
from assets.register import services as devices
from assets.register.models import READY_TO_LEND, Device
from config.kernel import timers
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.events import publish
from tickets import events
from tickets.lifecycle import rules
from tickets.lifecycle.services.steps import Actor, advance, close_time_entries, end_pause, stop_if_dangerous
from tickets.lifecycle.services.undoing import remember, seen
from tickets.record import services as record
from tickets.record.models import (
    OPEN,
    Action,
    Attachment,
    Cause,
    Release,
    RepairReport,
    Signature,
    State,
    Ticket,
)
from tickets.record.queries import envelope, open_on
from tickets.record.rules import clean_text, says_something
from tickets.record.services import actor, lock, person_of, reporter
from tickets.sla import services as sla


@dataclass(frozen=True, kw_only=True)
class FinishSheet:
    """What the engineer fills in at the end. `tests`: `{"code","name","value","unit","limit","passed"}` each;
    `parts`: `{"name","quantity","serial_no","old_part_kept"}` each; `minutes`: None = from the time entries."""

    cause: str
    action: str
    release: str
    release_note: str = ""
    diagnosis: str = ""
    tests: Sequence[Mapping[str, Any]] = field(default_factory=list)
    parts: Sequence[Mapping[str, Any]] = field(default_factory=list)
    files: Sequence[Attachment] = field(default_factory=list)  # photos and the voice note of this very sheet
    minutes: int | None = None


def check_sheet(sheet: FinishSheet, *, high_risk: bool) -> None:
    """Raises Invalid with one sentence a field: choices, notes for 限用/停用, tests against their limits. What is beyond
    repair goes out of use, and a high-risk device is usable only after a function check."""
    wrong: dict[str, str] = {}
    if sheet.cause not in Cause.values:
        wrong["cause"] = _("选一个原因。")
    if sheet.action not in Action.values:
        wrong["action"] = _("选一种处理方式。")
    if sheet.release not in Release.values:
        wrong["release"] = _("选这台设备现在可用、限用还是停用。")
    elif sheet.action == Action.IRREPARABLE and sheet.release != Release.OUT_OF_USE:
        wrong["release"] = _("无法修复的设备只能停用。")
    elif sheet.release == Release.RESTRICTED and not says_something(sheet.release_note):
        wrong["release_note"] = _("写明限制。")
    elif sheet.release == Release.OUT_OF_USE and not says_something(sheet.release_note):
        wrong["release_note"] = _("写明停用原因。")
    elif sheet.release != Release.OUT_OF_USE and (failed := rules.failed_tests(sheet.tests)):
        wrong["tests"] = _("%(names)s没有通过。重测或停用。") % {"names": "、".join(failed)}
    elif sheet.release == Release.USABLE and high_risk and not rules.function_checked(sheet.tests):
        wrong["tests"] = _("高风险设备要做功能检查，合格才可用。")
    if wrong:
        raise Invalid(" ".join(wrong.values()), fields=wrong)


@transaction.atomic
def restore(
    ticket: Ticket, *, by: Actor, at: datetime, backup: Device | None = None, version: int | None = None
) -> Ticket:
    """The ward can work again because a backup stands in: restoration is met, the repair goes on. `ServiceRestored`."""
    current = lock(ticket, version=version)
    if not current.is_open or current.state in (State.RESOLVED, State.VERIFYING):
        raise NotAllowedNow(_("这张单已经修复或结束。"))
    if current.restored_at is not None:
        return current
    if backup is not None and backup.status not in READY_TO_LEND:
        raise NotAllowedNow(_("%(name)s 现在不是待用状态。") % {"name": backup.label})
    if backup is not None and open_on(backup):
        raise NotAllowedNow(_("%(name)s 自己也在报修，不能当备用机。换一台。") % {"name": backup.label})
    before = seen(current, backup)
    current.restored_at, current.backup_device = at, backup
    current.version += 1
    current.save()
    sla.meet(current, "restoration", at=at)
    if backup:
        devices.put_in_use(backup, by=by, at=at)
    remember(current, "restore", before, by=by, at=at)
    publish(
        events.ServiceRestored(
            **envelope(current), at=at, by=actor(by), how="backup", backup=backup.public_id if backup else ""
        )
    )
    return current


@transaction.atomic
def resolve(ticket: Ticket, *, sheet: FinishSheet, by: User, at: datetime, version: int | None = None) -> Ticket:
    """Repaired and released: restoration and fix are met, the device gets its new status, the ward is asked to verify
    unless open child tickets block it. `TicketResolved`, `VerificationRequested`."""
    current = lock(ticket, version=version)
    high_risk = bool(current.device and current.device.type.high_risk)
    check_sheet(sheet, high_risk=high_risk)
    close_time_entries(current, at)
    advance(current, current.to_resolved, _("完成"), resolved_at=at, restored_at=current.restored_at or at)
    report = _write_report(current, sheet, by=by, at=at)
    sla.meet(current, "restoration", at=at)
    sla.meet(current, "fix", at=at)
    if current.device:
        devices.release(current.device, release=sheet.release, note=report.release_note, by=by, at=at)
    publish(
        events.TicketResolved(
            **envelope(current),
            at=at,
            by=actor(by),
            cause=sheet.cause,
            action=sheet.action,
            release=sheet.release,
            assignee=current.assignee.person.public_id if current.assignee else "",
        )
    )
    if not current.children.filter(state__in=OPEN).exists():
        _ask_ward(current, at=at)
    return current


def _write_report(ticket: Ticket, sheet: FinishSheet, *, by: User, at: datetime) -> RepairReport:
    worked = sum(((e.ended_at or at) - e.started_at).total_seconds() for e in ticket.time_entries.filter(user=by))
    report = RepairReport.objects.create(
        ticket=ticket,
        cause=sheet.cause,
        action=sheet.action,
        diagnosis=clean_text(sheet.diagnosis, limit=500)[0],
        tests=[dict(t) for t in sheet.tests],
        release=sheet.release,
        release_note=clean_text(sheet.release_note, limit=200)[0],
        minutes=round(worked / 60) if sheet.minutes is None else sheet.minutes,
        by=by.person,
        at=at,
    )
    ticket.attachments.filter(pk__in=[file.pk for file in sheet.files]).update(report=report)
    record.add_parts(ticket, sheet.parts, by=by, at=at)
    content = orjson.dumps(
        {"ticket": ticket.public_id, "release": report.release, "note": report.release_note, "tests": report.tests},
        option=orjson.OPT_SORT_KEYS,
    )
    Signature.objects.create(
        ticket=ticket,
        meaning="release",
        signer=by.person,
        signer_role=str(by.get_role_display()),
        content_hash=hashlib.sha256(content).hexdigest(),
        by=by.person,
        at=at,
    )
    return report


def _ask_ward(ticket: Ticket, *, at: datetime) -> None:
    advance(ticket, ticket.to_verifying, _("请病区验收"))
    life_support = bool(ticket.device and ticket.device.type.life_support)
    if rules.closes_by_itself(priority=ticket.highest_priority, life_support=life_support):
        timers.set_timer(
            f"autoclose:{ticket.pk}",
            at + rules.AUTO_CLOSE_AFTER,
            "tickets.lifecycle.jobs.close_when_silent",
            ticket.pk,
        )
    timers.set_timer(
        f"remind:{ticket.pk}", at + rules.REMIND_WARD_AFTER, "tickets.lifecycle.jobs.remind_ward", ticket.pk
    )
    publish(events.VerificationRequested(**envelope(ticket), at=at))


@transaction.atomic
def confirm(
    ticket: Ticket,
    *,
    by: Actor,
    at: datetime,
    name: str = "",
    role: str = "",
    version: int | None = None,
) -> Ticket:
    """The ward says it works: closed. A life-support device needs the name of who released it. `TicketClosed`."""
    current = lock(ticket, version=version)
    person = person_of(by)
    named = name.strip() if says_something(name) else person.name if person else ""
    if current.device and current.device.type.life_support and not named:
        raise Invalid(_("生命支持设备要写验收人姓名。"), fields={"name": _("写验收人姓名。")})
    _end(current, current.to_closed, _("验收"), at=at)
    Signature.objects.create(
        ticket=current,
        meaning="accept",
        signer=person or (_guest(named) if named else None),
        signer_role=role[:40],
        content_hash=hashlib.sha256(f"{current.public_id}:{current.version}".encode()).hexdigest(),
        by=person,
        at=at,
    )
    publish(events.TicketClosed(**envelope(current), at=at, by=reporter(by), how="confirmed"))
    _release_parent(current, at=at)
    return current


@transaction.atomic
def dispute(ticket: Ticket, *, by: Actor, at: datetime, reason: str = "", version: int | None = None) -> Ticket:
    """Still broken: the ticket opens again, fix and restoration run on from the report time. `TicketReopened`."""
    current = lock(ticket, version=version)
    if current.state not in (State.RESOLVED, State.VERIFYING):
        raise NotAllowedNow(
            _("这张单现在是“%(state)s”，不能%(verb)s。看最新。")
            % {"state": current.get_state_display(), "who": "", "verb": _("退回重修")}
        )
    return _reopen(current, by=by, at=at, how="disputed", reason=reason)


@transaction.atomic
def reopen(ticket: Ticket, *, by: Actor, at: datetime, reason: str, version: int | None = None) -> Ticket:
    """The desk opens a closed ticket again within 7 days. `TicketReopened`."""
    current = lock(ticket, version=version)
    if not says_something(reason):
        raise Invalid(_("写明重新打开的原因。"), fields={"reason": _("写明重新打开的原因。")})
    if current.state == State.CLOSED and current.ended_at and at - current.ended_at > rules.REOPEN_WITHIN:
        raise NotAllowedNow(_("关闭超过 7 天，请新建工单。"))
    return _reopen(current, by=by, at=at, how="desk", reason=reason)


def _reopen(ticket: Ticket, *, by: Actor, at: datetime, how: str, reason: str) -> Ticket:
    previous = ticket.assignee
    advance(
        ticket,
        ticket.to_reopened,
        _("重新打开"),
        reopen_count=ticket.reopen_count + 1,
        assignee=None,
        assigned_at=None,
        accepted_at=None,
        departed_at=None,
        eta_at=None,
        resolved_at=None,
        restored_at=None if ticket.backup_device_id is None else ticket.restored_at,
        ended_at=None,
        rating=None,  # of a repair that did not hold; the log keeps it
        rating_reasons=[],
        answers=ticket.answers | {"failed_engineer": previous.pk if previous else None},
    )
    _cancel_timers(ticket)
    sla.unmeet(ticket, ["fix"] if ticket.restored_at else ["restoration", "fix"], at=at)
    if says_something(reason):
        record.comment(ticket, text=reason, by=by, at=at)
    publish(events.TicketReopened(**envelope(ticket), at=at, by=reporter(by), how=how))
    stop_if_dangerous(ticket, by=by, at=at)
    return ticket


@transaction.atomic
def close(
    ticket: Ticket, *, by: Actor, at: datetime, reason: str = "", automatic: bool = False, version: int | None = None
) -> Ticket:
    """The desk closes without the ward, with a reason; or 48 h of silence do. `TicketClosed`."""
    current = lock(ticket, version=version)
    if not automatic and not says_something(reason):
        raise Invalid(_("写明关闭原因。"), fields={"reason": _("写明关闭原因。")})
    _end(current, current.to_closed, _("关闭"), at=at)
    if says_something(reason):
        record.comment(current, text=reason, by=by, at=at)
    publish(events.TicketClosed(**envelope(current), at=at, by=actor(by), how="automatic" if automatic else "desk"))
    _release_parent(current, at=at)
    return current


@transaction.atomic
def cancel(
    ticket: Ticket,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    before_acceptance: bool = False,
    version: int | None = None,
) -> Ticket:
    """Withdrawn. The ward may only before somebody accepted (`before_acceptance`). `TicketCancelled`."""
    current = lock(ticket, version=version)
    if before_acceptance and current.state not in rules.BEFORE_ACCEPTANCE:
        raise NotAllowedNow(_("已有人接单，不能撤销。修好了请点“已恢复”，或打电话。"))
    if not before_acceptance and not says_something(reason):
        raise Invalid(_("写明撤销原因。"), fields={"reason": _("写明撤销原因。")})
    was_paused = current.state == State.PAUSED
    _end(current, current.to_cancelled, _("撤销"), at=at)
    if was_paused:
        end_pause(current, by=by, at=at, automatic=False)
    if says_something(reason):
        record.comment(current, text=reason, by=by, at=at)
    publish(events.TicketCancelled(**envelope(current), at=at, by=reporter(by)))
    _release_parent(current, at=at)
    return current


@transaction.atomic
def reject(ticket: Ticket, *, by: Actor, at: datetime, reason: str, version: int | None = None) -> Ticket:
    """Not a repair: the desk turns it down with a reason the ward reads. `TicketRejected`."""
    current = lock(ticket, version=version)
    if not says_something(reason):
        raise Invalid(_("写明驳回原因。"), fields={"reason": _("写明驳回原因。")})
    _end(current, current.to_rejected, _("驳回"), at=at)
    record.comment(current, text=reason, by=by, at=at)
    publish(events.TicketRejected(**envelope(current), at=at, by=actor(by)))
    _release_parent(current, at=at)
    return current


@transaction.atomic
def rate(ticket: Ticket, *, rating: int, by: Actor, at: datetime, reasons: Sequence[str] = ()) -> Ticket:
    """One tap after the repair: 3 满意, 2 一般, 1 不满意; said once, the same tap again changes nothing. `TicketRated`."""
    current = lock(ticket)
    if rating not in (1, 2, 3):
        raise Invalid(_("选满意、一般或不满意。"), fields={"rating": _("选满意、一般或不满意。")})
    if current.state not in (State.VERIFYING, State.CLOSED):
        raise NotAllowedNow(_("修好以后再评价。"))
    if current.rating == rating:
        return current
    if current.rating is not None:
        raise NotAllowedNow(_("已收到评价，不能再改。"))
    current.rating, current.rating_reasons = rating, [str(r)[:40] for r in reasons][:5]
    current.version += 1
    current.save(update_fields=["rating", "rating_reasons", "version", "updated_at"])
    publish(events.TicketRated(**envelope(current), at=at, by=reporter(by), rating=rating))
    return current


def _end(ticket: Ticket, edge: Any, verb: str, *, at: datetime) -> None:
    open_children = ticket.children.filter(state__in=OPEN).count()
    if open_children:
        raise NotAllowedNow(_("还有 %(n)s 张下级工单没有结束。") % {"n": open_children})
    close_time_entries(ticket, at)
    advance(ticket, edge, verb, ended_at=at, hold_reason=None, hold_until=None, held_from=None)
    sla.stop(ticket, at=at)
    _cancel_timers(ticket)


def _cancel_timers(ticket: Ticket) -> None:
    for key in ("autoclose", "remind"):
        timers.cancel_timer(f"{key}:{ticket.pk}")


def _release_parent(ticket: Ticket, *, at: datetime) -> None:
    """The last child's end lets a resolved parent go to the ward."""
    if ticket.parent_id is None:
        return
    parent = lock(Ticket(pk=ticket.parent_id))
    if parent.state == State.RESOLVED and not parent.children.filter(state__in=OPEN).exists():
        _ask_ward(parent, at=at)


def _guest(name: str) -> Person:
    return Person.objects.create(name=clean_text(name, limit=40)[0], kind=Person.Kind.REPORTER)
