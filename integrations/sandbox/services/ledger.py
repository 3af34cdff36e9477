"""What hangs on a past ticket: clocks and waits, finish sheets and hours, parts, history of engineers, facts of the log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from assets.models import User
from config.kernel.events import Event
from dispatch.engineers.rules import HALF_LIFE_DAYS
from dispatch.models import Engineer, TrackRecord
from integrations.sandbox.rules import Course, SimTicket, dice
from tickets import events
from tickets.models import Alert, Clock, HoldReason, PartLine, Pause, PauseEnd, RepairReport, Ticket, TimeEntry
from tickets.record.queries import envelope
from tickets.sla.queries import rulebook
from tickets.sla.services import clocks as arithmetic

CAUSES = {"accessory": "accessory", "battery": "ageing", "software": "software", "network": "software",
          "mechanical": "damage", "pneumatic": "ageing", "cooling": "part", "display": "part"}  # fmt: skip
ACTIONS = {"accessory": "replace", "battery": "replace", "display": "replace", "software": "reset", "network": "reset",
           "sensor": "calibrate", "power": "replace"}  # fmt: skip
MET_BY = {"response": "accepted", "arrival": "arrived", "restoration": "restored", "fix": "resolved"}
PRICES = {"accessory": 180, "battery": 420, "display": 2600, "power": 1500}


@dataclass
class Chapter:
    """One past ticket with everything known about its course."""

    ticket: Ticket
    story: Course
    report: SimTicket
    engineer: User
    repeat_of: Ticket | None = None
    duplicate_of: Ticket | None = None

    def at(self, minutes: float) -> datetime:
        return self.ticket.reported_at + timedelta(minutes=minutes)

    @property
    def done(self) -> bool:
        return self.ticket.state == "closed"

    @property
    def waited(self) -> bool:
        return self.done and bool(self.story.hold)


def write_clocks(chapters: Sequence[Chapter]) -> None:
    """Clocks as the services would have left them, the waits that stopped them, one alert for each breach."""
    reasons = {r.code: r for r in HoldReason.objects.all()}
    waits = [c for c in chapters if c.waited]
    pauses = Pause.objects.bulk_create(
        [
            Pause(
                ticket=c.ticket,
                reason=reasons[c.story.hold],
                owner=reasons[c.story.hold].owner,
                started_at=c.at(c.story.paused),
                expected_end_at=c.at(c.story.resumed),
                by=c.engineer.person,
            )
            for c in waits
        ],
        batch_size=500,
    )
    PauseEnd.objects.bulk_create([PauseEnd(pause=p, at=p.expected_end_at, automatic=True) for p in pauses], 500)
    clocks = Clock.objects.bulk_create([clock for c in chapters for clock in _clocks(c)], batch_size=500)
    breached = [c for c in clocks if c.breached_at]
    Alert.objects.bulk_create([Alert(clock=c, step="breach", due_at=c.due_at, at=c.due_at) for c in breached], 500)


def _clocks(chapter: Chapter) -> list[Clock]:
    found = []
    spans = [(chapter.at(chapter.story.paused), chapter.at(chapter.story.resumed))] if chapter.waited else []
    for metric, target in rulebook().targets_of(chapter.ticket.priority).items():
        clock = arithmetic._new_clock(chapter.ticket, metric, target)
        if chapter.done:
            clock.met_at = chapter.at(getattr(chapter.story, MET_BY[metric]))
        else:
            clock.stopped_at = chapter.ticket.ended_at
        arithmetic.compute(clock, spans=spans, rebases=0, fired=())
        if clock.met_at and clock.met_at > clock.due_at:
            clock.breached_at = clock.due_at
        found.append(clock)
    return found


def write_reports(chapters: Sequence[Chapter], texts: Mapping[str, Any]) -> None:
    """Finish sheet, hours and, where something was replaced, the part."""
    reports, times, parts = [], [], []
    for c in (c for c in chapters if c.done):
        rng, ticket, at = dice(c.report.seed + 3), c.ticket, c.at(c.story.resolved)
        cause, action = _verdict(c, rng)
        pool = texts["not_found"] if cause == "not_found" else texts["diagnosis"][ticket.category]
        reports.append(
            RepairReport(
                ticket=ticket, at=at, by=c.engineer.person, cause=cause, action=action, diagnosis=rng.choice(pool),
                release="usable", minutes=round(c.story.hands_on),
                tests=[{"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True}],
            )
        )  # fmt: skip
        times += _hours(c)
        if action == "replace" and ticket.preset and ticket.preset.part:
            price = Decimal(round(PRICES.get(ticket.category, 300) * rng.uniform(0.6, 1.6)))
            line = PartLine(ticket=ticket, at=at, by=c.engineer.person, name=ticket.preset.part, unit_price=price)
            line.old_part_kept = rng.random() < 0.6
            parts.append(line)
    RepairReport.objects.bulk_create(reports, batch_size=500)
    TimeEntry.objects.bulk_create(times, batch_size=500)
    PartLine.objects.bulk_create(parts, batch_size=500)


def _verdict(chapter: Chapter, rng: Random) -> tuple[str, str]:
    if chapter.report.kind == "not_found":
        return "not_found", rng.choice(("reset", "train"))
    if chapter.ticket.category == "other":
        return rng.choice((("operation", "train"), ("environment", "repair"), ("part", "repair")))
    return CAUSES.get(chapter.ticket.category, "part"), ACTIONS.get(chapter.ticket.category, "repair")


def _hours(chapter: Chapter) -> list[TimeEntry]:
    """Work up to the wait and after it; no hours while waiting."""
    story = chapter.story
    spans = [(story.started, story.resolved)]
    if chapter.waited:
        spans = [(story.started, story.paused), (story.resumed, story.resolved)]
    return [
        TimeEntry(ticket=chapter.ticket, user=chapter.engineer, started_at=chapter.at(a), ended_at=chapter.at(b))
        for a, b in spans
    ]


def write_track_records(chapters: Sequence[Chapter], *, now: datetime) -> None:
    """Every engineer's attempts and first-time fixes by fault category, older visits fading as dispatch fades them."""
    came_back = {id(c.repeat_of) for c in chapters if c.repeat_of}
    sums: dict[tuple[int, str], list[float]] = {}
    for c in (c for c in chapters if c.done):
        age = (now - c.at(c.story.resolved)) / timedelta(days=1)
        weight = 0.5 ** (age / HALF_LIFE_DAYS)
        row = sums.setdefault((c.engineer.pk, c.ticket.category or "other"), [0.0, 0.0, 0.0])
        row[0] += weight
        row[1] += weight * (id(c.ticket) not in came_back)
        row[2] += weight * math.log(max(c.story.hands_on, 1.0))
    profiles = {e.user_id: e for e in Engineer.objects.all()}
    TrackRecord.objects.bulk_create(
        TrackRecord(
            engineer=profiles[user], category=category, attempts=row[0], first_fixes=row[1], log_minutes_sum=row[2]
        )
        for (user, category), row in sums.items()
    )


