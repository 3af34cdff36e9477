"""What is going on right now: about thirty open tickets in every state, made through the real services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from heapq import heapify, heappop, heappush
from typing import Any

from django.utils import timezone

from assets.models import Device, FaultPreset, User
from config.kernel import timers
from config.kernel.errors import DomainError
from dispatch.matching import services as matching
from integrations.sandbox import rules
from integrations.sandbox.services.world import World, seed
from tickets.lifecycle import services as lifecycle
from tickets.models import HoldReason, Ticket
from tickets.sla import services as sla
from tickets.sla.queries import rulebook


@dataclass(frozen=True)
class Scene:
    """One open ticket: type of device (English name), department, symptom, minutes since the report, how far it got.

    `near` names a target, e.g. `1:arrival`, instead of an age: the report is so old that it falls due in `age` minutes.
    """

    kind: str
    department: str
    symptom: str
    age: float
    until: str
    in_use: bool = False
    danger: tuple[str, ...] = ()
    near: str = ""
    hold: str = "parts"
    came_back: bool = False


SCENES = (
    Scene("Ventilator", "ICU", "ventilator-stopped", 3.2, "departed", in_use=True, near="1:arrival"),
    Scene("Anaesthesia machine", "OR", "anaesthesia-gas", -2.3, "accepted", in_use=True, near="1:arrival"),
    Scene("Dialysis machine", "DIA", "dialysis-water", 75, "restored", in_use=True),
    Scene("Defibrillator", "ER", "defibrillator-self-test", 1.9, "assigned", near="2:response"),
    Scene("Wall suction outlet", "NEU", "suction-no-vacuum", 13, "working", near="2:restoration"),
    Scene("Defibrillator", "CCU", "defibrillator-charge", 300, "restored"),
    Scene("Patient monitor", "GSU", "monitor-nibp", 12, "accepted", came_back=True),
    Scene("Portable ultrasound", "USD", "ultrasound-probe", 1500, "paused"),
    Scene("Infusion pump", "RES", "pump-occlusion", 7, "assigned"),
    Scene("Electric bed", "GER", "bed-lift", 26, "triaged"),
    Scene("Infusion pump", "URO", "pump-door", 38, "triaged"),
    Scene("Infant incubator", "NICU", "incubator-humidity", 35, "arrived"),
    Scene("Steam steriliser", "CSS", "steriliser-wet", 640, "waiting", hold="vendor"),
    Scene("Medical refrigerator", "LAB", "fridge-alarm", 150, "accepted"),
    Scene("Gastroscope", "ENS", "endoscope-angle", 420, "working"),
    Scene("CT scanner", "RAD", "imaging-artefact", 980, "waiting", hold="in_use"),
    Scene("12-lead ECG recorder", "CAR", "ecg-printer", 330, "verifying"),
    Scene("Patient monitor", "NSU", "monitor-lead", 410, "verifying"),
    Scene("Patient monitor", "ICU", "monitor-network", 260, "verifying"),
    Scene("Syringe pump", "ONC", "pump-battery", 720, "verifying"),
    Scene("Fetal monitor", "OBG", "general-display", 520, "working"),
    Scene("Electric bed", "ORT", "bed-brake", 11, "assigned"),
    Scene("Hypothermia blanket", "END", "general-alarm", 55, "triaged"),
    Scene("Patient monitor", "CTS", "monitor-spo2", 18, "assigned"),
    Scene("Non-invasive ventilator", "RES", "ventilator-humidifier", 130, "working"),
    Scene("Electric suction", "ER", "suction-leak", 61, "arrived"),
    Scene("Infusion pump", "GAS", "pump-keys", 165, "reopened"),
    Scene("Electric bed", "URO", "bed-rail", 1010, "verifying"),
    Scene("Patient monitor", "PED", "monitor-battery", 84, "accepted"),
    Scene("Colour ultrasound", "USD", "ultrasound-output", 33, "triaged"),
)
_WAY = ("assign", "accept")
_PATHS: dict[str, tuple[str, ...]] = {
    "triaged": (),
    "assigned": ("assign",),
    "accepted": _WAY,
    "departed": (*_WAY, "depart"),
    "arrived": (*_WAY, "depart", "arrive"),
    "working": (*_WAY, "arrive", "start"),
    "restored": (*_WAY, "arrive", "restore", "start"),
    "paused": (*_WAY, "arrive", "start", "pause"),
    "waiting": (*_WAY, "arrive", "restore", "start", "pause"),
    "verifying": (*_WAY, "arrive", "start", "resolve"),
    "reopened": (*_WAY, "arrive", "start", "resolve", "dispute"),
}
_SHARE = {"assign": 0.02, "accept": 0.12, "depart": 0.18, "arrive": 0.35, "restore": 0.45, "start": 0.5, "pause": 0.75,
          "resolve": 0.8, "dispute": 0.95}  # fmt: skip
# Nobody takes hours to answer: at most so many minutes after the report, however old the ticket is. By priority.
_STEPS = ("assign", "accept", "depart", "arrive", "restore", "start", "pause", "resolve")
_LATEST = {
    1: dict(zip(_STEPS, (0.1, 1.2, 1.8, 7, 11, 12, 70, 85), strict=True)),
    2: dict(zip(_STEPS, (0.5, 4, 6, 17, 19, 20, 80, 95), strict=True)),
    3: dict(zip(_STEPS, (0.5, 16, 20, 55, 58, 60, 100, 120), strict=True)),
    4: dict(zip(_STEPS, (0.5, 45, 50, 110, 115, 120, 160, 180), strict=True)),
}
FULL = 3  # tickets in hand; the least limit of an engineer is four
_HELD = ("assigned", "accepted", "departed", "arrived", "working", "restored", "paused", "waiting")


def play(world: World) -> int:
    """Every scene on its own device, all their steps in the order of time. Returns how many tickets are open now."""
    stage = _Stage(world)
    acts = [_Act(stage, scene, _start(scene, world.now)) for scene in SCENES]
    due = [(act.start, number) for number, act in enumerate(acts)]
    heapify(due)
    while due:
        at, number = heappop(due)
        timers.fire_due(at)
        following = acts[number].go_on(at)
        if following is not None:
            heappush(due, (following, number))
    timers.fire_due(world.now)
    sla.fire_due(world.now)
    return Ticket.objects.open().count()


def _start(scene: Scene, now: datetime) -> datetime:
    if not scene.near:
        return now - timedelta(minutes=scene.age)
    book = rulebook()
    priority, metric = scene.near.split(":")
    allowed = book.minutes_for(book.targets_of(int(priority))[metric], now)
    return now - timedelta(minutes=allowed - scene.age)


class _Stage:
    """Finds a device for each scene, and an engineer where the dispatcher found none; nobody gets more than their
    limit."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.texts = seed("texts")
        self.taken: set[int] = set()
        self.load: Counter[str] = Counter()

    def report(self, scene: Scene, at: datetime) -> Ticket:
        tile = FaultPreset.objects.get(code=scene.symptom)
        ticket = lifecycle.submit(
            device=self._device(scene),
            preset=tile,
            in_use=scene.in_use,
            danger=scene.danger,
            description=self._words(tile),
            by=None,
            at=at,
        )
        Ticket.objects.filter(pk=ticket.pk).update(simulated=True)
        return ticket

    def assign(self, ticket: Ticket, at: datetime, *, held: bool) -> User:
        """Dispatched as in life. Where dispatch waits for somebody to be free, the desk gives it out by hand."""
        matching.dispatch(at=at, only=ticket)
        desk = self.world.staff["dispatcher"]
        for suggestion in ticket.decisions.filter(open=True):
            matching.confirm(suggestion, by=desk, at=at)
        given = Ticket.objects.select_related("assignee", "device__type__required_skill").get(pk=ticket.pk)
        engineer = given.assignee
        if engineer is None:
            engineer = self._engineer(given, urgent=ticket.priority == 1)
            lifecycle.assign(ticket, to=engineer, by=desk, at=at, eta=at + timedelta(minutes=9))
        self.load[engineer.username] += held
        return engineer

    def _words(self, tile: FaultPreset) -> str:
        seed_ = self.world.rng.getrandbits(31)
        return rules.phrase(seed_, label=tile.flat_label, signs=self.texts["signs"][tile.category], words=self.texts)

    def _device(self, scene: Scene) -> Device:
        """One of this type, in this department where there is one, else anywhere."""
        usable = (
            Device.objects.for_display()
            .filter(name_en=scene.kind, status__in=["ready", "in_use"])
            .exclude(pk__in=self.taken)
            .order_by("status", "pk")
        )
        came_back = usable.none()
        if scene.came_back:
            month = self.world.now - timedelta(days=28)
            came_back = usable.filter(
                tickets__preset__code=scene.symptom, tickets__state="closed", tickets__ended_at__gt=month
            )
        device = came_back.first() or usable.filter(department__code=scene.department).first() or usable.first()
        if device is None:
            raise LookupError(f"the demo register has no {scene.kind}")
        self.taken.add(device.pk)
        return device

    def _engineer(self, ticket: Ticket, *, urgent: bool) -> User:
        """The least loaded of those who can. Urgent work is with whoever is on duty now, older work may still be with
        somebody of the last shift; everybody keeps room for what the demo's visitor reports."""
        moments = [self.world.now] if urgent else [ticket.reported_at, self.world.now]
        rosters, skills = self.world.rosters, self.world.skills
        there = [name for name, shifts in rosters.items() if any(a <= m < b for m in moments for a, b in shifts)]
        needed = ticket.device.type.required_skill if ticket.device else None
        code = needed.code if needed else "general"
        skilled = [name for name in there if code in skills[name]]
        able = (
            [name for name in skilled if urgent or self.load[name] < FULL]
            or [name for name in skilled if self.load[name] <= FULL]
            or [name for name in skills if code in skills[name]]
        )
        chosen = min(able, key=lambda name: (self.load[name], -skills[name][code], name))
        return self.world.engineers[chosen]


