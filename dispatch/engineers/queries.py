"""Reads about engineers: who takes part, what their history says, where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from assets.places.models import Location
from dispatch.engineers import rules
from dispatch.engineers.models import Engineer


def taking_part() -> QuerySet[Engineer]:
    """Engineers that matching may use, with skills, cards and history in a fixed number of queries."""
    return (
        Engineer.objects.filter(active=True, user__is_active=True)
        .select_related("user__person", "base", "last_seen")
        .prefetch_related("skills__skill", "qualifications__qualification", "track_records")
        .order_by("pk")
    )


def records(engineers: Iterable[Engineer]) -> list[rules.Record]:
    """Track records of prefetched engineers, keyed by the account's id."""
    return [
        rules.Record(engineer.user_id, row.category, row.attempts, row.first_fixes, row.log_minutes_sum)
        for engineer in engineers
        for row in engineer.track_records.all()
    ]


def estimates(engineers: Iterable[Engineer], preset_minutes: Mapping[str, float]) -> tuple[rules.Skill, rules.Pace]:
    """First-fix chances and pace of everybody, shrunk (algorithms.md section 1)."""
    known = records(engineers)
    return rules.fit_skill(known), rules.fit_pace(known, preset_minutes)


def position(location: Location | None) -> rules.Position | None:
    """A place of the tree as matching sees it."""
    if location is None:
        return None
    return rules.Position(building=location.building_code, floor=location.floor, x=location.x, y=location.y)
