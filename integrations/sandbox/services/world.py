"""Places, departments, people, roster and register of the demo hospital, from the seed files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from assets import register as register_room
from assets.models import (
    Department,
    Device,
    DeviceGroup,
    DeviceType,
    FaultPreset,
    Location,
    Person,
    Qualification,
    Skill,
    User,
)
from assets.register.rules import new_short_code
from dispatch.models import DepartmentMode, Engineer, EngineerQualification, EngineerSkill, Leave, Shift

SEED = Path(__file__).parents[1] / "seed"
REGISTER_SEED = Path(register_room.__file__).parent / "seed"
ON_PATIENT = {"monitor": 0.5, "ventilator": 0.55, "pump": 0.45, "dialysis": 0.4, "incubator": 0.5, "anaesthesia": 0.35}


@dataclass
class World:
    """What was made, by the codes of the seed."""

    rng: np.random.Generator
    now: datetime
    departments: dict[str, Department] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, list[Location]] = field(default_factory=dict)
    stores: dict[str, Location] = field(default_factory=dict)
    presets: dict[str, list[FaultPreset]] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)
    engineers: dict[str, User] = field(default_factory=dict)
    skills: dict[str, dict[str, int]] = field(default_factory=dict)
    staff: dict[str, User] = field(default_factory=dict)


def seed(name: str, folder: Path = SEED) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def catalogue() -> None:
    """Skills, cards, families, tiles and types: what any hospital may start from."""
    skills = {s["code"]: Skill.objects.get_or_create(code=s["code"], defaults=s)[0] for s in seed("skills", REGISTER_SEED)}
    cards = {
        q["code"]: Qualification.objects.get_or_create(code=q["code"], defaults=q)[0]
        for q in seed("qualifications", REGISTER_SEED)
    }
    groups = {}
    for row in seed("groups", REGISTER_SEED):
        row.pop("skill")
        groups[row["code"]] = DeviceGroup.objects.get_or_create(code=row["code"], defaults=row)[0]
    for row in seed("presets", REGISTER_SEED):
        values = row | {"group": groups[row["group"]], "skill": skills[row["skill"]]}
        FaultPreset.objects.get_or_create(code=row["code"], defaults=values)
    for row in seed("types", REGISTER_SEED):
        function, risk, maintenance = row["em"]
        DeviceType.objects.get_or_create(
            name=row["name"],
            defaults={
                "name_en": row["name_en"],
                "group": groups[row["group"]],
                "product_code": row["product_code"],
                "criticality": row["criticality"],
                "life_support": row["life_support"],
                "first_aid": row["first_aid"],
                "high_risk": row["high_risk"],
                "required_skill": skills[row["skill"]],
                "required_qualification": cards.get(row["qualification"]),
                "em_function": function,
                "em_risk": risk,
                "em_maintenance": maintenance,
                "protection_class": row["protection_class"],
                "applied_part": row["applied_part"],
            },
        )


def build_places(world: World) -> None:
    """One campus; buildings with positions in metres; floors, rooms and beds; 25 departments with extensions."""
    plan = seed("places")
    campus = Location.objects.create(
        code="C1", kind="campus", name="滨江院区", name_en="Riverside campus", path_zh="滨江院区", path_en="Riverside campus"
    )
    buildings: dict[str, Location] = {}
    floors: dict[tuple[str, int], Location] = {}
    for b in plan["buildings"]:
        common = {"x": b["x"], "y": b["y"], "building_code": b["code"]}
        buildings[b["code"]] = Location.objects.create(
            code=b["code"], kind="building", parent=campus, name=b["name"], name_en=b["name_en"],
            path_zh=b["name"], path_en=b["name_en"], **common,
        )  # fmt: skip
        for n in range(1, b["floors"] + 1):
            floors[b["code"], n] = Location(
                code=f"{b['code']}-{n}", kind="floor", parent=buildings[b["code"]], name=f"{n} 层", name_en=f"Floor {n}",
                floor=n, path_zh=f"{b['name']} {n} 层", path_en=f"{b['name_en']} floor {n}", **common,
            )  # fmt: skip
    Location.objects.bulk_create(floors.values())
    work = plan["workshop"]
    world.stores["workshop"] = _room(floors[work["building"], work["floor"]], "WORKSHOP", work["name"], work["name_en"])
    beds: list[Location] = []
    for d in plan["departments"]:
        floor = floors[d["building"], d["floor"]]
        home = _room(floor, d["code"], d["name"], d["name_en"])
        world.departments[d["code"]] = Department.objects.create(
            code=d["code"], name=d["name"], name_en=d["name_en"], extension=d["extension"], location=home
        )
        world.profiles[d["code"]] = d["profile"]
        world.stores[d["code"]] = _room(home, f"{d['code']}-S", "设备间", "store room")
        mine = [_bed(home, d["code"], n) for n in range(1, d["beds"] + 1)]
        world.rooms[d["code"]] = mine
        beds += mine
    Location.objects.bulk_create(beds)
    for code, mode in (("GER", "grab"), ("END", "grab"), ("USD", "suggest")):
        DepartmentMode.objects.create(department=world.departments[code], mode=mode)


def _room(above: Location, code: str, name: str, name_en: str) -> Location:
    return Location.objects.create(
        code=f"R-{code}", kind="room", parent=above, name=name, name_en=name_en, x=above.x, y=above.y, floor=above.floor,
        building_code=above.building_code, path_zh=f"{above.path_zh} {name}", path_en=f"{above.path_en} {name_en}",
    )  # fmt: skip


def _bed(above: Location, code: str, n: int) -> Location:
    return Location(
        code=f"{code}-B{n:02d}", kind="bed", parent=above, name=f"{n} 床", name_en=f"bed {n}", x=above.x + n % 6 * 4,
        y=above.y + n // 6 * 4, floor=above.floor, building_code=above.building_code,
        path_zh=f"{above.path_zh} {n} 床", path_en=f"{above.path_en} bed {n}",
    )  # fmt: skip


def hire(world: World, *, passwords: dict[str, str]) -> None:
    """Accounts (one password per role) and the engineers' skills, cards and bases."""
    staff = seed("staff")
    hashed = {role: make_password(password) for role, password in passwords.items()}
    skills = {s.code: s for s in Skill.objects.all()}
    cards = {q.code: q for q in Qualification.objects.all()}
    for row in staff["others"]:
        home = world.departments.get(row.get("department", ""))
        world.staff[row["username"]] = _account(row, row["role"], hashed[row["role"]], home)
    today = timezone.localdate(world.now)
    for row in staff["engineers"]:
        account = world.engineers[row["username"]] = _account(row, "engineer", hashed["engineer"], None)
        world.skills[row["username"]] = row["skills"]
        base = Location.objects.filter(building_code=row["base"], kind="floor").order_by("floor").first()
        profile = Engineer.objects.create(user=account, base=base, max_open=row["max_open"], is_lead=row["lead"])
        EngineerSkill.objects.bulk_create(
            EngineerSkill(engineer=profile, skill=skills[code], level=level) for code, level in row["skills"].items()
        )
        EngineerQualification.objects.bulk_create(
            EngineerQualification(
                engineer=profile,
                qualification=cards[code],
                card_no=f"{code.upper()}-{account.pk:05d}",
                valid_until=today + timedelta(days=30 * months + 9),
            )
            for code, months in row["cards"].items()
        )


