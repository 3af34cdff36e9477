"""Ten seconds to take a field step back. The step stays in the log; a second fact says that it was undone.

Undone are accept, depart, arrive, start, pause, resume and restore. Not finish, decline and hand-over: they sign, free or
give away, and others act on that at once; these ask first instead.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import User
from assets.register import services as devices
from assets.register.models import Device
from config.kernel import timers
from config.kernel.errors import Conflict, NotAllowedNow, Refused
from config.kernel.events import publish
from tickets import events
from tickets.lifecycle.rules import UNDO_WITHIN
from tickets.lifecycle.services.steps import Actor, advance, resume_key
from tickets.record.models import LastStep, Ticket
from tickets.record.queries import envelope
from tickets.record.services import actor, lock, person_of
from tickets.sla import services as sla

_COLUMNS: Final = (
    "state", "assignee_id", "assigned_at", "accepted_at", "departed_at", "eta_at", "arrived_at", "arrival_by_scan",
    "started_at", "hold_reason_id", "hold_until", "held_from", "restored_at", "backup_device_id", "decon",
    "decon_note",
)  # fmt: skip
_MEETS: Final = {"accept": "response", "arrive": "arrival", "restore": "restoration"}
_TIMES: Final = ("hold_until", "status_since")


def seen(ticket: Ticket, device: Device | None = None) -> dict[str, Any]:
    """What a step may change on the locked ticket, and on `device` when it moves one too: ready for `remember`."""
    before = {name: _plain(getattr(ticket, name)) for name in _COLUMNS}
    if device:
        before["device"] = {name: _plain(getattr(device, name)) for name in ("status", "status_reason", "status_since")}
    return before


def remember(ticket: Ticket, verb: str, before: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Afterwards `by` may take this step back for a while. Steps of machines are not taken back."""
    person = person_of(by)
    if person is None:
        return
    LastStep.objects.update_or_create(
        ticket=ticket,
        defaults={"verb": verb, "by": person, "at": at, "version": ticket.version, "before": before},
    )


@transaction.atomic
def undo(ticket: Ticket, *, verb: str, by: User, at: datetime, version: int | None = None) -> Ticket:
    """The ticket, its clocks, its waiting and its device are as before the step `verb`. `StepUndone`.

    Refused for somebody else's step; Conflict (409) when anything happened since; NotAllowedNow after ten seconds.
    """
    current = lock(ticket, version=version)
    step = LastStep.objects.filter(ticket=current).first()
    if step is None or step.verb != verb or step.version != current.version:
        raise Conflict(
            _("这张单在这之后又有变化，现在是“%(state)s”，没有撤销。看最新。") % {"state": current.get_state_display()},
            code="stale",
        )
    if step.by_id != by.person_id:
        raise Refused(_("只有做这一步的人可以撤销。"))
    if at - step.at > UNDO_WITHIN:
        raise NotAllowedNow(_("已过 10 秒，不能撤销了。"))
    _give_back_device(current, step, by=by, at=at)
    declared = current.decon
    _put_back(current, step)
    _run_clocks_back(current, step, by=by, at=at)
    step.delete()
    if declared != current.decon:
        publish(events.DeconDeclared(**envelope(current), at=at, by=actor(by), decon=current.decon))
    publish(
        events.StepUndone(
            **envelope(current),
            at=at,
            by=actor(by),
            verb=verb,
            assignee=current.assignee.person.public_id if current.assignee else "",
        )
    )
    return current


def _give_back_device(ticket: Ticket, step: LastStep, *, by: User, at: datetime) -> None:
    """The device on the bench, or the backup, has the status again that it had."""
    before = step.before.get("device")
    device = ticket.backup_device if step.verb == "restore" else ticket.device
    if before and device and device.status != before["status"]:
        devices.take_back(
            device,
            to=before["status"],
            reason=before["status_reason"],
            since=_whole("status_since", before["status_since"]),
            by=by,
            at=at,
        )


def _put_back(ticket: Ticket, step: LastStep) -> None:
    columns = {name: _whole(name, step.before[name]) for name in _COLUMNS if name != "state"}
    state = step.before["state"]
    if state == ticket.state:  # on the way, a backup connected: the step had changed no state
        for name, value in columns.items():
            setattr(ticket, name, value)
        ticket.version += 1
        ticket.save()
        return
    advance(ticket, partial(ticket.to_undone, state), _("撤销"), **columns)


def _run_clocks_back(ticket: Ticket, step: LastStep, *, by: User, at: datetime) -> None:
    """What the step met is unmet, its wait never was or goes on, its hours are gone or run on."""
    met = ticket.clocks.filter(metric=_MEETS.get(step.verb, ""), met_at=step.at)
    sla.unmeet(ticket, list(met.values_list("metric", flat=True)), at=at)
    if step.verb == "pause":
        timers.cancel_timer(resume_key(ticket))
        sla.undo_pause(ticket, by=by.person, at=at)
        ticket.time_entries.filter(ended_at=step.at).update(ended_at=None)
    elif step.verb == "resume":
        sla.undo_resume(ticket, by=by.person, at=at)
        timers.set_timer(resume_key(ticket), _until(ticket, at), "tickets.lifecycle.jobs.resume_when_due", ticket.pk)
    if step.verb in ("start", "resume"):
        ticket.time_entries.filter(started_at=step.at, ended_at__isnull=True).delete()


def _until(ticket: Ticket, at: datetime) -> datetime:
    if ticket.hold_until is None or ticket.hold_until <= at:
        raise NotAllowedNow(_("等待的时间已到，不能撤销了。"))
    return ticket.hold_until


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _whole(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if value and (name.endswith("_at") or name in _TIMES) else value
