"""Every fact this app announces. Ids and codes only: no names, no free text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from config.kernel.events import Event
from tickets.events import TicketEvent


@dataclass(frozen=True, kw_only=True)
class NobodyAvailable(TicketEvent):
    """No engineer on site or on call may take this ticket: red banner, tell the lead. `codes` is why, most often first.

    `make_safe` is the nearest person on site, who may secure a P1 and bring the backup but not repair.
    """

    codes: tuple[str, ...] = ()
    make_safe: str = ""


@dataclass(frozen=True, kw_only=True)
class SuggestionMade(TicketEvent):
    """A dispatcher is asked to confirm `to`."""

    to: str
    decision: int


@dataclass(frozen=True, kw_only=True)
class WorkInterrupted(TicketEvent):
    """`engineer` was called off this ticket to the P1 `for_ticket`; `how` is paused or given_back. A human is told."""

    engineer: str
    for_ticket: str
    how: str


@dataclass(frozen=True, kw_only=True)
class ReviewWanted(TicketEvent):
    """The ticket went out at once; a human should look at why. `reasons` are codes."""

    to: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AcceptanceTimedOut(TicketEvent):
    """`engineer` did not accept in time; the next one is asked."""

    engineer: str


@dataclass(frozen=True, kw_only=True)
class MatchingDegraded(TicketEvent):
    """The optimiser failed for the batch this ticket was in; `mode` is the simpler way that was used."""

    mode: str
    failure: str


@dataclass(frozen=True, kw_only=True)
class RosterChanged(Event):
    """Somebody's duty or absence is different from now on or later. `kind`: shift, shift_removed, leave, leave_ended."""

    about: ClassVar[str] = "engineer"

    engineer: str
    kind: str
    starts: datetime
    ends: datetime
