"""Starting, meeting, pausing, re-basing and stopping a ticket's clocks. Each runs in the caller's transaction.

The append-only rows (`Pause`, `PauseEnd`, `Rebase`, `Alert`) are the truth; what a `Clock` row says about due times and
the next step is computed from them and may be computed again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import Person
from config.kernel.errors import Conflict
from config.kernel.events import publish
from tickets import events
from tickets.record.models import HoldReason, Ticket
from tickets.record.queries import envelope
from tickets.sla import rules
from tickets.sla.models import Alert, Clock, Pause, PauseEnd, Rebase, Target
from tickets.sla.queries import pauses_of, rulebook

COMPUTED = ["due_at", "warn_at", "next_at", "paused"]


def decide_priority(
    *, impact: str, criticality: str, danger: Sequence[str], backups_short: bool, repeat: bool
) -> tuple[int, list[str]]:
    """Priority 1 to 4 from the hospital's matrix and the codes of what decided it (`rules.decide`). Changes nothing."""
    decision = rules.decide(
        impact,
        criticality,
        danger=bool(danger),
        backups_short=backups_short,
        repeat=repeat,
        matrix=rulebook().matrix,
    )
    return decision.priority, list(decision.reasons)


def start_clocks(ticket: Ticket, *, at: datetime) -> list[Clock]:
    """Afterwards every metric that has a target for the ticket's priority counts from the report. One query."""
    _inside_transaction()
    targets = rulebook().targets_of(ticket.priority)
    clocks = [_new_clock(ticket, metric, target) for metric, target in targets.items()]
    for clock in clocks:
        compute(clock, spans=[], rebases=0, fired=())
    return Clock.objects.bulk_create(clocks)


def meet(ticket: Ticket, metric: str, *, at: datetime) -> None:
    """Afterwards the metric is met and its clock says nothing more; a second call changes nothing.

    Met late although the clock process never announced it: the breach is recorded and `SlaBreached` published now. A
    clock that was stopped promised nothing any more; only the moment is kept, for the day its promise returns.
    """
    _inside_transaction()
    clock = Clock.objects.select_for_update().filter(ticket=ticket, metric=metric).first()
    if clock is None or clock.met_at is not None:
        return
    was_missed = at > clock.due_at and clock.breached_at is None and not clock.paused and clock.stopped_at is None
    clock.met_at, clock.next_at, clock.paused = at, None, False
    if was_missed:
        clock.breached_at = clock.due_at
    clock.save(update_fields=["met_at", "next_at", "paused", "breached_at"])
    if was_missed:
        step = step_key("breach", _rebases(ticket))
        Alert.objects.create(clock=clock, step=step, due_at=clock.due_at, at=at)
        publish(events.SlaBreached(**envelope(ticket), at=at, metric=clock.metric, due=clock.due_at))


def unmeet(ticket: Ticket, metrics: Collection[str], *, at: datetime) -> None:
    """Reopened: these clocks run again towards the due time they had. Steps that fired stay fired.

    What the ticket's priority of today does not promise stays stopped.
    """
    _inside_transaction()
    promised = rulebook().targets_of(ticket.priority)
    clocks = list(Clock.objects.select_for_update().filter(ticket=ticket, metric__in=metrics))
    for clock in clocks:
        clock.met_at = None
        clock.stopped_at = None if clock.metric in promised else clock.stopped_at or at
    _recompute(ticket, clocks, at=at, also=["met_at", "stopped_at"])


def pause(
    ticket: Ticket,
    *,
    reason: HoldReason,
    until: datetime,
    by: Person | None,
    at: datetime,
    note: str = "",
    owner: str = "",
) -> Pause:
    """Afterwards work waits from `at`, expected to end at `until`; pausable clocks stand still if the reason stops them.

    `Conflict` when the ticket waits already. The caller announces it and sets the timer that resumes.
    """
    _inside_transaction()
    if Pause.objects.filter(ticket=ticket, end__isnull=True).exists():
        raise Conflict(_("这张单已经暂停。"))
    row = Pause.objects.create(
        ticket=ticket,
        reason=reason,
        owner=owner,
        note=note,
        started_at=at,
        expected_end_at=until,
        by=by,
    )
    if reason.stops_clock:
        running = Clock.objects.filter(ticket=ticket, pausable=True, met_at__isnull=True, stopped_at__isnull=True)
        running.update(paused=True, next_at=None)
    return row


