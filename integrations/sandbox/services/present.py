"""What is going on right now: about thirty open tickets in every state, made through the real services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from assets.places.models import User
from assets.register.models import Device, FaultPreset
from dispatch.models import Engineer
from integrations.sandbox.services.world import World
from tickets.lifecycle import services as lifecycle
from tickets.models import HoldReason, Ticket
from tickets.sla import services as sla


@dataclass(frozen=True)
class Scene:
    """One open ticket: device family and department, symptom, minutes since the report, how far it got."""

    group: str
    department: str
    symptom: str
    age: float
    until: str
    in_use: bool = False
    danger: tuple[str, ...] = ()
    pace: float = 1.0


SCENES = (
    Scene("ventilator", "ICU", "ventilator-stopped", 8.3, "departed", in_use=True),
    Scene("anaesthesia", "OR", "anaesthesia-gas", 13, "accepted", in_use=True),
    Scene("dialysis", "DIA", "dialysis-water", 75, "restored", in_use=True, danger=("leak",)),
    Scene("defibrillator", "ER", "defibrillator-self-test", 8.2, "triaged"),
    Scene("suction", "NEU", "suction-no-vacuum", 190, "working"),
    Scene("defibrillator", "CCU", "defibrillator-paddles", 300, "working"),
    Scene("monitor", "GSU", "monitor-nibp", 110, "accepted"),
    Scene("ultrasound", "USD", "ultrasound-probe", 1500, "paused"),
    Scene("pump", "RES", "pump-occlusion", 45, "assigned"),
    Scene("bed", "GER", "bed-lift", 26, "triaged"),
    Scene("pump", "ORT", "pump-door", 38, "triaged"),
    Scene("incubator", "NICU", "incubator-humidity", 220, "arrived"),
    Scene("steriliser", "CSS", "steriliser-wet", 640, "paused"),
    Scene("fridge", "LAB", "fridge-alarm", 150, "accepted"),
    Scene("endoscope", "ENS", "endoscope-angle", 420, "working"),
    Scene("imaging", "RAD", "imaging-artefact", 980, "paused"),
    Scene("ecg", "CAR", "ecg-printer", 330, "verifying"),
    Scene("monitor", "NSU", "monitor-lead", 410, "verifying"),
    Scene("monitor", "ICU", "monitor-network", 260, "verifying"),
    Scene("pump", "ONC", "pump-battery", 720, "verifying"),
    Scene("general", "OBG", "general-display", 520, "working"),
    Scene("bed", "ORT", "bed-brake", 95, "assigned"),
    Scene("general", "END", "general-alarm", 55, "triaged"),
    Scene("monitor", "CTS", "monitor-spo2", 18, "assigned"),
    Scene("ventilator", "RES", "ventilator-humidifier", 130, "working"),
    Scene("suction", "ER", "suction-leak", 61, "arrived"),
    Scene("pump", "GAS", "pump-keys", 1320, "reopened"),
    Scene("bed", "URO", "bed-rail", 1010, "verifying"),
    Scene("monitor", "PED", "monitor-battery", 84, "accepted"),
    Scene("ultrasound", "USD", "ultrasound-output", 33, "triaged"),
)


def play(world: World) -> int:
    """Every scene on its own device with somebody on shift. Returns how many tickets are open now."""
    stage = _Stage(world)
    for scene in SCENES:
        stage.play(scene)
    return Ticket.objects.open().count()


class _Stage:
    def __init__(self, world: World) -> None:
        self.world = world
        self.taken: set[int] = set()
        self.load: dict[int, int] = {}
        now = world.now
        on_site = Engineer.objects.filter(
            shifts__starts_at__lte=now, shifts__ends_at__gt=now, shifts__presence="on_site"
        )
        self.on_shift = [e.user for e in on_site.select_related("user__person").distinct()]

    def play(self, scene: Scene) -> None:
        device = self._device(scene)
        tile = FaultPreset.objects.get(code=scene.symptom)
        start = self.world.now - timedelta(minutes=scene.age)
        ticket = lifecycle.submit(
            device=device, preset=tile, in_use=scene.in_use, danger=scene.danger, source="scan", by=None, at=start
        )
        Ticket.objects.filter(pk=ticket.pk).update(simulated=True)
        engineer = self._engineer(device, recent=scene.age < 240)
        act = _Act(ticket, engineer, start, self.world.now)
        for name in _PATHS[scene.until]:
            act.step(name)
        if scene.until not in ("triaged", "verifying", "reopened"):
            self.load[engineer.pk] = self.load.get(engineer.pk, 0) + 1
        sla.fire_due(self.world.now)

    def _device(self, scene: Scene) -> Device:
        family = Device.objects.for_display().filter(type__group__code=scene.group).exclude(pk__in=self.taken)
        usable = family.filter(status__in=["ready", "in_use"])
        device = (
            usable.filter(Q(department__code=scene.department), status="in_use").first()
            or usable.filter(department__code=scene.department).first()
            or usable.order_by("pk").first()
        )
        if device is None:
            raise LookupError(f"the demo register has no {scene.group}")
        self.taken.add(device.pk)
        return device

    def _engineer(self, device: Device, *, recent: bool) -> User:
        """Fresh work goes to whoever is on site; older work may still be with somebody of the last shift."""
        code = device.type.required_skill.code if device.type.required_skill else "general"
        pool = self.on_shift if recent else list(self.world.engineers.values())
        able = [u for u in pool if code in self.world.skills[u.username]]
        return min(able or pool, key=lambda u: (self.load.get(u.pk, 0), u.pk))


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
    "verifying": (*_WAY, "arrive", "start", "resolve"),
    "reopened": (*_WAY, "arrive", "start", "resolve", "dispute"),
}
_SHARE = {"assign": 0.02, "accept": 0.12, "depart": 0.18, "arrive": 0.35, "restore": 0.45, "start": 0.5, "pause": 0.75,
          "resolve": 0.8, "dispute": 0.9}  # fmt: skip


class _Act:
    """One ticket's steps at plausible moments between its report and now."""

    def __init__(self, ticket: Ticket, engineer: User, start: datetime, now: datetime) -> None:
        self.ticket, self.engineer, self.start, self.now = ticket, engineer, start, now

    def step(self, name: str) -> None:
        at = self.start + (self.now - self.start) * _SHARE[name]
        steps: dict[str, Callable[[], Any]] = {
            "assign": lambda: lifecycle.assign(
                self.ticket, to=self.engineer, by=None, at=at, automatic=True, eta=at + timedelta(minutes=9)
            ),
            "accept": lambda: lifecycle.accept(self.ticket, by=self.engineer, at=at),
            "depart": lambda: lifecycle.depart(self.ticket, by=self.engineer, at=at, eta_minutes=6),
            "arrive": lambda: lifecycle.arrive(self.ticket, by=self.engineer, at=at, scanned=True),
            "restore": lambda: lifecycle.restore(self.ticket, by=self.engineer, at=at),
            "start": lambda: lifecycle.start(self.ticket, by=self.engineer, at=at, decon="cleaned"),
            "pause": lambda: lifecycle.pause(
                self.ticket,
                reason=HoldReason.objects.get(code="parts"),
                by=self.engineer,
                at=at,
                until=self.now + timedelta(hours=20),
            ),
            "resolve": lambda: lifecycle.resolve(
                self.ticket,
                sheet=lifecycle.FinishSheet(
                    cause="part",
                    action="replace",
                    release="usable",
                    tests=[{"code": "function", "name": "功能检查", "value": 1, "unit": "", "limit": None, "passed": True}],
                ),
                by=self.engineer,
                at=at,
            ),
            "dispute": lambda: lifecycle.dispute(self.ticket, by=None, at=at, reason="还是老样子"),
        }
        steps[name]()