class _Act:
    """One scene: its report, then its steps at plausible moments between that and now."""

    ticket: Ticket
    engineer: User

    def __init__(self, stage: _Stage, scene: Scene, start: datetime) -> None:
        self.stage, self.scene, self.start, self.now = stage, scene, start, stage.world.now
        self.path = ["submit", *_PATHS[scene.until]]

    def go_on(self, at: datetime) -> datetime | None:
        """Take the next step; when the following one comes. An emergency may have called the engineer away since:
        then the ticket stays as that left it."""
        try:
            self._step(self.path.pop(0), at)
        except DomainError:
            return None
        return self._moment(self.path[0]) if self.path else None

    def _moment(self, name: str) -> datetime:
        passed, latest = (self.now - self.start) * _SHARE[name], _LATEST[self.ticket.priority].get(name)
        return self.start + (passed if latest is None else min(passed, timedelta(minutes=latest)))

    def _step(self, name: str, at: datetime) -> None:
        steps: dict[str, Callable[[], Any]] = {
            "submit": lambda: self._submit(at),
            "assign": lambda: self._assign(at),
            "accept": lambda: lifecycle.accept(self.ticket, by=self.engineer, at=at),
            "depart": lambda: lifecycle.depart(self.ticket, by=self.engineer, at=at, eta_minutes=6),
            "arrive": lambda: lifecycle.arrive(self.ticket, by=self.engineer, at=at, scanned=True),
            "restore": lambda: lifecycle.restore(self.ticket, by=self.engineer, at=at),
            "start": lambda: lifecycle.start(self.ticket, by=self.engineer, at=at, decon="cleaned"),
            "pause": lambda: self._pause(at),
            "resolve": lambda: self._resolve(at),
            "dispute": lambda: lifecycle.dispute(self.ticket, by=None, at=at, reason="还是老样子"),
        }
        steps[name]()

    def _submit(self, at: datetime) -> None:
        self.ticket = self.stage.report(self.scene, at)

    def _assign(self, at: datetime) -> None:
        self.engineer = self.stage.assign(self.ticket, at, held=self.scene.until in _HELD)

    def _pause(self, at: datetime) -> None:
        reason = HoldReason.objects.get(code=self.scene.hold)
        lifecycle.pause(self.ticket, reason=reason, by=self.engineer, at=at, until=_next_workday(self.now))

    def _resolve(self, at: datetime) -> None:
        test = {"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True}
        sheet = lifecycle.FinishSheet(cause="part", action="replace", release="usable", tests=[test])
        lifecycle.resolve(self.ticket, sheet=sheet, by=self.engineer, at=at)


def _next_workday(now: datetime) -> datetime:
    """09:00 of the next weekday that is at least twelve hours away."""
    zone = timezone.get_default_timezone()
    day = timezone.localdate(now + timedelta(hours=12))
    while day.weekday() >= 5 or datetime.combine(day, time(9), tzinfo=zone) < now + timedelta(hours=12):
        day += timedelta(days=1)
    return datetime.combine(day, time(9), tzinfo=zone)