def _account(row: dict[str, Any], role: str, password: str, home: Department | None) -> User:
    person = Person.objects.create(name=row["name"], department=home)
    return User.objects.create(
        username=row["username"],
        password=password,
        role=role,
        person=person,
        display_name=row["name"],
        display_name_en=row["name_en"],
        department=home,
        email=f"{row['username']}@wardline.example",
        is_staff=role in ("dispatcher", "manager", "admin"),
    )


def roster(world: World) -> None:
    """Shifts from 14 days back to 28 days ahead: a long day shift, a night, an on-call second line and a lead.

    Built so that every hour has someone on site, whatever moment the demo is started.
    """
    profiles = {e.user.username: e for e in Engineer.objects.select_related("user")}
    leads = [e for e in profiles.values() if e.is_lead]
    others = [e for e in profiles.values() if not e.is_lead]
    shifts: list[Shift] = []
    first = timezone.localdate(world.now) - timedelta(days=14)
    for offset in range(43):
        day = first + timedelta(days=offset)
        turn = day.toordinal()
        night = [others[(turn * 4 + k) % len(others)] for k in range(4)]
        rested = [others[((turn - 1) * 4 + k) % len(others)] for k in range(4)]
        workers = [e for e in others if e not in night and e not in rested]
        weekend = day.weekday() >= 5
        for n, engineer in enumerate(workers[:6] if weekend else workers):
            shifts.append(_shift(engineer, day, time(8), time(17, 30), "primary", "on_site", "白班"))
            if n == 0:
                shifts.append(_shift(engineer, day, time(17, 30), time(8), "secondary", "home", "二线"))
        for engineer in night:
            shifts.append(_shift(engineer, day, time(17, 30), time(8), "primary", "on_site", "夜班"))
        shifts.append(_shift(leads[turn % len(leads)], day, time(8), time(8), "lead", "on_call", "带班"))
    Shift.objects.bulk_create(shifts)
    ill = others[-1]
    Leave.objects.create(
        engineer=ill, kind="training", note="厂家培训",
        starts_at=world.now + timedelta(days=3), ends_at=world.now + timedelta(days=5),
    )  # fmt: skip


