"""The rules a new installation starts with, from `tickets/sla/seed`."""

from __future__ import annotations

import csv
import json
from datetime import date, time
from pathlib import Path
from typing import Any

from django.db import transaction

from tickets.record.models import HoldReason
from tickets.sla import rules
from tickets.sla.models import Calendar, CalendarDay, CalendarWindow, PriorityRule, Rung, Target
from tickets.sla.queries import forget_rulebook

SEED = Path(__file__).parent.parent / "seed"


@transaction.atomic
def install_defaults() -> None:
    """Afterwards calendars, holidays, matrix, targets, ladder and hold reasons exist. What a manager changed stays.

    Safe to run again: rows are found by their natural key and never overwritten; the ladder, whose rungs have none,
    is laid only where there is none; a year's holidays are entered only where the calendar knows none of that year.
    """
    calendars = {row["code"]: _calendar(row) for row in _seed("calendars")}
    for row in _seed("calendars"):
        if row.get("holidays"):
            _enter_holidays(calendars[row["code"]])
    for (impact, criticality), priority in rules.MATRIX.items():
        PriorityRule.objects.get_or_create(impact=impact, criticality=criticality, defaults={"priority": priority})
    for row in _seed("targets"):
        key = {"priority": row.pop("priority"), "metric": row.pop("metric")}
        Target.objects.get_or_create(
            **key, defaults={name: calendars.get(str(value), value) for name, value in row.items()}
        )
    if not Rung.objects.exists():
        for row in _seed("ladder"):
            Rung.objects.create(**row)
    for row in _seed("hold_reasons"):
        HoldReason.objects.get_or_create(code=row.pop("code"), defaults=row)
    forget_rulebook()


def _calendar(row: dict[str, Any]) -> Calendar:
    calendar, created = Calendar.objects.get_or_create(
        code=row["code"], defaults={"name": row["name"], "always": row.get("always", False)}
    )
    if created:
        CalendarWindow.objects.bulk_create(
            CalendarWindow(
                calendar=calendar, weekday=weekday, starts=time.fromisoformat(starts), ends=time.fromisoformat(ends)
            )
            for weekday in row.get("weekdays", [])
            for starts, ends in row["windows"]
        )
    return calendar


def _enter_holidays(calendar: Calendar) -> None:
    known = {day.year for day in calendar.days.values_list("day", flat=True)}
    with (SEED / "cn_holidays.csv").open(encoding="utf-8", newline="") as file:
        rows = [(date.fromisoformat(row["date"]), row["kind"], row["name"]) for row in csv.DictReader(file)]
    CalendarDay.objects.bulk_create(
        CalendarDay(calendar=calendar, day=day, name=name, works=kind == "make_up_workday")
        for day, kind, name in rows
        if day.year not in known
    )


def _seed(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((SEED / f"{name}.json").read_text(encoding="utf-8"))
    return rows
