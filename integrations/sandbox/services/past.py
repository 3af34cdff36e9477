"""18 months of simulated tickets, written in bulk: consistent times, clocks, reports, ratings and log rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from assets.register.models import Device, FaultPreset
from config.kernel import log
from config.kernel.events import Event
from dispatch.engineers.services import count_visit
from integrations.sandbox import rules
from integrations.sandbox.services.world import ON_PATIENT, World, seed
from tickets import events
from tickets.lifecycle.rules import impact_of
from tickets.models import Clock, RepairReport, Ticket, TicketCounter, TimeEntry
from tickets.record.queries import envelope, search_terms
from tickets.sla import services as sla
from tickets.sla.queries import rulebook
from tickets.sla.services.clocks import compute

MONTHS = 18
_CAUSE = {"accessory": "accessory", "battery": "ageing", "software": "software", "network": "software",
          "mechanical": "damage", "pneumatic": "ageing", "cooling": "part"}  # fmt: skip
_ACTION = {"accessory": "replace", "battery": "replace", "software": "reset", "network": "reset", "sensor": "calibrate",
           "mechanical": "repair", "pneumatic": "repair"}  # fmt: skip


def simulate(world: World, *, random_state: int) -> int:
    """Fill the past up to two days before now. Returns the number of tickets."""
    zone = timezone.get_default_timezone()
    end = (world.now - timedelta(days=2)).astimezone(zone)
    start = end - timedelta(days=30.4 * MONTHS)
    reports = rules.arrivals(_subjects(world), start, end, seed=random_state)
    writer = _Writer(world)
    for report in reports:
        writer.add(report)
    writer.save()
    return len(writer.tickets)


def _subjects(world: World) -> list[rules.SimDevice]:
    found = []
    for index, device in enumerate(world.devices):
        tiles = world.presets[device.type.group.code]
        weights = [_weight(device, tile) for tile in tiles]
        share = ON_PATIENT.get(device.type.group.code, 0.1) if device.criticality in ("C1", "C2") else 0.12
        found.append(rules.SimDevice(index, world.rates[device.pk], [t.code for t in tiles], weights, share))
    return found


def _weight(device: Device, tile: FaultPreset) -> float:
    """Accessories are about 70 % of monitor calls [domain 10.5]; "other" is rare everywhere."""
    if tile.category == "other":
        return 0.3
    if device.type.group.code == "monitor":
        return 4.5 if tile.category == "accessory" else 0.9
    return 1.0


class _Writer:
    """Collects rows in memory and writes each table once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.texts = seed("texts")
        self.presets = {t.code: t for tiles in world.presets.values() for t in tiles}
        self.tickets: list[Ticket] = []
        self.steps: list[Any] = []
        self.facts: list[Event] = []
        self.counters: dict[Any, int] = defaultdict(int)
        self.last: dict[tuple[int, str], Ticket] = {}
        self.visits: list[tuple[int, str, bool, float]] = []

    def add(self, report: rules.SimTicket) -> None:
        device, tile = self.world.devices[report.device], self.presets[report.symptom]
        impact = impact_of(in_use=report.in_use, default=tile.default_impact, danger=[])
        priority, reasons = sla.decide_priority(
            impact=impact, criticality=device.criticality, danger=[], backups_short=False, repeat=report.repeat
        )
        name, level = self._engineer(device, report)
        engineer = self.world.engineers[name]
        story = rules.course(report, priority=priority, minutes=tile.minutes, level=level)
        at = {k: report.reported_at + timedelta(minutes=v) for k, v in story.items() if isinstance(v, float)}
        if at["closed"] >= self.world.now - timedelta(hours=1):
            return
        day = timezone.localdate(report.reported_at)
        self.counters[day] += 1
        cancelled = report.kind in ("duplicate", "mis_scan")
        ticket = Ticket(
            number=f"WX{day:%Y%m%d}-{self.counters[day]:04d}", source="scan", device=device, preset=tile, category=tile.category,
            department=device.department, location=device.location, in_use=report.in_use, impact=impact,
            criticality=device.criticality, priority=priority, highest_priority=priority, priority_reasons=reasons,
            description=self._words(story["pick"], tile), contact_ext=device.department.extension, simulated=True,
            reported_at=report.reported_at, triaged_at=report.reported_at, state="cancelled" if cancelled else "closed",
            ended_at=at["assigned"] + timedelta(minutes=4) if cancelled else at["closed"], version=8,
        )  # fmt: skip
        key = (device.pk, tile.code)
        earlier = self.last.get(key)
        if earlier and earlier.ended_at and report.reported_at - earlier.ended_at < timedelta(days=30):
            ticket.repeat_of = earlier
        if not cancelled:
            self.last[key] = ticket
            for field in ("assigned", "accepted", "arrived", "started", "restored", "resolved"):
                setattr(ticket, f"{field}_at", at[field])
            ticket.assignee, ticket.rating = engineer, story["rating"]
            ticket.arrival_by_scan = report.luck < 0.85
            ticket.decon = "cleaned" if report.luck < 0.7 else "not_needed"
            self.visits.append((engineer.pk, tile.category, ticket.repeat_of is None, story["hands_on"]))
        ticket.search_text = search_terms(
            ticket.number, device.label, tile.flat_label, str(device.department), ticket.description
        )
        self.tickets.append(ticket)
        self.steps.append((at, story, report))

    def _engineer(self, device: Device, report: rules.SimTicket) -> tuple[str, int]:
        """Somebody with the skill, the better ones more often; anyone when nobody has it."""
        code = device.type.required_skill.code if device.type.required_skill else "general"
        able = [(name, skills[code]) for name, skills in self.world.skills.items() if code in skills]
        able = able or [(name, 1) for name in self.world.skills]
        ladder = [pair for pair in able for _n in range(pair[1])]
        return ladder[int(report.luck * len(ladder)) % len(ladder)]

    def _words(self, rng: Any, tile: FaultPreset) -> str:
        if rng.random() < 0.35:
            return ""
        pick = lambda part: part[int(rng.integers(0, len(part)))]  # noqa: E731
        ending = pick(self.texts["more"])
        sentence = f"{pick(self.texts['when'])}{pick(self.texts['what'])}{tile.flat_label}"
        return f"{sentence}，{ending}" if ending else sentence

    def save(self) -> None:
        """Tables in the order of their keys; then the log, sequenced here because nobody else writes yet."""
        originals = {id(t): t.repeat_of for t in self.tickets if t.repeat_of_id is None and t.repeat_of is not None}
        for ticket in self.tickets:
            ticket.repeat_of = None
        Ticket.objects.bulk_create(self.tickets, batch_size=300)
        later = []
        for ticket in self.tickets:
            if original := originals.get(id(ticket)):
                ticket.repeat_of = original
                later.append(ticket)
        Ticket.objects.bulk_update(later, ["repeat_of"], batch_size=300)
        TicketCounter.objects.bulk_create(TicketCounter(day=d, last=n) for d, n in self.counters.items())
        self._clocks()
        self._reports()
        for ticket, (at, _story, _report) in zip(self.tickets, self.steps, strict=True):
            self.facts += _facts(ticket, at)
        log.load(sorted(self.facts, key=lambda fact: fact.at))
        totals: dict[tuple[int, str], list[tuple[bool, float]]] = defaultdict(list)
        for pk, category, fixed, minutes in self.visits:
            totals[pk, category].append((fixed, minutes))
        for (pk, category), visits in totals.items():
            for fixed, minutes in visits[-12:]:
                count_visit(pk, category=category, fixed=fixed, minutes=minutes)

    def _clocks(self) -> None:
        book = rulebook()
        rows = []
        for ticket, (at, _story, _report) in zip(self.tickets, self.steps, strict=True):
            met = {"response": "accepted", "arrival": "arrived", "restoration": "restored", "fix": "resolved"}
            for metric, target in book.targets_of(ticket.priority).items():
                clock = sla.clocks._new_clock(ticket, metric, target)  # noqa: SLF001 - same arithmetic, in bulk
                if ticket.state == "cancelled":
                    clock.stopped_at = ticket.ended_at
                else:
                    clock.met_at = at[met[metric]]
                compute(clock, spans=[], rebases=0, fired=())
                if clock.met_at and clock.met_at > clock.due_at:
                    clock.breached_at = clock.due_at
                rows.append(clock)
        Clock.objects.bulk_create(rows, batch_size=500)

    def _reports(self) -> None:
        reports, times = [], []
        for ticket, (at, story, report) in zip(self.tickets, self.steps, strict=True):
            if ticket.state != "closed" or ticket.assignee is None:
                continue
            found = report.kind != "not_found"
            rng = story["pick"]
            reports.append(
                RepairReport(
                    ticket=ticket,
                    at=at["resolved"],
                    by=ticket.assignee.person,
                    cause=_CAUSE.get(ticket.category, "part") if found else "not_found",
                    action=_ACTION.get(ticket.category, "repair") if found else "reset",
                    diagnosis=self.texts["diagnosis"][int(rng.integers(0, len(self.texts["diagnosis"])))],
                    release="usable",
                    minutes=round(story["hands_on"]),
                )
            )
            times.append(
                TimeEntry(
                    ticket=ticket,
                    user=ticket.assignee,
                    started_at=at["started"],
                    ended_at=at["started"] + timedelta(minutes=story["hands_on"]),
                )
            )
        RepairReport.objects.bulk_create(reports, batch_size=500)
        TimeEntry.objects.bulk_create(times, batch_size=500)


