"""The engineer's own steps: accept, decline, depart, arrive, start, pause, resume."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import User
from assets.register import services as devices
from config.kernel import timers
from config.kernel.errors import Invalid, NotAllowedNow, Refused
from config.kernel.events import publish
from tickets import events
from tickets.lifecycle import rules
from tickets.lifecycle.services.opening import unassign
from tickets.lifecycle.services.steps import Actor, advance, close_time_entries, end_pause, resume_key
from tickets.lifecycle.services.undoing import remember, seen
from tickets.record import services as record
from tickets.record.models import Decon, HoldReason, State, Ticket
from tickets.record.queries import envelope
from tickets.record.rules import LONGEST_HOLD, clean_text, says_something
from tickets.record.services import actor, lock, person_of
from tickets.sla import services as sla

# Whoever knows the engineers (dispatch) adds a check here; it raises NotAllowedNow for somebody who may not take it.
TAKING_CHECKS: list[Callable[[Ticket, User, datetime], None]] = []


@transaction.atomic
def accept(ticket: Ticket, *, by: User, at: datetime, version: int | None = None) -> Ticket:
    """The engineer has it: response is met. On a free ticket this is 抢单, and the first one wins. `TicketAccepted`."""
    current = lock(ticket, version=version)
    if current.assignee_id not in (None, by.pk):
        raise NotAllowedNow(
            _("这张单已由%(name)s接走。") % {"name": current.assignee.short_name if current.assignee else ""}
        )
    if current.assignee_id is None:
        for check in TAKING_CHECKS:
            check(current, by, at)
    before = seen(current)
    advance(
        current,
        current.to_accepted,
        _("接单"),
        assignee=by,
        assigned_at=current.assigned_at or at,
        accepted_at=at,
    )
    sla.meet(current, "response", at=at)
    remember(current, "accept", before, by=by, at=at)
    publish(events.TicketAccepted(**envelope(current), at=at, by=actor(by), to=by.person.public_id))
    return current


@transaction.atomic
def decline(ticket: Ticket, *, by: User, at: datetime, reason: str, version: int | None = None) -> Ticket:
    """The engineer gives it back with a reason; dispatch looks for the next one. `TicketUnassigned(refused)`.

    Refused at the device: who has come hands the ticket over, or pauses it and says what it waits for.
    """
    current = lock(ticket, version=version)
    if current.assignee_id != by.pk:
        raise Refused(_("这张单不在你手上。"))
    if current.state not in (State.ASSIGNED, State.ACCEPTED):
        raise NotAllowedNow(
            _("这张单现在是“%(state)s”，不能%(verb)s。看最新。")
            % {"state": current.get_state_display(), "who": "", "verb": _("拒单")}
        )
    if not says_something(reason):
        raise Invalid(_("写明拒单原因。"), fields={"reason": _("写明拒单原因。")})
    record.comment(current, text=reason, by=by, at=at, public=False)
    return unassign(current, by=by, at=at, reason="refused", holder=by)


@transaction.atomic
def depart(
    ticket: Ticket, *, by: User, at: datetime, eta_minutes: int | None = None, version: int | None = None
) -> Ticket:
    """On the way; the ward sees when. `TicketDeparted`. Again is harmless."""
    current = lock(ticket, version=version)
    if current.state != State.ACCEPTED:
        raise NotAllowedNow(
            _("这张单现在是“%(state)s”，不能%(verb)s。看最新。")
            % {"state": current.get_state_display(), "who": "", "verb": _("出发")}
        )
    if current.departed_at is None:
        before = seen(current)
        current.departed_at = at
        current.eta_at = at + timedelta(minutes=eta_minutes) if eta_minutes else current.eta_at
        current.version += 1
        current.save()
        remember(current, "depart", before, by=by, at=at)
        publish(events.TicketDeparted(**envelope(current), at=at, by=actor(by), eta=current.eta_at))
    return current


@transaction.atomic
def arrive(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    scanned: bool = False,
    typed: bool = False,
    reason: str = "",
    version: int | None = None,
) -> Ticket:
    """At the device: arrival is met. A scan is the proof; a number keyed in or a reason given are marked as what they
    are. `TicketArrived`."""
    current = lock(ticket, version=version)
    before = seen(current)
    advance(current, current.to_arrived, _("到场"), arrived_at=current.arrived_at or at, arrival_by_scan=scanned)
    sla.meet(current, "arrival", at=at)
    remember(current, "arrive", before, by=by, at=at)
    if says_something(reason):
        record.comment(current, text=reason, by=by, at=at, public=False)
    publish(
        events.TicketArrived(
            **envelope(current),
            at=at,
            by=actor(by),
            scanned=scanned,
            how="scan" if scanned else "typed" if typed else "hand",
            location=current.location.code if current.location else "",
        )
    )
    return current


@transaction.atomic
def start(
    ticket: Ticket, *, by: User, at: datetime, decon: str = "", decon_note: str = "", version: int | None = None
) -> Ticket:
    """Work begins. Refused while the decontamination state is undeclared. `WorkStarted`."""
    current = lock(ticket, version=version)
    before = seen(current, current.device)
    if decon and (decon != current.decon or decon_note.strip() not in ("", current.decon_note)):
        record.declare_decon(current, decon=decon, note=decon_note, by=by, at=at)
        current = lock(ticket)
    if not rules.decon_allows_start(decon=current.decon, priority=current.priority, note=current.decon_note):
        if current.decon == Decon.IMPOSSIBLE:
            sentence = _("无法消毒的，写明有什么危险、怎么防护。")
        elif current.decon != Decon.DIRTY:
            sentence = _("先确认消毒状态，再开始维修。")
        elif current.priority == 1:
            sentence = _("这台还没消毒。先消毒，或写明防护措施。")
        else:
            sentence = _("这台还没消毒。先请病区消毒，再开始维修。")
        raise Invalid(sentence, fields={"decon": sentence}, code="decon_first")
    if current.state == State.ACCEPTED:
        raise NotAllowedNow(_("先到场，再开始维修。"))
    advance(current, current.to_working, _("开始维修"), started_at=current.started_at or at)
    current.time_entries.create(user=by, started_at=at)
    if current.device:
        devices.begin_repair(current.device, by=by, at=at)
    remember(current, "start", before, by=by, at=at)
    publish(events.WorkStarted(**envelope(current), at=at, by=actor(by)))
    return current


@transaction.atomic
def pause(
    ticket: Ticket,
    *,
    reason: HoldReason,
    by: Actor,
    at: datetime,
    until: datetime | None = None,
    note: str = "",
    version: int | None = None,
) -> Ticket:
    """Work waits for a stated reason and goes on by itself at `until`; clocks that may wait stand still. `WorkPaused`."""
    current = lock(ticket, version=version)
    until = until or at + timedelta(hours=reason.default_hours)
    if until <= at:
        raise Invalid(_("预计继续的时间要晚于现在。"), fields={"until": _("选一个以后的时间。")})
    if until > at + LONGEST_HOLD:
        sentence = _("最多暂停 %(n)s 天。") % {"n": LONGEST_HOLD.days}
        raise Invalid(sentence, fields={"until": sentence})
    before = seen(current)
    close_time_entries(current, at)
    held = current.state
    advance(current, current.to_paused, _("暂停"), hold_reason=reason, hold_until=until, held_from=held)
    sla.pause(
        current,
        reason=reason,
        until=until,
        by=person_of(by),
        at=at,
        note=clean_text(note, limit=200)[0],
        owner=reason.owner,
    )
    remember(current, "pause", before, by=by, at=at)
    timers.set_timer(resume_key(current), until, "tickets.lifecycle.jobs.resume_when_due", current.pk)
    publish(events.WorkPaused(**envelope(current), at=at, by=actor(by), reason=reason.code, until=until))
    return current


@transaction.atomic
def resume(ticket: Ticket, *, by: Actor, at: datetime, automatic: bool = False, version: int | None = None) -> Ticket:
    """The step that was held goes on, and the clocks that stood still run again with the wait added. `WorkResumed`."""
    current = lock(ticket, version=version)
    before = seen(current)
    advance(current, current.to_resumed, _("继续"), hold_reason=None, hold_until=None, held_from=None)
    end_pause(current, by=by, at=at, automatic=automatic)
    if current.assignee and not automatic and current.state == State.WORKING:
        current.time_entries.create(user=current.assignee, started_at=at)
    if not automatic:
        remember(current, "resume", before, by=by, at=at)
    publish(events.WorkResumed(**envelope(current), at=at, by=actor(by), automatic=automatic))
    return current
