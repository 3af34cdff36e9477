"""The moment as matching sees it: waiting tickets and engineers as plain data, in a fixed number of queries."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from assets.places.models import User
from assets.register.models import FaultPreset
from dispatch.engineers import queries as people
from dispatch.engineers.models import Engineer as EngineerRow
from dispatch.engineers.rules import Pace
from dispatch.matching import rules
from dispatch.matching.models import Decision, DepartmentMode, Exclusion, Mode
from dispatch.matching.models import Weights as WeightsRow
from dispatch.roster import queries as roster
from dispatch.triage import rules as triage
from tickets.record.models import RepairReport, State, Ticket, TimeEntry
from tickets.sla.models import Clock, Metric

logger = logging.getLogger(__name__)
Out = dict[int, set[int]]  # ticket: who is not asked
WAITING = (State.TRIAGED, State.REOPENED)
IN_HAND = (State.ASSIGNED, State.ACCEPTED, State.ARRIVED, State.WORKING)
KNOWS_DEVICE_FOR = timedelta(days=180)
LEAST_LEFT = 10.0  # minutes: work that should be over is believed to be nearly over
MOST_WAITING = 1000  # tickets in one round: about a second to read


@dataclass(frozen=True)
class Situation:
    """Everything one decision needs, and the rows to carry it out on."""

    at: datetime
    settings: rules.Settings
    version: int
    jobs: tuple[rules.Job, ...]
    engineers: tuple[rules.Engineer, ...]
    tickets: dict[int, Ticket]
    users: dict[int, User]
    in_hand: dict[int, Ticket]
    modes: dict[int, str]
    latest: dict[int, Decision]
    said_at: dict[tuple[int, str], datetime]  # (ticket, outcome of a decision): when it was last decided so
    left_out: bool  # more tickets without any decision wait than one round takes

    def mode(self, ticket: Ticket) -> str:
        """How this ticket is given out; a P1 never waits for a click."""
        return Mode.AUTOMATIC if ticket.priority == 1 else self.modes.get(ticket.department_id, Mode.AUTOMATIC)


def anything_waiting() -> bool:
    return _free().exists()


def load(at: datetime, active: WeightsRow, *, only: Iterable[int] | None = None) -> Situation:
    """Read the moment, or some waiting tickets of it. `at` becomes local time: a card is valid on a calendar day."""
    now = timezone.localtime(at)
    settings = settings_of(active)
    chosen, left_out = _of_this_round() if only is None else (list(only), False)
    tickets = _waiting(chosen)
    out = list(Exclusion.objects.filter(ticket__in=tickets))
    decisions = _decisions(tickets, out)
    rows = list(people.taking_part())
    presets = _presets()
    in_hand = _in_hand(rows)
    return Situation(
        at=now,
        settings=settings,
        version=active.version,
        jobs=_jobs(tickets, presets, now, _out(out, now, settings.manner)),
        engineers=_engineers(rows, in_hand, presets, now, settings.manner),
        tickets={ticket.pk: ticket for ticket in tickets},
        users={row.user_id: row.user for row in rows},
        in_hand={ticket.pk: ticket for ticket in in_hand},
        modes=dict(DepartmentMode.objects.values_list("department_id", "mode")),
        latest={row.ticket_id: row for row in decisions},
        said_at={(row.ticket_id, row.outcome): row.at for row in decisions},
        left_out=left_out,
    )


def active_weights() -> WeightsRow:
    """The version in use as it is now, without holding up a round or waiting for one."""
    return WeightsRow.objects.filter(active=True).first() or WeightsRow()


def settings_of(active: WeightsRow) -> rules.Settings:
    """A version that got past its check must not stop dispatch: the defaults serve, and the log says why."""
    try:
        return rules.settings_from(active.values)
    except (ValueError, TypeError, AttributeError):
        logger.exception("weights version %s cannot be used; the defaults serve", active.version)
        return rules.Settings()


def _of_this_round() -> tuple[list[int], bool]:
    """Which tickets are matched now, and whether some stay without any decision.

    In a flood half the places are for the most urgent. The others are drawn by lot, those nobody decided on first, so
    that no ticket starves behind hundreds that nobody can take.
    """
    decided = Exists(Decision.objects.filter(ticket=OuterRef("pk")))
    rows = list(_free().order_by("priority", "pk").values_list("pk", decided))
    if len(rows) <= MOST_WAITING:
        return [pk for pk, _ in rows], False
    sure, rest = rows[: MOST_WAITING // 2], rows[MOST_WAITING // 2 :]
    random.shuffle(rest)
    rest.sort(key=lambda row: row[1])
    drawn, left = rest[: MOST_WAITING - len(sure)], rest[MOST_WAITING - len(sure) :]
    return [pk for pk, _ in sure + drawn], any(not known for _, known in left)


def _free() -> QuerySet[Ticket]:
    return Ticket.objects.filter(state__in=WAITING, assignee__isnull=True)


def _waiting(chosen: list[int]) -> list[Ticket]:
    return list(
        _free()
        .filter(pk__in=chosen)
        .select_related(
            "device__type__group",
            "device__type__required_skill",
            "device__type__required_qualification",
            "department",
            "location",
            "preset__skill",
            "repeat_of",
        )
        .order_by("pk")
    )


def _presets() -> list[triage.Preset]:
    rows = FaultPreset.objects.filter(active=True).values_list(
        "code", "group__code", "category", "skill__code", "minutes"
    )
    return [
        triage.Preset(code=code, group=group, category=category, skill=skill or "", minutes=minutes)
        for code, group, category, skill, minutes in rows
    ]


def _jobs(
    tickets: list[Ticket], presets: list[triage.Preset], now: datetime, out: tuple[Out, Out]
) -> tuple[rules.Job, ...]:
    refused, silent = out
    knows = _last_on_device(tickets, now)
    failed = _failed_last(tickets)
    dues = _dues(tickets)
    return tuple(
        replace(
            _job(ticket, classify(ticket, presets)),
            refused=frozenset(refused[ticket.pk]),
            excluded=frozenset(silent[ticket.pk]),
            last_engineer=knows.get(ticket.device_id or 0),
            failed_engineer=failed.get(ticket.pk),
            respond_by=dues.get((ticket.pk, Metric.RESPONSE)),
            arrive_by=dues.get((ticket.pk, Metric.ARRIVAL)),
        )
        for ticket in tickets
    )


def classify(ticket: Ticket, presets: Iterable[triage.Preset]) -> triage.Classification:
    """What is probably wrong with this ticket, by its tile and the demands of its device."""
    kind = ticket.device.type if ticket.device else None
    return triage.classify(
        kind.group.code if kind else "general",
        ticket.preset.code if ticket.preset else "",
        presets,
        device_skill=kind.required_skill.code if kind and kind.required_skill else "",
        device_qualification=(kind.required_qualification.code if kind and kind.required_qualification else ""),
    )


def _job(ticket: Ticket, found: triage.Classification) -> rules.Job:
    return rules.Job(
        id=ticket.pk,
        priority=ticket.priority,
        created=ticket.reported_at,
        classes=found.classes,
        position=people.position(ticket.location),
        skill=found.skill,
        qualifications=frozenset({found.qualification} - {""}),
        rework=ticket.reopen_count > 0,
        repeat=ticket.repeat_of_id is not None,
    )


def _out(rows: list[Exclusion], now: datetime, manner: rules.Manner) -> tuple[Out, Out]:
    """Who refused each ticket (for good), and who did not answer (for a while)."""
    refused: Out = defaultdict(set)
    silent: Out = defaultdict(set)
    recent = now - timedelta(minutes=manner.no_answer)
    for row in rows:
        if row.reason != Exclusion.Reason.TIMED_OUT:
            refused[row.ticket_id].add(row.user_id)
        elif row.at > recent:
            silent[row.ticket_id].add(row.user_id)
    return refused, silent


def _dues(tickets: list[Ticket]) -> dict[tuple[int, str], datetime]:
    """(ticket, metric): when it is promised, by the clocks that still run."""
    running = Clock.objects.filter(ticket__in=tickets, met_at__isnull=True, stopped_at__isnull=True)
    rows = running.filter(metric__in=(Metric.RESPONSE, Metric.ARRIVAL)).order_by()
    return {(ticket, metric): due for ticket, metric, due in rows.values_list("ticket_id", "metric", "due_at")}


def _last_on_device(tickets: list[Ticket], now: datetime) -> dict[int, int]:
    """Device -> who last repaired it."""
    closed = (
        Ticket.objects.filter(
            device_id__in={ticket.device_id for ticket in tickets if ticket.device_id},
            state=State.CLOSED,
            assignee__isnull=False,
            ended_at__gt=now - KNOWS_DEVICE_FOR,
        )
        .order_by("ended_at", "pk")  # by the key alone SQLite walks through all that was ever closed
        .values_list("device_id", "assignee_id")
    )
    return {device: user for device, user in closed if device and user}


def _failed_last(tickets: list[Ticket]) -> dict[int, int]:
    """Ticket -> whose repair did not hold: the last report of a reopened ticket, or the ticket it repeats."""
    failed = {
        ticket.pk: ticket.repeat_of.assignee_id
        for ticket in tickets
        if ticket.repeat_of and ticket.repeat_of.assignee_id
    }
    reopened = [ticket.pk for ticket in tickets if ticket.reopen_count]
    reports = (
        RepairReport.objects.filter(ticket_id__in=reopened, by__user__isnull=False)
        .order_by("at", "pk")
        .values_list("ticket_id", "by__user__pk")
    )
    return failed | {ticket: user for ticket, user in reports if user}


def _in_hand(rows: list[EngineerRow]) -> list[Ticket]:
    return list(
        Ticket.objects.filter(assignee_id__in=[row.user_id for row in rows], state__in=[*IN_HAND, State.PAUSED])
        .select_related("preset", "department", "device", "assignee__person")
        .order_by("priority", "pk")
    )


def _engineers(
    rows: list[EngineerRow],
    in_hand: list[Ticket],
    presets: list[triage.Preset],
    now: datetime,
    manner: rules.Manner,
) -> tuple[rules.Engineer, ...]:
    where = roster.standings([row.pk for row in rows], now, rest_hours=manner.rest_hours)
    skill, pace = people.estimates(rows, _minutes_by_category(presets))
    categories = {preset.category for preset in presets} | {triage.OTHER}
    busy = _minutes_today(rows, now)
    held: dict[int, list[Ticket]] = defaultdict(list)
    for ticket in in_hand:
        held[ticket.assignee_id or 0].append(ticket)
    found = []
    for row in rows:
        who = row.user_id
        active = [ticket for ticket in held[who] if ticket.state != State.PAUSED]
        found.append(
            rules.Engineer(
                id=who,
                position=people.position(row.last_seen or row.base),
                presence=where[row.pk].presence,
                shift_end=where[row.pk].until,
                rest_until=where[row.pk].rest_until,
                skills={held_skill.skill.code: held_skill.level for held_skill in row.skills.all()},
                qualifications=_cards(row),
                open_count=len(held[who]),
                max_open=row.max_open,
                busy_until=_free_at(active, pace, who, now),
                busy_minutes=busy.get(who, 0.0),
                current=rules.Work(active[0].pk, active[0].priority) if active else None,
                chances={code: skill.chance(who, code) for code in categories},
                usual_chance=skill.chance(who, triage.OTHER),
                paces={code: pace.ratio(who, code) for code in categories},
                usual_pace=pace.by_engineer.get(who, 1.0),
            )
        )
    return tuple(found)


def _cards(row: EngineerRow) -> dict[str, date | None]:
    """Of several cards of a kind the last to lapse counts."""
    cards: dict[str, date | None] = {}
    for card in sorted(row.qualifications.all(), key=lambda one: one.valid_until):
        cards[card.qualification.code] = card.valid_until
    return cards


def _minutes_by_category(presets: list[triage.Preset]) -> dict[str, float]:
    grouped: dict[str, list[float]] = defaultdict(list)
    for preset in presets:
        grouped[preset.category].append(preset.minutes)
    return {category: sum(values) / len(values) for category, values in grouped.items()}


def _free_at(active: list[Ticket], pace: Pace, user: int, now: datetime) -> datetime | None:
    """When the work in hand should be over; work past its expected minutes is nearly over."""
    if not active:
        return None
    left = 0.0
    for ticket in active:
        usual = pace.minutes(ticket.category, ticket.preset.minutes if ticket.preset else triage.UNKNOWN_MINUTES)
        begun = ticket.started_at if ticket.state == State.WORKING and ticket.started_at else now
        left += max(usual * pace.ratio(user, ticket.category) - rules.minutes(now - begun), LEAST_LEFT)
    return now + timedelta(minutes=left)


def _minutes_today(rows: list[EngineerRow], now: datetime) -> dict[int, float]:
    """Hands-on minutes of everybody since midnight."""
    midnight = timezone.make_aware(datetime.combine(now.date(), time()))
    entries = TimeEntry.objects.filter(user_id__in=[row.user_id for row in rows]).filter(
        Q(ended_at__gt=midnight) | Q(ended_at__isnull=True)
    )
    total: dict[int, float] = defaultdict(float)
    for user, start, end in entries.values_list("user_id", "started_at", "ended_at"):
        total[user] += max(0.0, rules.minutes(min(end or now, now) - max(start, midnight)))
    return total


def _decisions(tickets: list[Ticket], out: list[Exclusion]) -> list[Decision]:
    """What was decided on these since they are free, oldest first, so that nothing is written that did not change.
    Without the reasons, which are long."""
    since = _free_since(tickets, out)
    known = Decision.objects.filter(ticket__in=tickets).defer("explanation").order_by("pk")
    return [row for row in known if row.ticket_id not in since or row.at >= since[row.ticket_id]]


def _free_since(tickets: list[Ticket], out: list[Exclusion]) -> dict[int, datetime]:
    """Ticket -> when somebody last had it: what was said before that is no news of today. A repair that did not hold, or a
    ticket given back, is decided and announced like a new one, also where a hand had given it out."""
    reopened = [ticket.pk for ticket in tickets if ticket.reopen_count]
    repaired = RepairReport.objects.filter(ticket_id__in=reopened).values_list("ticket_id", "at")
    since: dict[int, datetime] = {}
    for ticket, at in [*repaired, *((row.ticket_id, row.at) for row in out)]:
        since[ticket] = max(at, since.get(ticket, at))
    return since