def _facts(ticket: Ticket, at: dict[str, datetime]) -> list[Event]:
    """The facts of one past ticket, in order, as the services would have announced them."""

    def base(state: str) -> dict[str, Any]:
        return envelope(ticket) | {"state": state}

    facts: list[Event] = [
        events.TicketSubmitted(
            **base("triaged"), at=ticket.reported_at, by="qr", source="scan", symptom=ticket.symptom, in_use=ticket.in_use
        )
    ]
    if ticket.state == "cancelled":
        return [*facts, events.TicketCancelled(**base("cancelled"), at=ticket.ended_at or ticket.reported_at, by="qr")]
    who = ticket.assignee.person.public_id if ticket.assignee else "system"
    report = {"cause": "part", "action": "repair", "release": "usable", "assignee": who}
    return [
        *facts,
        events.TicketAssigned(**base("assigned"), at=at["assigned"], to=who, automatic=True),
        events.TicketAccepted(**base("accepted"), at=at["accepted"], by=who, to=who),
        events.TicketArrived(**base("arrived"), at=at["arrived"], by=who, scanned=ticket.arrival_by_scan),
        events.WorkStarted(**base("working"), at=at["started"], by=who),
        events.TicketResolved(**base("resolved"), at=at["resolved"], by=who, **report),
        events.TicketClosed(**base("closed"), at=at["closed"], by="qr", how="confirmed"),
    ]
