"""What a seeded ticket and its facts look like, as fast as Python writes it: rows as tuples, hashes as the log makes them."""

from __future__ import annotations

import base64
import hashlib
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.core.management import CommandError
from django.db.models import Model
from django.utils import timezone

from assets.models import Device, FaultPreset, User
from config.kernel.models import EventRecord
from tickets.models import Clock, Ticket, Watcher
from tickets.record.queries import search_words
from tickets.sla.queries import rulebook

Block = dict[type[Model], list[tuple[Any, ...]]]
BLOCK = 5000
YEAR = 365 * 86_400
OPEN = 1000  # the newest ones, unless somebody wants other
# What differs from row to row; everything else is a constant of the table (`constants`).
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Ticket: ("id", "public_id", "tracking_token", "number", "state", "version", "device_id", "department_id", "location_id",
             "preset_id", "criticality", "priority", "highest_priority", "search_text", "reported_at", "updated_at",
             "triaged_at", "assignee_id", "assigned_at", "accepted_at", "arrived_at", "started_at", "restored_at",
             "resolved_at", "ended_at"),
    Watcher: ("ticket_id", "token", "at"),
    Clock: ("ticket_id", "metric", "priority", "calendar_id", "target_minutes", "pausable", "started_at", "due_at",
            "warn_at", "next_at", "met_at", "stopped_at"),
    EventRecord: ("seq", "type", "at", "by", "subject", "scope", "data", "hash"),
}  # fmt: skip
_MET_AFTER = {"response": 120, "arrival": 420, "restoration": 2400, "fix": 2400}


class Start(NamedTuple):
    """Where the load goes on from: next ticket key, first number of a day, last fact of the chain, the moment up to which
    it tells (epoch s), and how many years of work it spreads over."""

    ticket: int
    number: int
    seq: int
    previous: str
    now: int
    years: int = 1


class Scene(NamedTuple):
    """A device with a fault of its group, and what follows from the two."""

    device: int
    device_id: str
    department: int
    scope: str
    location: int
    preset: int
    symptom: str
    criticality: str
    priority: int
    words: str


@dataclass(frozen=True)
class Cast:
    """Who and what the stories are about, and the promises by priority: (metric, calendar, minutes, pausable)."""

    scenes: list[Scene]
    engineers: list[tuple[int, str]]
    promises: dict[int, list[tuple[str, int, int, bool]]]

    @classmethod
    def from_database(cls) -> Cast:
        faults: dict[int, FaultPreset] = {}
        for preset in FaultPreset.objects.order_by("pk"):
            faults.setdefault(preset.group_id, preset)
        devices = Device.objects.select_related("type", "department").order_by("pk")
        scenes = [_scene(device, faults[device.type.group_id]) for device in devices if device.type.group_id in faults]
        engineers = list(User.objects.filter(role="engineer").values_list("pk", "person__public_id"))
        if not scenes or not engineers:
            raise CommandError("the database needs devices, faults and engineers: load the demo first")
        book = rulebook()
        promises = {
            priority: [(m, t.calendar_id, t.minutes, t.pausable) for m, t in book.targets_of(priority).items()]
            for priority in (1, 2)
        }
        return cls(scenes, engineers, promises)


def _scene(device: Device, preset: FaultPreset) -> Scene:
    priority = 1 if device.criticality == "C1" else 2
    words = search_words("", device, preset, device.department, "")
    return Scene(device.pk, device.public_id, device.department_id, device.department.code, device.location_id, preset.pk,
                 preset.code, device.criticality, priority, words)  # fmt: skip


def constants(model: type[Model]) -> dict[str, Any]:
    """The columns that are the same in every seeded row of a table, prepared for the database."""
    at = timezone.now()
    pattern = {
        Ticket: Ticket(source="scan", impact="I2", priority_reasons=["matrix:I2xC2"], simulated=True, reported_at=at),
        Watcher: Watcher(at=at),
        Clock: Clock(),
        EventRecord: EventRecord(),
    }[model]
    return {
        field.column: getattr(pattern, field.attname)
        for field in pattern._meta.concrete_fields
        if field.column not in COLUMNS[model] and not field.primary_key
    }


def blocks(cast: Cast, start: Start, tickets: int, still_open: int) -> Iterator[Block]:
    """All rows of `tickets` stories, oldest report first, so many tickets at a time; the last ones are still open."""
    rng = random.Random(start.ticket)  # noqa: S311 - made-up data, the same each time
    clock, span = _Times(start.now, start.years), start.years * YEAR
    chain, step = _Chain(start.seq, start.previous, clock), span / tickets
    numbers: dict[str, Iterator[int]] = {}
    scenes, engineers = itertools.cycle(cast.scenes), itertools.cycle(cast.engineers)
    for first in range(0, tickets, BLOCK):
        size = min(BLOCK, tickets - first)
        ids = iter(_ids(rng, size * 3))
        block: Block = {model: [] for model in COLUMNS}
        chain.rows = block[EventRecord]
        for n in range(first, first + size):
            at = start.now - span + int(n * step)
            day = clock.local_day(at)
            count = next(numbers.setdefault(day, itertools.count(start.number)))
            outcome = "triaged" if n >= tickets - still_open else "cancelled" if n % 20 == 7 else "closed"
            ticket = (start.ticket + n, next(ids), next(ids), f"WX{day}-{count:04d}")
            _tell(block, chain, clock, cast.promises, next(scenes), next(engineers), ticket, next(ids), at, outcome)
        yield block