def resume(ticket: Ticket, *, by: Person | None, at: datetime, automatic: bool = False) -> None:
    """Afterwards the wait has ended and the clocks run on with its working time added; nothing if there was none.

    A wait never lasts longer than it said: when the clock process was down at the expected end, it ended there.
    """
    _inside_transaction()
    row = Pause.objects.filter(ticket=ticket, end__isnull=True).first()
    if row is None:
        return
    ended_at = max(row.started_at, min(at, row.expected_end_at))
    PauseEnd.objects.create(pause=row, at=ended_at, automatic=automatic, by=by)
    waiting = Clock.objects.select_for_update().filter(ticket=ticket, pausable=True, met_at__isnull=True)
    _recompute(ticket, [clock for clock in waiting if clock.running], at=at)


def undo_pause(ticket: Ticket, *, by: Person | None, at: datetime) -> None:
    """Afterwards the wait never lasted: it ends where it began, and the clocks run as if it had not been."""
    _inside_transaction()
    row = Pause.objects.filter(ticket=ticket, end__isnull=True).first()
    if row is None:
        return
    PauseEnd.objects.create(pause=row, at=row.started_at, automatic=False, by=by)
    waiting = Clock.objects.select_for_update().filter(ticket=ticket, pausable=True, met_at__isnull=True)
    _recompute(ticket, [clock for clock in waiting if clock.running], at=at)


def undo_resume(ticket: Ticket, *, by: Person | None, at: datetime) -> None:
    """Afterwards the wait goes on where it had ended, without a gap: the rows join to one, and the clocks stand."""
    _inside_transaction()
    last = Pause.objects.filter(ticket=ticket, end__isnull=False).order_by("-end__pk").first()
    if last is None:
        return
    row = Pause.objects.create(
        ticket=ticket,
        reason=last.reason,
        owner=last.owner,
        note=last.note,
        started_at=last.end.at,
        expected_end_at=last.expected_end_at,
        by=by,
    )
    if not row.reason.stops_clock:
        return
    began, pauses = row.started_at, [pause for pause in pauses_of(ticket) if pause.ended_at is not None]
    for pause in reversed(pauses):
        began = pause.started_at if pause.ended_at == began else began
    spans = rules.settled([(p.started_at, p.ended_at) for p in pauses if p.ended_at and p.ended_at <= began], at)
    clocks = [c for c in Clock.objects.select_for_update().filter(ticket=ticket, pausable=True) if c.running]
    for clock in clocks:
        clock.paused = True
        compute(clock, spans=spans, rebases=0, fired=())
    Clock.objects.bulk_update(clocks, COMPUTED)


def rebase(
    ticket: Ticket,
    *,
    from_priority: int,
    to_priority: int,
    reason: str,
    by: Person | None,
    at: datetime,
) -> None:
    """Afterwards every clock counts the new target from the report, pauses and met times kept, steps ahead anew.

    Clocks that the new priority lacks are stopped, those it adds are started. Alerts that fired stay on record: a lower
    priority never removes a breach from the books. The caller announces `PriorityChanged`.
    """
    _inside_transaction()
    Rebase.objects.create(
        ticket=ticket, at=at, from_priority=from_priority, to_priority=to_priority, reason=reason[:200], by=by
    )
    targets = rulebook().targets_of(to_priority)
    known = {clock.metric: clock for clock in Clock.objects.select_for_update().filter(ticket=ticket)}
    for metric, clock in known.items():
        if metric in targets:
            _retarget(clock, targets[metric], clock.started_at)
        elif clock.running:
            clock.stopped_at, clock.next_at, clock.paused = at, None, False
    added = [_new_clock(ticket, metric, target) for metric, target in targets.items() if metric not in known]
    for clock in added:
        clock.priority = to_priority
        compute(clock, spans=[], rebases=0, fired=())
    Clock.objects.bulk_create(added)
    columns = ["priority", "calendar", "target_minutes", "pausable", "warned_at", "breached_at", "stopped_at"]
    _recompute(ticket, [*known.values(), *added], at=at, also=columns)


