"""The demo hospital's register: about 1,500 devices where such devices stand, with age, state, price and codes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from assets.models import Department, Device, DeviceGroup, DeviceType
from assets.register.rules import new_short_code
from integrations.sandbox import rules
from integrations.sandbox.services.world import REGISTER_SEED, World, seed

ON_PATIENT = {"monitor": 0.5, "ventilator": 0.55, "pump": 0.45, "dialysis": 0.4, "incubator": 0.5, "anaesthesia": 0.35}
IN_A_STORE = 5  # every fifth unit of a type waits in the store room as a backup
ELSEWHERE = (("standby_reserve", 12), ("on_loan", 6), ("off_site", 5), ("retired", 8), ("restricted", 5),
             ("pending_acceptance", 4), ("missing", 3), ("pending_disposal", 4), ("quarantined", 2))  # fmt: skip
WHY = {"restricted": "电池只够 20 分钟，限插电使用", "quarantined": "召回核查中", "missing": "盘点未找到",
       "off_site": "送厂家检修", "pending_disposal": "维修费接近净值"}  # fmt: skip


def equip(world: World, *, scale: float) -> None:
    """About 1,500 x `scale` devices; afterwards `world.devices` and their yearly failure rates are known."""
    plan = seed("places")
    types = {t.name: t for t in DeviceType.objects.select_related("group")}
    world.presets = {g.code: list(g.presets.all()) for g in DeviceGroup.objects.prefetch_related("presets")}
    maker = _Maker(world, plan)
    rows: list[Device] = []
    rates: list[float] = []
    for spec in seed("types", REGISTER_SEED):
        homes, weights = _homes(world, plan, spec)
        for n in range(max(1, round(spec["count"] * scale))):
            home = world.departments[world.rng.choices(homes, weights=weights)[0]]
            device, age = maker.make(spec, types[spec["name"]], home, n)
            rows.append(device)
            rates.append(spec["rate"] * rules.unit_factor(world.rng) * rules.ageing(age, spec["life"]))
    _some_are_elsewhere(world, rows)
    Device.objects.bulk_create(rows, batch_size=500)
    world.devices = list(Device.objects.for_display().order_by("pk"))
    world.rates = {device.pk: rate for device, rate in zip(world.devices, rates, strict=True)}


def _homes(world: World, plan: dict[str, Any], spec: dict[str, Any]) -> tuple[list[str], list[float]]:
    allowed = plan["only"].get(spec["name_en"]) or list(world.departments)
    return allowed, [plan["weights"][world.profiles[code]].get(spec["group"], 0.02) for code in allowed]


def _some_are_elsewhere(world: World, rows: list[Device]) -> None:
    """A few units in the rarer states; life support keeps to the wards, so that backups can be shown."""
    common = [d for d in rows if d.type.group.code in ("monitor", "pump", "bed", "suction", "ecg", "general")]
    share = len(rows) / 1500
    for status, count in ELSEWHERE:
        for device in world.rng.sample(common, k=min(len(common), round(count * share))):
            common.remove(device)
            # A new row, not a transition: this state is where the demo starts.
            device.__dict__["status"] = status
            device.status_reason = WHY.get(status, "")
            if status in ("retired", "pending_acceptance", "missing"):
                device.self_test_at = None


class _Maker:
    """Makes one device after another; remembers which numbers and codes are taken."""

    def __init__(self, world: World, plan: dict[str, Any]) -> None:
        self.world, self.plan, self.rng = world, plan, world.rng
        self.codes: set[str] = set()
        self.counters: dict[str, int] = {}

    def make(self, spec: dict[str, Any], kind: DeviceType, home: Department, n: int) -> tuple[Device, float]:
        """The unsaved device and its age in years."""
        rng, now = self.rng, self.world.now
        fixed = spec["group"] in ("imaging", "steriliser")
        stored = not fixed and (n % IN_A_STORE == IN_A_STORE - 1 or spec["group"] == "fridge")
        place = self.world.stores[home.code] if stored else rng.choice(self.world.rooms[home.code])
        self.counters[home.code] = self.counters.get(home.code, 0) + 1
        maker = rng.choice(self.plan["makers"])
        age = rng.uniform(0.3, spec["life"] * 1.05)
        bought = timezone.localdate(now) - timedelta(days=round(age * 365.25))
        in_use = not stored and rng.random() < ON_PATIENT.get(spec["group"], 0.15)
        device = Device(
            asset_no=f"{home.code}-{self.counters[home.code]:04d}",
            short_code=self._short_code(),
            type=kind,
            name=spec["name"],
            name_en=spec["name_en"],
            model=rng.choice(spec["models"]),
            manufacturer=maker["name"],
            registrant=maker["name"],
            serial_no=f"{bought:%y%m}{rng.randrange(10_000, 99_999)}{len(self.codes):04d}",
            udi_di=_gtin(690_000_000_000 + kind.pk * 1000 + 17),
            udi_agency="GS1",
            class_cn="Ⅲ" if kind.life_support else "Ⅱ",
            department=home,
            location=place,
            criticality=kind.criticality,
            backup_group=f"{spec['group']}-{kind.pk}" if spec["min_ready"] else "",
            min_ready=spec["min_ready"],
            status="in_use" if in_use else "ready",
            self_test_at=now - timedelta(hours=rng.uniform(1, 30)),
            status_since=now - timedelta(days=rng.uniform(0.1, 40)),
            price=(Decimal(spec["price"]) * Decimal(rng.randrange(85, 116)) / 100).quantize(Decimal(1)),
            purchased_on=bought,
            accepted_on=bought + timedelta(days=12),
            life_years=spec["life"],
            warranty_ends_on=bought + timedelta(days=365 * rng.randrange(1, 4)),
            coverage="full" if rng.random() < 0.25 else "",
        )
        return device, age

    def _short_code(self) -> str:
        code = new_short_code(self.rng.choice)
        while code in self.codes:
            code = new_short_code(self.rng.choice)
        self.codes.add(code)
        return code


def _gtin(twelve: int) -> str:
    """A GTIN-14 with its check digit, in a range that no issuer gives out."""
    digits = f"{twelve:013d}"
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits))
    return digits + str(-total % 10)
