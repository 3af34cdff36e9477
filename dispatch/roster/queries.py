"""Reads of the roster: who is on duty at a moment, and which hours nobody covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from assets.register.models import DeviceType
from dispatch.engineers.models import Engineer
from dispatch.roster import rules
from dispatch.roster.models import Leave, Shift
from dispatch.roster.rules import Presence, Standing
from tickets.record.models import IN_HAND, Ticket

AROUND = timedelta(hours=36)


def plan(start: datetime, end: datetime) -> tuple[list[rules.Span], list[rules.Away]]:
    """Every shift and absence that touches the stretch, as data. Two queries. Keys are engineer rows."""
    shifts = Shift.objects.filter(starts_at__lt=end, ends_at__gt=start)
    leaves = Leave.objects.filter(starts_at__lt=end, ends_at__gt=start)
    spans = [
        rules.Span(
            engineer=shift.engineer_id,
            start=shift.starts_at,
            end=shift.ends_at,
            presence=Presence(shift.presence),
            role=shift.role,
            night=_is_night(shift),
        )
        for shift in shifts
    ]
    return spans, [rules.Away(leave.engineer_id, leave.starts_at, leave.ends_at, leave.kind) for leave in leaves]


def _is_night(shift: Shift) -> bool:
    """A shift that lasts through 03:00 local time."""
    start = timezone.localtime(shift.starts_at)
    three = start.replace(hour=3, minute=0, second=0, microsecond=0)
    if three < start:
        three += timedelta(days=1)
    return three < shift.ends_at


def standings(engineers: Iterable[int], at: datetime, *, rest_hours: float = 0) -> dict[int, Standing]:
    """Where each of these engineers stands at a moment. Two queries however many they are."""
    spans, away = plan(at - AROUND, at + AROUND)
    own: dict[int, list[rules.Span]] = defaultdict(list)
    for span in spans:
        own[span.engineer].append(span)
    return {one: rules.standing(one, own[one], away, at, rest_hours=rest_hours) for one in engineers}


@dataclass(frozen=True)
class OnDuty:
    """One line of the roster on the board."""

    engineer: Engineer
    presence: Presence
    role: str
    until: datetime | None
    open_count: int

    @property
    def full(self) -> bool:
        return self.open_count >= self.engineer.max_open


def in_hand() -> Coalesce:
    """How many tickets an engineer has open. A subquery: a join would read every ticket they ever had."""
    theirs = Ticket.objects.filter(assignee=OuterRef("user"), state__in=IN_HAND).order_by().values("assignee")
    return Coalesce(Subquery(theirs.annotate(n=Count("pk")).values("n")), 0)


def here(at: datetime) -> list[tuple[Engineer, Standing]]:
    """Everybody on site or on call, and how. Three queries."""
    return _present(Engineer.objects.all(), at)


def on_duty(at: datetime) -> list[OnDuty]:
    """Everybody on site or on call with their load: lead first, then nearest, then busiest. Three queries."""
    people = Engineer.objects.select_related("base", "last_seen").annotate(open_now=in_hand())
    lines = [
        OnDuty(person, where.presence, where.role, where.until, person.open_now)
        for person, where in _present(people, at)
    ]
    return sorted(lines, key=lambda line: (line.role != "lead", rules.NEARNESS[line.presence], -line.open_count))


def _present(people: QuerySet[Engineer], at: datetime) -> list[tuple[Any, Standing]]:
    known = list(people.filter(active=True, user__is_active=True).select_related("user").order_by("pk"))
    where = standings([person.pk for person in known], at)
    return [(person, where[person.pk]) for person in known if where[person.pk].presence in rules.NEARNESS]


def leads_on_duty(at: datetime) -> list[Engineer]:
    """Who to tell when the machine cannot help: leads of the running shifts, otherwise every lead."""
    leads = [person for person, where in here(at) if where.role == Shift.Role.LEAD or person.is_lead]
    return leads or list(Engineer.objects.filter(is_lead=True, active=True).select_related("user__person"))


def gaps(at: datetime, days: int = 7) -> list[rules.Gap]:
    """Hours of the next days in which nobody with a valid card or skill is on site or on call."""
    start, end = timezone.localtime(at), timezone.localtime(at) + timedelta(days=days)
    types = DeviceType.objects.filter(devices__isnull=False).distinct()
    codes = {
        code
        for pair in types.values_list("required_skill__code", "required_qualification__code")
        for code in pair
        if code
    }
    spans, away = plan(start, end)
    return rules.gaps([rules.Need(code) for code in sorted(codes)], _holders(), spans, away, start, end)


def _holders() -> list[rules.Holder]:
    people = Engineer.objects.filter(active=True).prefetch_related("skills__skill", "qualifications__qualification")
    found = []
    for person in people:
        holds: dict[str, datetime | None] = {row.skill.code: None for row in person.skills.all()}
        for card in person.qualifications.all():
            # valid through the whole last day
            lapses = timezone.make_aware(datetime.combine(card.valid_until + timedelta(days=1), time()))
            known = holds.get(card.qualification.code)
            holds[card.qualification.code] = max(lapses, known) if known else lapses
        found.append(rules.Holder(person.pk, holds))
    return found
