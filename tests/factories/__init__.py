"""Small builders for rows that tests need; each makes the least that is valid and takes overrides."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from assets.models import Department, Device, DeviceGroup, DeviceType, FaultPreset, Location, Qualification, Skill, User
from dispatch.models import Engineer, EngineerQualification, EngineerSkill, Shift

_n = count(1)
PASSWORD = "correct-horse-ward-7"


def location(
    name: str = "3 床", *, code: str = "", floor: int = 5, x: float = 0, y: float = 0, **more: Any
) -> Location:
    code = code or f"LOC{next(_n)}"
    defaults = {
        "kind": Location.Kind.BED,
        "building_code": "B1",
        "path_zh": f"外科楼 {floor} 层 {name}",
        "path_en": f"Surgery floor {floor} {code}",
        "name_en": code,
    }
    return Location.objects.create(code=code, name=name, floor=floor, x=x, y=y, **(defaults | more))


def department(code: str = "", name: str = "重症医学科", **more: Any) -> Department:
    code = code or f"D{next(_n)}"
    place = more.pop("location", None) or location(name, code=f"L-{code}", kind=Location.Kind.ROOM)
    return Department.objects.create(
        code=code, name=name, name_en=more.pop("name_en", f"Ward {code}"), extension="8120", location=place, **more
    )


def group(code: str = "ventilator", name: str = "呼吸机") -> DeviceGroup:
    row, _ = DeviceGroup.objects.get_or_create(
        code=code,
        defaults={
            "name": name,
            "name_en": code.title(),
            "icon": "fan",
            "first_aid": {
                "zh": {
                    "title": "先保患者，别等工程师",
                    "steps": ["立即用简易呼吸器手动通气", "接上备用呼吸机", "叫值班医生到床旁"],
                },
                "en": {
                    "title": "Patient first",
                    "steps": ["Ventilate by hand", "Connect the backup", "Call the doctor"],
                },
            },
        },
    )
    return row


def preset(of: DeviceGroup, code: str = "", name: str = "停机", **more: Any) -> FaultPreset:
    code = code or f"{of.code}-stopped"
    defaults = {"name": name, "name_en": "Stopped", "icon": "power-off", "category": "power", "default_impact": "I2"}
    row, _ = FaultPreset.objects.get_or_create(code=code, defaults={"group": of, **defaults, **more})
    return row


def skill(code: str = "respiratory") -> Skill:
    return Skill.objects.get_or_create(code=code, defaults={"name": "呼吸与麻醉", "name_en": "Respiratory"})[0]


def qualification(code: str = "r1") -> Qualification:
    return Qualification.objects.get_or_create(code=code, defaults={"name": "快开门式压力容器操作", "name_en": "R1"})[0]


def device_type(of: DeviceGroup | None = None, **more: Any) -> DeviceType:
    of = of or group()
    defaults: dict[str, Any] = {
        "criticality": "C1",
        "life_support": True,
        "required_skill": skill(),
        "protection_class": "I",
    }
    name = more.pop("name", of.name)
    return DeviceType.objects.create(name=name, name_en=of.name_en, group=of, **(defaults | more))


def device(home: Department, of: DeviceType | None = None, **more: Any) -> Device:
    of = of or device_type()
    n = next(_n)
    defaults: dict[str, Any] = {
        "asset_no": f"A-{n:04d}",
        "serial_no": f"SN{n:06d}",
        "name": of.name,
        "name_en": of.name_en,
        "model": "HV-300",
        "manufacturer": "明康医疗",
        "criticality": of.criticality,
        "location": home.location,
    }
    return Device.objects.create(type=of, department=home, **(defaults | more))


def user(username: str, role: str, *, home: Department | None = None, name: str = "", **more: Any) -> User:
    return User.objects.create_user(
        username=username,
        password=PASSWORD,
        email=f"{username}@example.test",
        role=role,
        department=home,
        display_name=name or username,
        is_staff=role in ("dispatcher", "manager", "admin"),
        **more,
    )


def engineer(
    username: str,
    *,
    at: datetime,
    name: str = "李志远",
    skills: dict[str, int] | None = None,
    cards: dict[str, Any] | None = None,
    on_shift: bool = True,
    base: Location | None = None,
    **more: Any,
) -> User:
    """An engineer account with profile; on a shift from 2 h before `at` to 6 h after it unless `on_shift` is False."""
    account = user(username, "engineer", name=name)
    profile = Engineer.objects.create(user=account, base=base, **more)
    for code, level in ({"respiratory": 2} if skills is None else skills).items():
        EngineerSkill.objects.create(engineer=profile, skill=skill(code), level=level)
    for code, until in (cards or {}).items():
        EngineerQualification.objects.create(engineer=profile, qualification=qualification(code), valid_until=until)
    if on_shift:
        shift(account, at - timedelta(hours=2), at + timedelta(hours=6))
    return account


def shift(account: User, starts_at: datetime, ends_at: datetime, **more: Any) -> Shift:
    return Shift.objects.create(engineer=account.engineer, starts_at=starts_at, ends_at=ends_at, **more)