def facts_of(chapter: Chapter) -> list[Event]:
    """The facts of one past ticket, in order, as the services would have announced them."""
    ticket, story = chapter.ticket, chapter.story
    facts: list[Event] = []

    def say(kind: type[events.TicketEvent], state: str, minutes: float, by: str = "system", **rest: Any) -> None:
        facts.append(kind(**(envelope(ticket) | {"state": state}), at=chapter.at(minutes), by=by, **rest))

    say(
        events.TicketSubmitted, "triaged", 0, "qr", source=ticket.source, symptom=ticket.symptom, in_use=ticket.in_use,
        repeat_of=chapter.repeat_of.public_id if chapter.repeat_of else "",
    )  # fmt: skip
    say(
        events.TicketTriaged, "triaged", 0, impact=ticket.impact, criticality=ticket.criticality,
        reasons=tuple(ticket.priority_reasons),
    )  # fmt: skip
    if not chapter.done:
        say(events.TicketCancelled, "cancelled", min(4.0, story.accepted), "qr")
        return facts
    who = chapter.engineer.person.public_id if chapter.engineer.person else "system"
    say(events.TicketAssigned, "assigned", story.assigned, to=who, automatic=True)
    say(events.TicketAccepted, "accepted", story.accepted, who, to=who)
    say(events.TicketDeparted, "accepted", story.departed, who, eta=ticket.eta_at)
    say(events.TicketArrived, "arrived", story.arrived, who, scanned=ticket.arrival_by_scan)
    say(events.WorkStarted, "working", story.started, who)
    if story.restored < story.resolved:
        say(events.ServiceRestored, "working", story.restored, who, how="backup")
    if chapter.waited:
        until = chapter.at(story.resumed)
        say(events.WorkPaused, "paused", story.paused, who, reason=story.hold, until=until)
        say(events.WorkResumed, "working", story.resumed, automatic=True)
    cause, action = _verdict(chapter, dice(chapter.report.seed + 3))
    say(
        events.TicketResolved,
        "resolved",
        story.resolved,
        who,
        cause=cause,
        action=action,
        release="usable",
        assignee=who,
    )
    say(events.VerificationRequested, "verifying", story.resolved)
    how = "automatic" if story.automatic_close else "confirmed"
    say(events.TicketClosed, "closed", story.closed, "system" if story.automatic_close else "qr", how=how)
    if ticket.rating:
        say(events.TicketRated, "closed", story.closed + 0.3, "qr", rating=ticket.rating)
    return facts