def _shift(engineer: Engineer, day: date, starts: time, ends: time, role: str, presence: str, name: str) -> Shift:
    zone = timezone.get_default_timezone()
    begin = datetime.combine(day, starts, tzinfo=zone)
    end = datetime.combine(day if ends > starts else day + timedelta(days=1), ends, tzinfo=zone)
    return Shift(engineer=engineer, starts_at=begin, ends_at=end, role=role, presence=presence, name=name)


def equip(world: World, *, scale: float) -> None:
    """About 1,500 x `scale` devices where such devices stand, some in store as ready backups."""
    plan = seed("places")
    types = {t.name: t for t in DeviceType.objects.select_related("group")}
    world.presets = {g.code: list(g.presets.all()) for g in DeviceGroup.objects.prefetch_related("presets")}
    codes: set[str] = set()
    counters: dict[str, int] = {}
    rows: list[Device] = []
    rates: list[float] = []
    for spec in seed("types", REGISTER_SEED):
        kind = types[spec["name"]]
        homes, weights = _homes(world, plan, spec)
        for n in range(max(1, round(spec["count"] * scale))):
            home = world.departments[str(world.rng.choice(homes, p=weights))]
            rows.append(_device(world, plan, spec, kind, home, n, codes, counters))
            rates.append(spec["rate"])
    Device.objects.bulk_create(rows, batch_size=500)
    world.devices = list(Device.objects.for_display().order_by("pk"))
    world.rates = {device.pk: rate for device, rate in zip(world.devices, rates, strict=True)}


def _homes(world: World, plan: dict[str, Any], spec: dict[str, Any]) -> tuple[list[str], Any]:
    allowed = plan["only"].get(spec["name_en"]) or list(world.departments)
    weights = np.array([plan["weights"][world.profiles[c]].get(spec["group"], 0.05) for c in allowed], dtype=float)
    return allowed, weights / weights.sum()


def _device(
    world: World,
    plan: dict[str, Any],
    spec: dict[str, Any],
    kind: DeviceType,
    home: Department,
    n: int,
    codes: set[str],
    counters: dict[str, int],
) -> Device:
    rng = world.rng
    stored = n % 5 == 4 or spec["group"] in ("steriliser", "imaging", "fridge", "endoscope")
    beds = world.rooms[home.code]
    place = world.stores[home.code] if stored else beds[int(rng.integers(0, len(beds)))]
    counters[home.code] = counters.get(home.code, 0) + 1
    maker = plan["makers"][int(rng.integers(0, len(plan["makers"])))]
    bought = timezone.localdate(world.now) - timedelta(days=int(rng.integers(120, 365 * spec["life"])))
    price = Decimal(spec["price"]) * Decimal(str(round(float(rng.uniform(0.85, 1.15)), 2)))
    code = new_short_code(lambda letters: letters[int(rng.integers(0, len(letters)))])
    while code in codes:
        code = new_short_code(lambda letters: letters[int(rng.integers(0, len(letters)))])
    codes.add(code)
    in_use = not stored and rng.random() < ON_PATIENT.get(spec["group"], 0.15)
    return Device(
        asset_no=f"{home.code}-{counters[home.code]:04d}",
        short_code=code,
        type=kind,
        name=spec["name"],
        name_en=spec["name_en"],
        model=spec["models"][int(rng.integers(0, len(spec["models"])))],
        manufacturer=maker["name"],
        registrant=maker["name"],
        serial_no=f"{bought:%y%m}{int(rng.integers(10_000, 99_999))}{len(codes):04d}",
        udi_di=_gtin(690_000_000_000 + kind.pk * 1000 + 17),
        udi_agency="GS1",
        class_cn="Ⅲ" if kind.life_support else "Ⅱ",
        department=home,
        location=place,
        criticality=kind.criticality,
        backup_group=f"{spec['group']}-{kind.pk}" if spec["min_ready"] else "",
        min_ready=spec["min_ready"],
        status="in_use" if in_use else "ready",
        self_test_at=world.now - timedelta(hours=float(rng.uniform(1, 30))),
        status_since=world.now - timedelta(days=float(rng.uniform(0.1, 40))),
        price=price.quantize(Decimal(1)),
        purchased_on=bought,
        accepted_on=bought + timedelta(days=12),
        life_years=spec["life"],
        warranty_ends_on=bought + timedelta(days=365 * int(rng.integers(1, 4))),
        coverage="full" if rng.random() < 0.25 else "",
    )


def _gtin(twelve: int) -> str:
    """A GTIN-14 with its check digit, in a range that no issuer gives out."""
    digits = f"{twelve:013d}"
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(digits))
    return digits + str(-total % 10)
