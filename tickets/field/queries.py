"""What an engineer's phone shows: today's groups and one ticket. A fixed number of queries, however many tickets."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.places.models import User
from assets.register import queries as register
from assets.register.models import Device
from assets.register.rules import classify
from tickets.field import rules
from tickets.lifecycle import queries as lifecycle
from tickets.lifecycle.rules import UNDO_WITHIN
from tickets.policies import fieldwork, is_engineer
from tickets.record.models import State, Ticket
from tickets.record.queries import last_fault, name_of_test
from tickets.sla import queries as sla

STEP_DONE = {
    "accept": gettext_lazy("已接单"),
    "depart": gettext_lazy("已出发"),
    "arrive": gettext_lazy("已到场"),
    "start": gettext_lazy("已开始维修"),
    "pause": gettext_lazy("已暂停"),
    "resume": gettext_lazy("已继续"),
    "restore": gettext_lazy("备用机已接上"),
}

VERB_ICONS = {"accept": "check", "arrive": "scan-line", "start": "wrench", "finish": "check", "resume": "play"}


def today(user: Any, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """`urgent`, `mine`, `open_to_take`, `waiting`: each by time to breach."""
    rows = fieldwork(user, Ticket.objects.for_board()).order_by("priority", "id")[:200]
    groups: dict[str, list[dict[str, Any]]] = {"urgent": [], "mine": [], "open_to_take": [], "waiting": []}
    for ticket in rows:
        groups[_group(ticket)].append(card(ticket, now))
    for cards in groups.values():
        cards.sort(key=lambda c: c["sort"])
    _name_backups(groups["urgent"])
    return groups


def say_what_is_against(cards: list[dict[str, Any]], user: Any, now: datetime) -> None:
    """Free tickets that he would be refused come last and say why."""
    against = _against(user, [c["ticket"] for c in cards], now)
    for c in cards:
        c["against"] = against.get(c["ticket"].pk, "")
    cards.sort(key=lambda c: bool(c["against"]))


def _against(user: Any, tickets: list[Ticket], now: datetime) -> dict[int, str]:
    return lifecycle.reasons_against(tickets, by=user, at=now) if is_engineer(user) else {}


def why_not_taken(ticket: Ticket, user: Any, now: datetime) -> str:
    """What stands against taking this ticket; "" when it is his, or free for him."""
    return _against(user, [ticket], now).get(ticket.pk, "") if ticket.assignee_id is None else ""


def _name_backups(cards: list[dict[str, Any]]) -> None:
    """On urgent cards with a patient: where the nearest ready backup stands, all in one query."""
    waiting = [c["ticket"] for c in cards if c["ticket"].in_use and c["ticket"].restored_at is None]
    places = {t.device: t.location for t in waiting if t.device and t.location}
    found = register.nearest_ready_backups(places)
    for c in cards:
        c["backup"] = found.get(c["ticket"].device)


def _group(ticket: Ticket) -> str:
    if ticket.assignee_id is None:
        return "open_to_take"
    if ticket.state == State.PAUSED:
        return "waiting"
    return "urgent" if ticket.priority == 1 else "mine"


def card(ticket: Ticket, now: datetime) -> dict[str, Any]:
    """One ticket as a card: ring, sign, device and fault, place, the next verb."""
    clock = sla.lead_clock(ticket)
    verb = rules.NEXT_VERB.get(ticket.state, "")
    return {
        "ticket": ticket,
        "ring": sla.ring_for(ticket, now),
        "sort": (clock.due_at if clock else ticket.reported_at).timestamp(),
        "verb": verb,
        "verb_label": verb_label(verb),
        "verb_icon": VERB_ICONS.get(verb, "check"),
        "repeat": ticket.repeat_of_id is not None,
        "undecontaminated": ticket.state == State.ARRIVED and not ticket.decon,
    }


def verb_label(verb: str) -> str:
    words = {
        "accept": _("接单"),
        "arrive": _("到场，扫码"),
        "start": _("开始维修"),
        "finish": _("完成"),
        "resume": _("继续"),
    }
    return words.get(verb, "")


def sheet(ticket: Ticket, now: datetime) -> dict[str, Any]:
    """One ticket's page: line, what to do first, facts, next verb."""
    device = ticket.device
    earlier = last_fault(ticket)
    needs_backup = bool(ticket.in_use and ticket.restored_at is None and device)
    return card(ticket, now) | {
        "stops": sla.stops_for(ticket, now),
        "backup": register.nearest_ready_backup(device) if device and needs_backup else None,
        "needs_backup": needs_backup,
        "needs_decon": ticket.state in (State.ACCEPTED, State.ARRIVED) and ticket.decon in ("", "dirty"),
        "last_days": (now - earlier.reported_at).days if earlier else None,
        "last_same": bool(earlier and earlier.preset_id == ticket.preset_id),
        "warranty": warranty(ticket, now),
        "part": (ticket.preset.part_label if ticket.preset else "") or _("未知"),
        "can_pause": ticket.state in rules.PAUSABLE,
        "can_depart": ticket.state == State.ACCEPTED and ticket.departed_at is None,
        "can_give_back": ticket.state in rules.GIVES_BACK,
        "notes": list(ticket.comments.select_related("by").order_by("-at")[:20]),
        "photos": list(ticket.attachments.order_by("-at")[:6]),
        "past": similar(ticket),
    }


