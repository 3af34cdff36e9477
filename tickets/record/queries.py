"""Reads around one ticket: the envelope of its events, its history on the device, names behind random ids."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.places.models import Department, Person, User
from assets.register import queries as register
from assets.register.models import Criticality, Device, FaultPreset
from config.kernel.errors import Missing
from tickets.policies import visible_tickets
from tickets.record.models import State, Ticket

REPEAT_WINDOW = timedelta(days=30)
REASONS = {
    "repeat": gettext_lazy("30 天内重复"),
    "backups_short": gettext_lazy("备用机不够"),
    "danger": gettext_lazy("有危险情况"),
}
TESTS = {
    "protective_earth": gettext_lazy("保护接地电阻"),
    "equipment_leakage": gettext_lazy("设备漏电流"),
    "applied_part_leakage": gettext_lazy("应用部分漏电流"),
    "function": gettext_lazy("功能检查"),
}


def name_of_test(code: str, stored: str = "") -> str:
    """A test of the finish sheet in the reader's language; one that is not ours keeps the name it was stored with."""
    return str(TESTS.get(code) or stored or code)


def priority_reasons(codes: list[str]) -> str:
    """`["matrix:I1xC1", "repeat"]` as people say it."""
    said = []
    for code in codes:
        kind, _sep, cell = str(code).partition(":")
        if kind == "matrix" and "x" in cell:
            impact, criticality = cell.split("x", 1)
            said.append(f"{_named(FaultPreset.Impact, impact)} × {_named(Criticality, criticality)}")
        else:
            said.append(str(REASONS.get(kind, code)))
    return _("，").join(said)


