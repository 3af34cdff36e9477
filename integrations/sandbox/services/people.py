"""Who works in the demo hospital: accounts, engineers with skills and cards, and a roster that covers now."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from assets.models import Department, Location, Person, Qualification, Skill, User
from dispatch.models import Engineer, EngineerQualification, EngineerSkill, Leave, Shift
from integrations.sandbox.services.world import World, seed

DEMO_DOMAIN = "wardline.example"
BACK, AHEAD = 14, 28  # days of roster before and after today


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
        email=f"{row['username']}@{DEMO_DOMAIN}",
        is_staff=role in ("dispatcher", "manager", "admin"),
    )


def roster(world: World) -> None:
    """Shifts from 14 days back to 28 days ahead: day, night, an on-call second line at home, a lead round the clock.

    Four on each night, one of every row of `nights`, so that whenever the demo is started somebody on site can
    ventilate, infuse, mend and image; who worked the night is off the next day.
    """
    staff = {e.user.username: e for e in Engineer.objects.select_related("user")}
    leads = [e for e in staff.values() if e.is_lead]
    rows = [[staff[name] for name in row] for row in seed("staff")["nights"]]
    shifts: list[Shift] = []
    first = timezone.localdate(world.now) - timedelta(days=BACK)
    for offset in range(BACK + AHEAD + 1):
        day = first + timedelta(days=offset)
        turn = day.toordinal()
        away = {row[t % len(row)].pk for row in rows for t in (turn, turn - 1)}
        # At weekends one of each row comes in by day, the next in turn.
        days = [row[(turn + 2) % len(row)] for row in rows] if day.weekday() >= 5 else [e for row in rows for e in row]
        days = [e for e in days if e.pk not in away]
        shifts += [_shift(e, day, time(8), time(17, 30), "primary", "on_site", "白班") for e in days]
        nights = [row[turn % len(row)] for row in rows]
        shifts += [_shift(e, day, time(17, 30), time(8), "primary", "on_site", "夜班") for e in nights]
        second = rows[0][(turn + 2) % len(rows[0])]
        shifts.append(_shift(second, day, time(17, 30), time(8), "secondary", "home", "二线"))
        shifts.append(_shift(leads[turn % len(leads)], day, time(8), time(8), "lead", "on_call", "带班"))
    Shift.objects.bulk_create(shifts)
    for shift in shifts:
        world.rosters.setdefault(shift.engineer.user.username, []).append((shift.starts_at, shift.ends_at))
    Leave.objects.create(
        engineer=rows[3][-1], kind="training", note="厂家培训",
        starts_at=world.now + timedelta(days=3), ends_at=world.now + timedelta(days=5),
    )  # fmt: skip


def _shift(engineer: Engineer, day: date, starts: time, ends: time, role: str, presence: str, name: str) -> Shift:
    zone = timezone.get_default_timezone()
    begin = datetime.combine(day, starts, tzinfo=zone)
    end = datetime.combine(day if ends > starts else day + timedelta(days=1), ends, tzinfo=zone)
    return Shift(engineer=engineer, starts_at=begin, ends_at=end, role=role, presence=presence, name=name)
