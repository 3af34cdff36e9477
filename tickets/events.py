"""Every fact this app announces. Ids and codes only: no names, no free text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class TicketEvent(Event):
    """`ticket` is the public id; `state` the state after the fact, `priority` 1 to 4."""

    ticket: str
    number: str
    state: str
    priority: int
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketSubmitted(TicketEvent):
    source: str
    symptom: str = ""
    in_use: bool | None = None
    danger: tuple[str, ...] = ()
    repeat_of: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketTriaged(TicketEvent):
    impact: str
    criticality: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TicketAssigned(TicketEvent):
    to: str
    automatic: bool
    previous: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketUnassigned(TicketEvent):
    previous: str
    reason: str  # refused | timed_out | preempted | by_hand


@dataclass(frozen=True, kw_only=True)
class TicketAccepted(TicketEvent):
    to: str


@dataclass(frozen=True, kw_only=True)
class TicketDeparted(TicketEvent):
    eta: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class TicketArrived(TicketEvent):
    scanned: bool
    location: str = ""
    how: str = ""  # scan | typed (a number read off the machine and keyed in) | hand (with a reason)


@dataclass(frozen=True, kw_only=True)
class WorkStarted(TicketEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class WorkPaused(TicketEvent):
    reason: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class WorkResumed(TicketEvent):
    automatic: bool = False


@dataclass(frozen=True, kw_only=True)
class StepUndone(TicketEvent):
    """A field step taken back within seconds. The fact of the step stays in the log; `state` is the one before it."""

    verb: str
    assignee: str = ""  # whose ticket it is again; empty = open to take


@dataclass(frozen=True, kw_only=True)
class ServiceRestored(TicketEvent):
    how: str  # backup | repaired
    backup: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketResolved(TicketEvent):
    cause: str
    action: str
    release: str
    assignee: str


@dataclass(frozen=True, kw_only=True)
class VerificationRequested(TicketEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class TicketClosed(TicketEvent):
    how: str  # confirmed | desk | automatic


@dataclass(frozen=True, kw_only=True)
class TicketReopened(TicketEvent):
    how: str  # disputed | desk


@dataclass(frozen=True, kw_only=True)
class TicketCancelled(TicketEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class TicketRejected(TicketEvent):
    pass


@dataclass(frozen=True, kw_only=True)
class PriorityChanged(TicketEvent):
    previous: int


@dataclass(frozen=True, kw_only=True)
class TicketNudged(TicketEvent):
    count: int
    impact: str = ""


@dataclass(frozen=True, kw_only=True)
class ReporterJoined(TicketEvent):
    """Somebody else reported the same device: one ticket, one more watcher."""

    watchers: int


@dataclass(frozen=True, kw_only=True)
class CommentAdded(TicketEvent):
    comment: int
    public: bool


@dataclass(frozen=True, kw_only=True)
class AttachmentAdded(TicketEvent):
    attachment: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class DeconDeclared(TicketEvent):
    decon: str


@dataclass(frozen=True, kw_only=True)
class TicketRated(TicketEvent):
    rating: int


@dataclass(frozen=True, kw_only=True)
class SlaWarned(TicketEvent):
    metric: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class SlaBreached(TicketEvent):
    metric: str
    due: datetime


@dataclass(frozen=True, kw_only=True)
class EscalationRaised(TicketEvent):
    metric: str
    due: datetime
    tell: str
    urgent: bool
    rung: int