def fix_runs_on(ticket: Ticket) -> bool:
    """Waiting is no excuse here: the promise to fix this ticket counts on through a pause."""
    fix = sla.clocks_of(ticket).get("fix")
    return bool(fix and fix.running and not fix.pausable)


def backup_named(ticket: Ticket, public_id: str) -> Device | None:
    """The device of this backup group that the engineer says stands in; whether it may is the service's to judge."""
    group = ticket.device.backup_group if ticket.device else ""
    if not group or not public_id:
        return None
    found = Device.objects.for_display().filter(backup_group=group, public_id=public_id).exclude(pk=ticket.device_id)
    return found.first()


def presence(text: str, device: Device | None, *, user: Any) -> str:
    """What `text` says about standing at `device`: `scan`, `typed` (a number that any list shows), "" for another one."""
    if device is None or device not in register.resolve_scan(text, user=user):
        return ""
    read = classify(text)
    asset_no_like_a_code = read.kind == "short_code" and read.value != device.short_code
    return "scan" if rules.machine_read(read.kind, serial=read.serial) and not asset_no_like_a_code else "typed"


def scan_problem(text: str) -> str:
    """Why nothing was found, as far as the text itself tells."""
    words = {
        "short_code_check": _("像短码，但校验位对不上。看标签，再输一次。"),
        "udi_check": _("像 UDI，但校验位不对。再扫一次，或输短码。"),
    }
    return words.get(classify(text).problem, "")


def undo_offer(ticket: Ticket, user: Any, now: datetime) -> dict[str, Any] | None:
    """The step that may still be taken back: its verb, what it did in words, whole seconds left."""
    step = lifecycle.undoable(ticket, by=user, at=now)
    if step is None:
        return None
    left = math.ceil((UNDO_WITHIN - (now - step.at)).total_seconds())
    return {"verb": step.verb, "said": STEP_DONE[step.verb], "left": max(1, left)}


def warranty(ticket: Ticket, now: datetime) -> str:
    """In warranty until, or out of it since: decides who pays."""
    ends = ticket.device.warranty_ends_on if ticket.device else None
    if ends is None:
        return _("无记录")
    word = _("保修到 %(day)s") if ends >= timezone.localdate(now) else _("已过保 %(day)s")
    return word % {"day": ends.isoformat()}


def similar(ticket: Ticket) -> list[Ticket]:
    """Five latest closed tickets of this device or this symptom on the same model, with their reports."""
    if ticket.device is None:
        return []
    rows = Ticket.objects.filter(state=State.CLOSED, device__type_id=ticket.device.type_id, preset_id=ticket.preset_id)
    return list(
        rows.exclude(pk=ticket.pk).select_related("device").prefetch_related("repair_reports").order_by("-id")[:5]
    )


def tests_of(ticket: Ticket) -> list[dict[str, Any]]:
    """The safety tests to fill in, with names in the reader's language."""
    if ticket.device is None:
        return []
    found = rules.tests_for(ticket.device.type.protection_class, ticket.device.type.applied_part)
    return [{"test": test, "name": name_of_test(test.code)} for test in found]


def colleagues(user: Any) -> list[User]:
    """Engineers a ticket may be handed to."""
    rows = User.objects.filter(role=User.Role.ENGINEER, is_active=True).exclude(pk=user.pk)
    return list(rows.select_related("person").order_by("username"))
