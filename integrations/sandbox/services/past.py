"""18 months of simulated tickets, written in bulk: consistent times, clocks, waits, reports, ratings and log rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from assets.models import Device, FaultPreset, User
from config.kernel import log
from integrations.sandbox import rules
from integrations.sandbox.services import ledger
from integrations.sandbox.services.equipment import ON_PATIENT
from integrations.sandbox.services.ledger import Chapter
from integrations.sandbox.services.world import World, seed
from tickets.lifecycle.rules import impact_of
from tickets.models import Ticket, TicketCounter
from tickets.record.queries import search_words
from tickets.sla import services as sla

MONTHS = 18
REPEAT_WITHIN = timedelta(days=30)
# Most failures are found at the check before use: of the devices on patients, this share fails on one.
FAILS_ON_PATIENT = 0.18


def simulate(world: World, *, random_state: int) -> int:
    """Fill the past up to an hour ago with ended tickets. Returns how many."""
    zone = timezone.get_default_timezone()
    end = (world.now - timedelta(hours=1)).astimezone(zone)
    start = end - timedelta(days=30.4 * MONTHS)
    writer = _Writer(world)
    for report in rules.arrivals(_subjects(world), start, end, seed=random_state):
        writer.add(report)
    writer.save()
    return len(writer.chapters)


def _subjects(world: World) -> list[rules.SimDevice]:
    only = seed("places")["symptoms"]
    found = []
    for index, device in enumerate(world.devices):
        family = device.type.group.code
        allowed = only.get(device.name_en)
        tiles = [t for t in world.presets[family] if allowed is None or t.code in allowed]
        weights = [_weight(family, tile) for tile in tiles]
        share = ON_PATIENT.get(family, 0.05) * FAILS_ON_PATIENT
        found.append(rules.SimDevice(index, world.rates[device.pk], [t.code for t in tiles], weights, share))
    return found


def _weight(family: str, tile: FaultPreset) -> float:
    """Accessories are about 70 % of monitor calls (domain 10.5); "other" is rare everywhere."""
    if tile.category == "other":
        return 0.25
    if family == "monitor":
        return 4.0 if tile.category == "accessory" else 1.0
    return 0.35 if tile.default_impact == "I1" else 1.0


class _Writer:
    """Turns reports into chapters in memory, then has each table written once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.texts = seed("texts")
        self.presets = {t.code: t for tiles in world.presets.values() for t in tiles}
        self.chapters: list[Chapter] = []
        self.counters: dict[Any, int] = defaultdict(int)
        self.last: dict[tuple[int, str], Ticket] = {}

    def add(self, report: rules.SimTicket) -> None:
        device, tile = self.world.devices[report.device], self.presets[report.symptom]
        earlier = self.last.get((device.pk, tile.code))
        still_open = earlier is not None and (earlier.ended_at or report.reported_at) > report.reported_at
        if still_open != (report.kind == "duplicate"):
            return  # a second report needs an open first one, and an open one makes every other report a second
        repeat = not still_open and earlier is not None and self._is_repeat(earlier, report)
        impact = impact_of(in_use=report.in_use, default=tile.default_impact, danger=[])
        priority, reasons = sla.decide_priority(
            impact=impact, criticality=device.criticality, danger=[], backups_short=False, repeat=repeat
        )
        engineer, level = self._engineer(device, report)
        local = timezone.localtime(report.reported_at)
        story = rules.course(
            report.seed,
            priority=priority,
            minutes=tile.minutes,
            level=level,
            idle=rules.idle_until_work(local.hour + local.minute / 60),
        )
        if report.reported_at + timedelta(minutes=story.closed) >= self.world.now - timedelta(minutes=20):
            return
        words = rules.phrase(
            report.seed,
            label="" if tile.category == "other" else tile.flat_label,
            signs=self.texts["signs"][tile.category],
            words=self.texts,
        )
        ticket = self._ticket(report, device, tile, words, (impact, priority, reasons))
        chapter = Chapter(ticket, story, report, engineer, repeat_of=earlier if repeat else None)
        if report.kind in ("duplicate", "mis_scan"):
            chapter.duplicate_of = earlier if report.kind == "duplicate" else None
            ticket.__dict__["state"] = "cancelled"
            ticket.ended_at = chapter.at(min(4.0, story.accepted))
        else:
            _fill(ticket, chapter, rules.dice(report.seed + 1))
            self.last[device.pk, tile.code] = ticket
        self.chapters.append(chapter)

    def _is_repeat(self, earlier: Ticket, report: rules.SimTicket) -> bool:
        return earlier.ended_at is not None and report.reported_at - earlier.ended_at < REPEAT_WITHIN

    def _ticket(
        self,
        report: rules.SimTicket,
        device: Device,
        tile: FaultPreset,
        words: str,
        rank: tuple[str, int, list[str]],
    ) -> Ticket:
        day = timezone.localdate(report.reported_at)
        self.counters[day] += 1
        number = f"WX{day:%Y%m%d}-{self.counters[day]:04d}"
        impact, priority, reasons = rank
        home = device.department
        return Ticket(
            number=number,
            source="scan" if report.seed % 10 else "phone",
            device=device,
            preset=tile,
            category=tile.category,
            department=home,
            location=device.location,
            in_use=report.in_use,
            impact=impact,
            criticality=device.criticality,
            priority=priority,
            highest_priority=priority,
            priority_reasons=reasons,
            description=words,
            contact_ext=home.extension,
            simulated=True,
            reported_at=report.reported_at,
            triaged_at=report.reported_at,
            state="closed",
            version=8,
            search_text=search_words(number, device, tile, home, words),
        )

    def _engineer(self, device: Device, report: rules.SimTicket) -> tuple[User, int]:
        """Somebody with the skill, whoever was on duty then before others, the better ones more often."""
        code = device.type.required_skill.code if device.type.required_skill else "general"
        able = [(name, skills[code]) for name, skills in self.world.skills.items() if code in skills]
        able = able or [(name, 1) for name in self.world.skills]
        name, level = rules.dice(report.seed + 2).choices(able, weights=[pair[1] for pair in able])[0]
        return self.world.engineers[name], level

    def save(self) -> None:
        """Tables in the order of their keys; then the log, sequenced here because nobody else writes yet."""
        self._save_tickets()
        TicketCounter.objects.bulk_create(TicketCounter(day=d, last=n) for d, n in self.counters.items())
        ledger.write_clocks(self.chapters)
        ledger.write_reports(self.chapters, self.texts)
        ledger.write_track_records(self.chapters, now=self.world.now)
        facts = [fact for chapter in self.chapters for fact in ledger.facts_of(chapter)]
        log.load(sorted(facts, key=lambda fact: fact.at))

    def _save_tickets(self) -> None:
        """Links between tickets follow once all have a key."""
        Ticket.objects.bulk_create([c.ticket for c in self.chapters], batch_size=300)
        linked = [c for c in self.chapters if c.repeat_of or c.duplicate_of]
        for chapter in linked:
            chapter.ticket.repeat_of, chapter.ticket.duplicate_of = chapter.repeat_of, chapter.duplicate_of
        Ticket.objects.bulk_update([c.ticket for c in linked], ["repeat_of", "duplicate_of"], batch_size=300)


def _fill(ticket: Ticket, chapter: Chapter, rng: Random) -> None:
    """What the ticket's columns say after such a course."""
    for name in ("assigned", "accepted", "departed", "arrived", "started", "restored", "resolved"):
        setattr(ticket, f"{name}_at", chapter.at(getattr(chapter.story, name)))
    ticket.ended_at = chapter.at(chapter.story.closed)
    ticket.eta_at = chapter.at(chapter.story.departed + 8)
    ticket.assignee, ticket.rating = chapter.engineer, chapter.story.rating
    ticket.arrival_by_scan = rng.random() < 0.85
    ticket.decon = "cleaned" if rng.random() < 0.7 else "not_needed"
    ticket.route = "vendor" if chapter.story.hold == "vendor" else "self"
