"""When -> then. In the transaction of the fact, database only; the round itself runs in the worker.

triaged, unassigned, paused, resolved, cancelled, reopened, re-prioritised, roster changed   match again
accepted, cancelled, unassigned                                                             no acceptance is due
unassigned (refused, by hand)                                                               not offered again
acceptance taken back                                                                       it is due again
assigned by a person                                                                        suggestions end
arrived by scan                                                                             walks start there
closed, disputed, repeated                                                                  history learns
on leave                                                                                    unbegun tickets are free
"""

from __future__ import annotations

from config.kernel.events import Event, react
from dispatch.engineers import services as engineers
from dispatch.events import RosterChanged
from dispatch.matching import services as matching
from dispatch.matching.queries import against_taking
from tickets import events as said
from tickets.lifecycle import services as lifecycle
from tickets.lifecycle.queries import TAKING_REASONS
from tickets.record.models import RepairReport, Ticket

lifecycle.TAKING_CHECKS.append(matching.check_may_take)
TAKING_REASONS.append(against_taking)


def _ticket(event: said.TicketEvent) -> Ticket:
    return Ticket.objects.select_related("location", "repeat_of").get(public_id=event.ticket)


@react(
    said.TicketTriaged,
    said.TicketUnassigned,
    said.WorkPaused,
    said.TicketResolved,
    said.TicketCancelled,
    said.TicketRejected,
    said.TicketReopened,
    said.PriorityChanged,
    RosterChanged,
)
def match_again(event: Event) -> None:
    matching.look_again()


@react(said.TicketAccepted, said.TicketCancelled, said.TicketRejected, said.TicketUnassigned)
def acceptance_is_settled(event: said.TicketEvent) -> None:
    matching.stop_waiting(_ticket(event))


@react(said.StepUndone)
def acceptance_is_due_again(event: said.StepUndone) -> None:
    if event.verb == "accept" and event.assignee:
        matching.wait_again(_ticket(event), at=event.at)
    elif event.verb == "accept":
        matching.look_again()


@react(said.TicketUnassigned)
def not_offered_again(event: said.TicketUnassigned) -> None:
    matching.keep_out(_ticket(event), event.previous, event.reason, at=event.at)


@react(said.TicketAssigned)
def given_out_by_hand(event: said.TicketAssigned) -> None:
    if not event.automatic:
        matching.note_by_hand(_ticket(event), event.to, at=event.at)


@react(said.TicketArrived)
def walks_start_here(event: said.TicketArrived) -> None:
    ticket = _ticket(event)
    if event.scanned and ticket.location and ticket.assignee_id:
        engineers.seen_at(ticket.assignee_id, ticket.location)


@react(said.TicketClosed)
def history_counts_a_fix(event: said.TicketClosed) -> None:
    _count(_ticket(event), fixed=True)


@react(said.TicketReopened)
def history_counts_a_miss(event: said.TicketReopened) -> None:
    if event.how == "desk":  # it had been closed, so it was counted as fixed
        _take_back(_ticket(event))
    else:
        _count(_ticket(event), fixed=False)


def _last_report(ticket: Ticket) -> RepairReport | None:
    return RepairReport.objects.filter(ticket=ticket, by__user__isnull=False).select_related("by__user").first()


def _count(ticket: Ticket, *, fixed: bool) -> None:
    report = _last_report(ticket)
    if report and report.by:
        engineers.count_visit(report.by.user.pk, category=ticket.category, fixed=fixed, minutes=max(report.minutes, 1))


@react(said.TicketSubmitted)
def a_repeat_was_no_fix(event: said.TicketSubmitted) -> None:
    if not event.repeat_of:
        return
    earlier = _ticket(event).repeat_of
    if earlier:
        _take_back(earlier)


def _take_back(ticket: Ticket) -> None:
    report = _last_report(ticket)
    if report and report.by:
        engineers.take_back_fix(report.by.user.pk, category=ticket.category)


@react(RosterChanged)
def unbegun_tickets_are_free(event: RosterChanged) -> None:
    if event.kind == "leave" and event.starts <= event.at:
        matching.free_tickets_of(event.engineer, at=event.at, until=event.ends)