def stop(ticket: Ticket, *, at: datetime) -> None:
    """The ticket has ended: what still ran is stopped and never fires again."""
    _inside_transaction()
    running = Clock.objects.filter(ticket=ticket, met_at__isnull=True, stopped_at__isnull=True)
    running.update(stopped_at=at, next_at=None, paused=False)


# How a clock row follows from the rules. ------------------------------------------------------------------------------


def step_key(key: str, rebases: int) -> str:
    """A step's name in the alerts: after the n-th re-basing the same step may fire once more."""
    return f"{key}@{rebases}" if rebases else key


def steps_of(clock: Clock, spans: Sequence[rules.Span], rebases: int) -> list[rules.Step]:
    """Every step of a clock in order, keyed as its alerts are."""
    book = rulebook()
    steps = rules.schedule(
        book.calendar(clock.calendar_id),
        timedelta(minutes=clock.target_minutes),
        clock.started_at,
        book.ladder(clock.priority, clock.metric),
        spans if clock.pausable else [],
    )
    return [rules.Step(step.at, step.kind, step_key(step.key, rebases), step.rung_id) for step in steps]


def compute(clock: Clock, *, spans: Sequence[rules.Span], rebases: int, fired: Collection[str]) -> None:
    """Set due, warning and next step from the rules; a clock that stands still or has ended has no next step."""
    steps = steps_of(clock, spans, rebases)
    at = {step.kind: step.at for step in steps if step.kind != "rung"}
    clock.warn_at, clock.due_at = at["warning"], at["breach"]
    following = rules.next_step(steps, fired)
    clock.next_at = following.at if following and clock.running and not clock.paused else None


def _recompute(ticket: Ticket, clocks: Sequence[Clock], *, at: datetime, also: Sequence[str] = ()) -> None:
    """Write clocks anew from all pauses, re-basings and alerts of the ticket: four queries, however many clocks."""
    if not clocks:
        return
    pauses = pauses_of(ticket)
    spans = rules.settled([(pause.started_at, pause.ended_at) for pause in pauses], at)
    holds = any(pause.ended_at is None for pause in pauses)
    rebases = _rebases(ticket)
    fired = set(Alert.objects.filter(clock__in=clocks).values_list("clock_id", "step"))
    for clock in clocks:
        clock.paused = holds and clock.pausable and clock.running
        compute(clock, spans=spans, rebases=rebases, fired={step for pk, step in fired if pk == clock.pk})
        if clock.met_at and "breached_at" in also:
            clock.breached_at = clock.due_at if clock.met_at > clock.due_at else None
    Clock.objects.bulk_update(clocks, [*COMPUTED, *also])


def _new_clock(ticket: Ticket, metric: str, target: Target) -> Clock:
    clock = Clock(ticket=ticket, metric=metric, started_at=ticket.reported_at)
    _retarget(clock, target, ticket.reported_at)
    return clock


def _retarget(clock: Clock, target: Target, reported_at: datetime) -> None:
    clock.priority, clock.calendar_id, clock.pausable = target.priority, target.calendar_id, target.pausable
    clock.target_minutes = rulebook().minutes_for(target, reported_at)
    clock.warned_at = clock.breached_at = clock.stopped_at = None


def _rebases(ticket: Ticket) -> int:
    return Rebase.objects.filter(ticket=ticket).count()


def _inside_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("The clocks of a ticket change only together with the ticket: open a transaction first")