def _tell(
    block: Block, chain: _Chain, clock: _Times, promises: Any, scene: Scene, engineer: tuple[int, str],
    ticket: tuple[int, str, str, str], token: str, at: int, outcome: str,
) -> None:  # fmt: skip
    key, public, tracking, number = ticket
    said, priority = clock.said, scene.priority
    closed, ended = outcome == "closed", at + 7200 if outcome != "triaged" else 0
    reported = said(at)
    went = [said(at + s) for s in (30, 120, 420, 600, 2400)] if closed else [None] * 5
    block[Ticket].append(
        (key, public, tracking, number, outcome, 8 if closed else 1, scene.device, scene.department, scene.location,
         scene.preset, scene.criticality, priority, priority, f"wx{number[2:10]} {number[11:]} {scene.words}", reported,
         reported, reported, engineer[0] if closed else None, *went[:4], went[4], went[4], said(ended) if ended else None)
    )  # fmt: skip
    block[Watcher].append((key, token, reported))
    for metric, calendar, minutes, pausable in promises[priority]:
        due, warn = at + minutes * 60, at + minutes * 48
        met = said(at + _MET_AFTER[metric]) if closed else None
        block[Clock].append(
            (key, metric, priority, calendar, minutes, pausable, reported, said(due), said(warn),
             None if ended else said(max(warn, clock.now + 20_000)),  # later than true: a poll of the bench fires nothing
             met, said(ended) if ended and not closed else None)
        )  # fmt: skip
    about = f'"device":"{scene.device_id}",'
    tail = f'"number":"{number}","priority":{priority},'
    who = engineer[1]
    add = chain.add
    add(
        public,
        scene.scope,
        "TicketSubmitted",
        at,
        "qr",
        f'{{"danger":[],{about}"in_use":null,{tail}"repeat_of":"","source":"scan","state":"triaged","symptom":"{scene.symptom}"}}',
    )
    add(
        public,
        scene.scope,
        "TicketTriaged",
        at,
        "system",
        f'{{"criticality":"{scene.criticality}",{about}"impact":"I2",{tail}"reasons":["matrix:I2x{scene.criticality}"],"state":"triaged"}}',
    )
    if outcome == "cancelled":
        add(public, scene.scope, "TicketCancelled", ended, "system", f'{{{about}{tail}"state":"cancelled"}}')
    if not closed:
        return
    add(
        public,
        scene.scope,
        "TicketAssigned",
        at + 30,
        "system",
        f'{{"automatic":true,{about}"number":"{number}","previous":"","priority":{priority},"reason":"","state":"assigned",'
        f'"to":"{who}"}}',
    )
    add(public, scene.scope, "TicketAccepted", at + 120, who, f'{{{about}{tail}"state":"accepted","to":"{who}"}}')
    add(
        public,
        scene.scope,
        "TicketArrived",
        at + 420,
        who,
        f'{{{about}"how":"scan","location":"",{tail}"scanned":true,"state":"arrived"}}',
    )
    add(public, scene.scope, "WorkStarted", at + 600, who, f'{{{about}{tail}"state":"working"}}')
    add(
        public,
        scene.scope,
        "TicketResolved",
        at + 2400,
        who,
        f'{{"action":"replace","assignee":"{who}","cause":"part",{about}{tail}"release":"usable","state":"verifying"}}',
    )
    add(public, scene.scope, "TicketClosed", ended, "qr", f'{{{about}"how":"confirmed",{tail}"state":"closed"}}')


class _Chain:
    """The log's own hash over facts written as canonical JSON by hand; `bench seed` verifies a part of it afterwards."""

    def __init__(self, seq: int, previous: str, clock: _Times) -> None:
        self.seq, self.previous, self.clock = seq, previous, clock
        self.rows: list[tuple[Any, ...]] = []

    def add(self, public: str, scope: str, kind: str, at: int, by: str, data: str) -> None:
        self.seq += 1
        day, second = self.clock.parts(at)
        fact = (
            f'{self.previous}{{"at":"{day}T{second}.000000Z","by":"{by}","data":{data},"seq":{self.seq},'
            f'"subject":"ticket:{public}","type":"{kind}"}}'
        )
        self.previous = hashlib.sha256(fact.encode()).hexdigest()
        self.rows.append((self.seq, kind, f"{day} {second}", by, f"ticket:{public}", scope, data, self.previous))


class _Times:
    """Moments as text without a call of strftime each: a table of days and one of seconds."""

    def __init__(self, now: int, years: int) -> None:
        self.now = now
        self.first = (now - years * YEAR) // 86_400 - 1
        start = datetime.fromtimestamp(self.first * 86_400, UTC)
        self.days = [(start + timedelta(days=n)).strftime("%Y-%m-%d") for n in range(years * 366 + 400)]
        self.seconds = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)]

    def parts(self, at: int) -> tuple[str, str]:
        day, second = divmod(at, 86_400)
        return self.days[day - self.first], self.seconds[second]

    def said(self, at: int) -> str:
        """UTC, as both databases read it."""
        day, second = divmod(at, 86_400)
        return f"{self.days[day - self.first]} {self.seconds[second]}"

    def local_day(self, at: int) -> str:
        """The day in Shanghai, which has no summer time."""
        return self.days[(at + 28_800) // 86_400 - self.first].replace("-", "")


def _ids(rng: random.Random, count: int) -> list[str]:
    """Public ids: 128 bits and a little more, cut from one long text."""
    text = base64.urlsafe_b64encode(rng.randbytes(count * 33 // 2 + 33)).decode()
    return [text[n : n + 22] for n in range(0, count * 22, 22)]
