"""From the report to an engineer's name: submit, triage, assign, unassign, reprioritise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from assets.places.models import Department, Location, User
from assets.register import queries as register
from assets.register.models import Device, FaultPreset
from config.kernel.errors import Conflict, Invalid, NotAllowedNow
from config.kernel.events import publish
from tickets import events
from tickets.lifecycle import rules
from tickets.lifecycle.services.steps import Actor, advance, close_time_entries, end_pause, stop_if_dangerous
from tickets.record import services as record
from tickets.record.models import Danger, Source, State, Ticket
from tickets.record.queries import Past, envelope, past_of, search_words
from tickets.record.rules import clean_text, says_something
from tickets.record.services import actor, lock, person_of, reporter
from tickets.sla import services as sla


@transaction.atomic
def submit(  # noqa: PLR0913 - a report has that many parts
    *,
    device: Device | None,
    preset: FaultPreset | None = None,
    in_use: bool | None = None,
    danger: Sequence[str] = (),
    description: str = "",
    source: str = Source.SCAN,
    by: Actor,
    at: datetime,
    client_id: UUID | None = None,
    client_reported_at: datetime | None = None,
    department: Department | None = None,
    location: Location | None = None,
    contact_ext: str = "",
    needs_callback: bool = False,
    duplicate_of: Ticket | None = None,
    parent: Ticket | None = None,
    past: Past | None = None,
) -> Ticket:
    """A new ticket, classified by rules, with running clocks. The same report with the same `client_id` again returns the
    first ticket; another one with it is a Conflict, for it would be lost.

    `TicketSubmitted` and `TicketTriaged`; a report over the limits (`needs_callback`) that is not a P1 stays `new`
    until the desk has called back. A danger flag, ticked or usual for that fault, puts the device out of use at once.
    """
    unknown = set(danger) - set(Danger.values)
    if unknown:
        raise Invalid(_("不认识的危险标志。"), fields={"danger": _("只能选列出的项。")})
    danger = rules.with_usual(danger, preset.default_danger if preset else ())
    home = department or (device.department if device else None)
    if home is None:
        raise Invalid(_("选设备或科室。"), fields={"device": _("选设备或科室。")})
    text, found = clean_text(description, limit=500)
    said = (device, preset, person_of(by), text)
    if known := _sent_before(client_id, said, danger=danger, in_use=in_use):
        return known
    if parent is not None and not lock(parent).is_open:
        raise NotAllowedNow(_("上级工单已经结束。"))
    past = past or past_of(device, preset, at)
    earlier = past.repeat_of
    impact = rules.impact_of(in_use=in_use, default=preset.default_impact if preset else "I3", danger=danger)
    criticality = device.criticality if device else "C4"
    priority, reasons = sla.decide_priority(
        impact=impact,
        criticality=criticality,
        danger=danger,
        backups_short=past.backups_short,
        repeat=earlier is not None,
    )
    ticket = Ticket(
        source=source,
        client_id=client_id,
        device=device,
        department=home,
        location=location or (device.location if device else home.location),
        preset=preset,
        in_use=in_use,
        danger=sorted(set(danger)),
        description=text,
        answers={"masked": found} if found else {},
        category=preset.category if preset else "other",
        impact=impact,
        criticality=criticality,
        priority=priority,
        highest_priority=priority,
        priority_reasons=reasons,
        reporter=person_of(by),
        contact_ext=contact_ext or home.extension,
        repeat_of=earlier,
        duplicate_of=duplicate_of,
        parent=parent,
        needs_callback=needs_callback,
        reported_at=at,
        client_reported_at=client_reported_at,
    )
    if priority == 1 or not needs_callback:
        ticket.to_triaged()
        ticket.triaged_at = at
    try:
        # What came twice at the same moment meets here; undone to here, the second gives its number back.
        with transaction.atomic(savepoint=client_id is not None):
            ticket.number = record.next_number(at)  # late: from here to the commit no other report goes on
            ticket.search_text = search_words(ticket.number, device, preset, home, text)
            ticket.save()
    except IntegrityError:
        if known := _sent_before(client_id, said, danger=danger, in_use=in_use):
            return known
        raise
    record.first_watcher(ticket, by=ticket.reporter, client_id=client_id, at=at)
    ticket.first_dues = {clock.metric: clock.due_at for clock in sla.start_clocks(ticket, at=at)}
    submitted = events.TicketSubmitted(
        **envelope(ticket),
        at=at,
        by=reporter(by),
        source=source,
        symptom=ticket.symptom,
        in_use=in_use,
        danger=tuple(ticket.danger),
        repeat_of=earlier.public_id if earlier else "",
    )
    publish(submitted, *([_triaged(ticket, by=None, at=at)] if ticket.state == State.TRIAGED else []))
    stop_if_dangerous(ticket, by=by, at=at)
    return ticket


def _sent_before(
    client_id: UUID | None, said: tuple[object, ...], *, danger: Sequence[str], in_use: bool | None
) -> Ticket | None:
    """The ticket that this `client_id` made. Conflict when it was another report."""
    if client_id is None:
        return None
    known = Ticket.objects.filter(client_id=client_id).select_related("device").first()
    if known is None:
        return None
    if said != (known.device, known.preset, known.reporter, known.description) or (
        set(danger) - set(known.danger) or (in_use and not known.in_use)  # others may have made it worse since
    ):
        raise Conflict(_("这个 client_id 已用于另一次报修。换一个新的再发。"))
    return known


def _triaged(ticket: Ticket, *, by: Actor, at: datetime) -> events.TicketTriaged:
    return events.TicketTriaged(
        **envelope(ticket),
        at=at,
        by=actor(by),
        impact=ticket.impact,
        criticality=ticket.criticality,
        reasons=tuple(ticket.priority_reasons),
    )


@transaction.atomic
def triage(
    ticket: Ticket,
    *,
    by: Actor,
    at: datetime,
    preset: FaultPreset | None = None,
    impact: str = "",
    version: int | None = None,
) -> Ticket:
    """A person (re)classifies a ticket that nobody works on yet. `TicketTriaged`; a changed priority re-bases the clocks."""
    current = lock(ticket, version=version)
    if current.state not in (State.NEW, State.TRIAGED):
        raise NotAllowedNow(_("这张单现在是“%(state)s”，不用再分级。") % {"state": current.get_state_display()})
    if impact and impact not in FaultPreset.Impact.values:
        raise Invalid(_("影响等级是 I1 到 I4。"), fields={"impact": _("影响等级是 I1 到 I4。")})
    if preset:
        current.preset, current.category = preset, preset.category
        current.danger = rules.with_usual(current.danger, preset.default_danger)
    current.impact = impact or (
        rules.impact_of(in_use=current.in_use, default=preset.default_impact, danger=current.danger)
        if preset
        else current.impact
    )
    priority, reasons = sla.decide_priority(
        impact=current.impact,
        criticality=current.criticality,
        danger=current.danger,
        backups_short=bool(current.device and register.backups_short(current.device)),
        repeat=current.repeat_of_id is not None,
    )
    before, current.priority, current.priority_reasons = current.priority, priority, reasons
    current.highest_priority = min(current.highest_priority, priority)
    current.needs_callback = False
    if current.state == State.NEW:
        advance(current, current.to_triaged, _("分级"), triaged_at=at)
    else:
        current.version += 1
        current.save()
    if before != priority:
        sla.rebase(current, from_priority=before, to_priority=priority, reason=_("重新分级"), by=person_of(by), at=at)
    publish(_triaged(current, by=by, at=at))
    stop_if_dangerous(current, by=by, at=at)
    return current


@transaction.atomic
def assign(
    ticket: Ticket,
    *,
    to: User,
    by: Actor,
    at: datetime,
    automatic: bool = False,
    reason: str = "",
    eta: datetime | None = None,
    version: int | None = None,
) -> Ticket:
    """Afterwards `to` has the ticket and must accept it. `TicketAssigned`. Taking it from somebody needs a reason."""
    current = lock(ticket, version=version)
    if not (to.is_active and to.role == User.Role.ENGINEER):
        raise Invalid(_("只能派给在用的工程师账号。"), fields={"to": _("只能派给在用的工程师账号。")})
    previous = current.assignee
    if previous and previous.pk == to.pk and current.state != State.REOPENED:
        raise NotAllowedNow(_("这张单已经在%(name)s手上。") % {"name": to.short_name})
    if previous and not automatic and not says_something(reason):
        raise Invalid(_("写明改派原因。"), fields={"reason": _("写明改派原因。")})
    if current.state == State.PAUSED:
        end_pause(current, by=by, at=at, automatic=False)
    close_time_entries(current, at)
    advance(
        current,
        current.to_assigned,
        _("派单"),
        assignee=to,
        assigned_at=at,
        eta_at=eta,
        accepted_at=None,
        departed_at=None,
        hold_reason=None,
        hold_until=None,
        held_from=None,
    )
    if says_something(reason):
        record.comment(current, text=reason, by=by, at=at, public=False)
    publish(
        events.TicketAssigned(
            **envelope(current),
            at=at,
            by=actor(by),
            to=to.person.public_id,
            automatic=automatic,
            previous=previous.person.public_id if previous else "",
        )
    )
    return current


@transaction.atomic
def unassign(ticket: Ticket, *, by: Actor, at: datetime, reason: str, holder: User | None = None) -> Ticket:
    """The ticket is free again. `reason`: refused, timed_out, preempted, by_hand. `holder` guards against a newer owner."""
    current = lock(ticket)
    if holder is not None and current.assignee_id != holder.pk:
        raise NotAllowedNow(_("这张单已经换了人。"))
    previous = current.assignee
    close_time_entries(current, at)
    advance(
        current,
        current.to_unassigned,
        _("退回"),
        assignee=None,
        assigned_at=None,
        accepted_at=None,
        departed_at=None,
        eta_at=None,
    )
    publish(
        events.TicketUnassigned(
            **envelope(current),
            at=at,
            by=actor(by),
            previous=previous.person.public_id if previous else "",
            reason=reason,
        )
    )
    return current


@transaction.atomic
def reprioritise(
    ticket: Ticket, *, priority: int, reason: str, by: Actor, at: datetime, version: int | None = None
) -> Ticket:
    """Another priority with a reason; every target is computed anew from the report time. `PriorityChanged`."""
    current = lock(ticket, version=version)
    if priority not in (1, 2, 3, 4):
        raise Invalid(_("优先级是 1 到 4。"), fields={"priority": _("优先级是 1 到 4。")})
    if not says_something(reason):
        raise Invalid(_("写明改优先级的原因。"), fields={"reason": _("写明改优先级的原因。")})
    if not current.is_open or current.state in (State.RESOLVED, State.VERIFYING):
        raise NotAllowedNow(_("这张单现在是“%(state)s”，不能改优先级。") % {"state": current.get_state_display()})
    before = current.priority
    if before == priority:
        return current
    text = clean_text(reason, limit=200)[0]
    current.priority = priority
    current.highest_priority = min(current.highest_priority, priority)
    current.version += 1
    current.save()
    sla.rebase(current, from_priority=before, to_priority=priority, reason=text, by=person_of(by), at=at)
    publish(events.PriorityChanged(**envelope(current), at=at, by=actor(by), previous=before))
    return current
