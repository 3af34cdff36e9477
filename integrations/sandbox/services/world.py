"""What the demo hospital starts from: the catalogue of the register, its places and departments."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings

from assets.models import (
    Department,
    Device,
    DeviceGroup,
    DeviceType,
    FaultPreset,
    Location,
    Qualification,
    Skill,
    User,
)
from dispatch.models import DepartmentMode

SEED = Path(__file__).parents[1] / "seed"
REGISTER_SEED = Path(settings.BASE_DIR, "assets", "register", "seed")


@dataclass
class World:
    """What was made, by the codes of the seed."""

    rng: Random
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
    rosters: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)


def seed(name: str, folder: Path = SEED) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def catalogue() -> None:
    """Skills, cards, families, tiles and types: what any hospital may start from."""
    skills = {
        s["code"]: Skill.objects.get_or_create(code=s["code"], defaults=s)[0] for s in seed("skills", REGISTER_SEED)
    }
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
        code="C1",
        kind="campus",
        name="滨江院区",
        name_en="Riverside campus",
        path_zh="滨江院区",
        path_en="Riverside campus",
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
        zh, en = plan["spots"].get(d["profile"], ("{n} 床", "bed {n}"))
        mine = [_spot(home, d["code"], n, zh.format(n=n), en.format(n=n)) for n in range(1, d["beds"] + 1)]
        world.rooms[d["code"]] = mine
        beds += mine
    Location.objects.bulk_create(beds)
    for code, mode in (("GER", "grab"), ("END", "grab"), ("USD", "suggest"), ("URO", "suggest")):
        DepartmentMode.objects.create(department=world.departments[code], mode=mode)


def _room(above: Location, code: str, name: str, name_en: str) -> Location:
    return Location.objects.create(
        code=f"R-{code}", kind="room", parent=above, name=name, name_en=name_en, x=above.x, y=above.y, floor=above.floor,
        building_code=above.building_code, path_zh=f"{above.path_zh} {name}", path_en=f"{above.path_en} {name_en}",
    )  # fmt: skip


def _spot(above: Location, code: str, n: int, name: str, name_en: str) -> Location:
    """A bed, or what this department has instead: a theatre, an examination room, a bench."""
    return Location(
        code=f"{code}-B{n:02d}", kind="bed" if name.endswith("床") else "room", parent=above, name=name, name_en=name_en,
        x=above.x + n % 6 * 4, y=above.y + n // 6 * 4, floor=above.floor, building_code=above.building_code,
        path_zh=f"{above.path_zh} {name}", path_en=f"{above.path_en} {name_en}",
    )  # fmt: skip