def _named(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def envelope(ticket: Ticket) -> dict[str, Any]:
    """What every ticket event carries: ids and codes, never names."""
    return {
        "ticket": ticket.public_id,
        "number": ticket.number,
        "state": str(ticket.state),
        "priority": ticket.priority,
        "device": ticket.device.public_id if ticket.device else "",
        "scope": ticket.department.code,
    }


def open_on(device: Device) -> Ticket | None:
    """The oldest open ticket on a device: the one that further reports join."""
    oldest = Ticket.objects.open().filter(device=device).order_by("reported_at", "id")  # by id alone a database walks
    # through all that the device ever had; and most devices have none, so the joins are written for one
    pk = oldest.values_list("pk", flat=True).first()
    return Ticket.objects.select_related("device", "department", "assignee", "preset").get(pk=pk) if pk else None


class Past(NamedTuple):
    """What a new report's priority hangs on beside the report itself."""

    backups_short: bool
    repeat_of: Ticket | None


class Reported(NamedTuple):
    """A device, the fault named on it (None when its group has no such fault), and its past."""

    device: Device
    preset: FaultPreset | None
    past: Past


def past_of(device: Device | None, preset: FaultPreset | None, at: datetime) -> Past:
    """Whether backups run short, and the ticket closed on this device with the same symptom within 30 days."""
    if device is None:
        return Past(backups_short=False, repeat_of=None)
    earlier = _closed_lately(at).filter(device=device, preset=preset).first() if preset else None
    return Past(backups_short=register.backups_short(device), repeat_of=earlier)


def to_report(public_id: str, symptom: str | None, at: datetime) -> Reported | None:
    """All that a report needs to know about the device it names, in one query; None when there is no such device."""
    fault = Q(type__group__presets__code=symptom or "", type__group__presets__active=True)
    device = (
        Device.objects.with_ready_others()
        .annotate(
            fault=FilteredRelation("type__group__presets", condition=fault),
            earlier=Subquery(
                _closed_lately(at).filter(device=OuterRef("pk"), preset__code=symptom or "").values("pk")[:1]
            ),
        )
        .select_related("department", "location", "fault")
        .filter(public_id=public_id)
        .first()
    )
    if device is None:
        return None
    earlier: int | None = getattr(device, "earlier", None)
    repeat_of = Ticket.objects.get(pk=earlier) if earlier else None
    return Reported(device, getattr(device, "fault", None), Past(register.backups_short(device), repeat_of))


def _closed_lately(at: datetime) -> QuerySet[Ticket]:
    lately = Ticket.objects.filter(state=State.CLOSED, ended_at__gte=at - REPEAT_WINDOW, ended_at__lte=at)
    return lately.order_by("-ended_at")


def last_fault(ticket: Ticket) -> Ticket | None:
    """The latest earlier ticket on the same device, for "23 天前同故障"."""
    if ticket.device_id is None:
        return None
    return (
        Ticket.objects.filter(device_id=ticket.device_id, pk__lt=ticket.pk)
        .exclude(state__in=[State.CANCELLED, State.REJECTED])
        .select_related("preset")
        .order_by("-pk")
        .first()
    )


def names_of(person_ids: Iterable[str]) -> dict[str, str]:
    """Display names behind the random ids of events; erased people stay nameless."""
    wanted = {p for p in person_ids if p and p not in ("system", "qr")}
    accounts = {
        u.person.public_id: u.short_name
        for u in User.objects.filter(person__public_id__in=wanted).select_related("person")
    }
    others = Person.objects.filter(public_id__in=wanted - accounts.keys())
    return accounts | {p.public_id: p.name for p in others if p.name}


def search_terms(*texts: str) -> str:
    """What the list is searched by: words, and two-character pieces of Chinese, so that 监护 finds 监护仪."""
    found: dict[str, None] = {}
    for text in texts:
        for word in re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]+", unicodedata.normalize("NFKC", text).casefold()):
            if word.isascii():
                found[word] = None
            else:
                found |= dict.fromkeys(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    return " ".join(found)


def search_words(
    number: str, device: Device | None, preset: FaultPreset | None, department: Department, text: str
) -> str:
    """What one ticket is found by: both languages of everything, whoever reported it in whichever."""
    words = [number, department.code, department.name, department.name_en, text]
    if device:
        words += [device.name, device.name_en, device.model, device.asset_no, device.serial_no]
    if preset:
        words += [preset.name.replace("\n", ""), preset.name_en.replace("\n", " ")]
    return search_terms(*words)


def find(user: Any, public_id: str) -> Ticket:
    """One ticket by its public id; somebody else's is not there (Missing)."""
    near = ("device", "department", "location", "preset", "assignee")
    ticket = visible_tickets(user, Ticket.objects.select_related(*near)).filter(public_id=public_id).first()
    if ticket is None:
        raise Missing(_("没有这一条，或者你看不到它。"))
    return ticket


_FOUND = {
    # The expression of the index in migration 0002_ticket_search, word for word; FTS5 keeps its own table by triggers.
    "postgresql": "to_tsvector('simple', tickets_ticket.search_text) @@ to_tsquery('simple', %s)",
    "sqlite": "tickets_ticket.id IN (SELECT rowid FROM ticket_search WHERE ticket_search MATCH %s)",
}
_MOST_TERMS = 12
_MOST_FOUND = 500


def search(tickets: QuerySet[Ticket], text: str) -> QuerySet[Ticket]:
    """Tickets that hold every word of `text`, by its beginning; two Chinese characters are enough. No text: all."""
    terms = search_terms(text).split()[:_MOST_TERMS]
    if not terms:
        return tickets.none() if text.strip() else tickets
    # search_terms leaves only letters, digits and Han, so quoting is all the escaping there is.
    if connection.vendor == "postgresql":
        asked = " & ".join(f"'{term}':*" for term in terms)
    else:
        asked = " AND ".join(f'"{term}"*' for term in terms)
    found = RawSQL(_FOUND[connection.vendor], (asked,), output_field=BooleanField())  # noqa: S611 - constants above, value bound
    return tickets.filter(found)


def newest_found(text: str) -> list[int]:
    """Keys of the newest tickets that `search` finds, at most 500: enough to name rows that belong to them."""
    return list(search(Ticket.objects.order_by("-id"), text).values_list("pk", flat=True)[:_MOST_FOUND])


def of_tickets(rows: QuerySet[Any], text: str, *, ticket: str = "ticket", person: str = "") -> QuerySet[Any]:
    """Those of `rows` whose `ticket` the search finds, or whose `person` has that name: without reading them all."""
    wanted = Q(**{f"{ticket}__in": newest_found(text)})
    if person and (people := called(text)):
        wanted |= Q(**{f"{person}__in": people})
    return rows.filter(wanted)


def called(text: str) -> list[int]:
    """Keys of the accounts whose name holds `text`."""
    text = text.strip()
    named = Q(username__icontains=text) | Q(display_name__icontains=text) | Q(display_name_en__icontains=text)
    return list(User.objects.filter(named).values_list("pk", flat=True)[:_MOST_FOUND]) if text else []
