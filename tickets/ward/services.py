"""What a ward does without signing in: report or join, nudge, add. One ticket per fault, however many report it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import Person
from assets.register import services as devices
from assets.register.models import Device, FaultPreset
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.events import publish
from config.kernel.turns import take_turn
from tickets import events
from tickets.lifecycle import rules as story
from tickets.lifecycle import services as lifecycle
from tickets.record import services as record
from tickets.record.models import Comment, Danger, State, Ticket, Watcher
from tickets.record.queries import envelope, open_on
from tickets.record.rules import clean_text
from tickets.record.services import lock
from tickets.sla import services as sla
from tickets.ward import adapters
from tickets.ward.rules import (
    LIMITS,
    NOTES,
    NOTES_WITHIN,
    NUDGED_AGAIN_AFTER,
    WRONG_CODES,
    WRONG_CODES_WITHIN,
    over,
)

FEWEST_DIGITS = 3  # of an extension
REPAIRED = (State.RESOLVED, State.VERIFYING)


@dataclass(frozen=True)
class Receipt:
    """`token` opens the reporter's own tracking page; `joined` = the fault was already reported."""

    ticket: Ticket
    token: str
    joined: bool


@transaction.atomic
def report(
    device: Device,
    *,
    preset: FaultPreset | None,
    in_use: bool | None,
    danger: Sequence[str],
    at: datetime,
    client_id: UUID,
    description: str = "",
    separate: bool = False,
    same: bool = False,
    busy: bool = False,
    client_reported_at: datetime | None = None,
) -> Receipt:
    """A fault on a scanned device. The same `client_id` again adds only what it says more; an open ticket is joined unless the
    reporter said `separate`; `same` (she pressed 催一下) also nudges it; `busy` (over the limits) only marks a ticket for
    a call back, and never a P1. A repaired ticket that waits for the ward is disputed by the same fault, not joined by
    another one. What has ended takes no more reports: the same `client_id` then opens a ticket of its own.
    `TicketSubmitted`, or `ReporterJoined` with `TicketNudged` or `TicketReopened`.
    """
    take_turn(f"report:{device.pk}")  # not the device's row: every step locks that after its ticket
    known = _watcher(client_id)
    while known and (known.ticket.device_id != device.pk or not known.ticket.is_open):
        # The page used its id before, on another device or for what has ended; the next id follows from both, so that
        # this report sent twice is still one.
        client_id = uuid5(client_id, known.ticket.public_id + device.public_id)
        known = _watcher(client_id)
    if known:
        _correct(known, preset=preset, in_use=in_use, danger=danger, description=description, at=at)
        return Receipt(known.ticket, known.token, joined=True)
    already = open_on(device)
    again = same or (already is not None and already.preset_id == getattr(preset, "pk", None))
    if already and not separate and (again or already.state not in REPAIRED):
        if already.state in REPAIRED:
            lifecycle.dispute(already, by=None, at=at)
        elif same:
            nudge(already, at=at)
        return _join(
            already,
            preset=preset,
            in_use=in_use,
            danger=danger,
            description=description,
            client_id=client_id,
            at=at,
        )
    ticket = lifecycle.submit(
        device=device,
        preset=preset,
        in_use=in_use,
        danger=danger,
        description=description,
        by=None,
        at=at,
        client_id=client_id,
        needs_callback=busy,
        client_reported_at=client_reported_at,
        duplicate_of=already,
    )
    return Receipt(ticket, ticket.watchers.get(client_id=client_id).token, joined=False)


def _watcher(client_id: UUID) -> Watcher | None:
    return Watcher.objects.filter(client_id=client_id).select_related("ticket").first()


def _correct(
    known: Watcher,
    *,
    preset: FaultPreset | None,
    in_use: bool | None,
    danger: Sequence[str],
    description: str,
    at: datetime,
) -> None:
    """The same report again: its answer was lost on the way, and she may have gone back and changed hers. What is worse
    counts as if somebody had joined, and a note says what is new. The same answers again change nothing."""
    ticket = lock(known.ticket)
    if not ticket.is_open:
        return
    if known.withdrawn_at:  # taken back, and now said again: somebody waits
        known.withdrawn_at = None
        known.save(update_fields=["withdrawn_at"])
    told = "\n".join(Comment.objects.filter(ticket=ticket, by=None).values_list("text", flat=True))
    news = [str(Danger(code).label) for code in sorted(set(danger) - set(ticket.danger))]
    if in_use and not ticket.in_use:
        news.append(_("正在用于患者"))
    if preset and ticket.client_id == known.client_id and preset != ticket.preset and preset.label not in told:
        news.append(preset.label)
    if (text := clean_text(description)[0]) != ticket.description and text not in told:
        news.append(text)
    if news:
        _raise(ticket, preset=preset, in_use=in_use, danger=danger, at=at)
        record.comment(ticket, text=_("报修人改了回答：%(news)s") % {"news": _("、").join(news)}, by=None, at=at)


def _join(
    ticket: Ticket,
    *,
    preset: FaultPreset | None,
    in_use: bool | None,
    danger: Sequence[str],
    description: str,
    client_id: UUID,
    at: datetime,
) -> Receipt:
    """One more watcher. What this reporter knows may raise the priority and stop the device, never the reverse. Another
    fault than the ticket's, told from a page that did not know of it yet, becomes a note."""
    current = lock(ticket)
    watcher, _created = record.watch(current, by=None, client_id=client_id, at=at)
    _raise(current, preset=preset, in_use=in_use, danger=danger, at=at)
    if preset and preset.pk != current.preset_id:
        record.comment(current, text=_("又有人报，故障是：%(fault)s") % {"fault": preset.label}, by=None, at=at)
    if description.strip():
        record.comment(current, text=description, by=None, at=at)
    publish(
        events.ReporterJoined(
            **envelope(lock(current)), at=at, by="qr", watchers=Watcher.objects.filter(ticket=current).count()
        )
    )
    return Receipt(current, watcher.token, joined=True)


def _raise(
    ticket: Ticket, *, preset: FaultPreset | None, in_use: bool | None, danger: Sequence[str], at: datetime
) -> None:
    other = preset if preset and preset.pk != ticket.preset_id else None
    danger = story.with_usual(danger, other.default_danger if other else ())
    new_danger = set(danger) - set(ticket.danger)
    now_in_use = bool(in_use) and not ticket.in_use
    usual = min(ticket.impact, other.default_impact) if other else ticket.impact  # I1 is the worst
    if not new_danger and not now_in_use and usual == ticket.impact:
        return
    ticket.danger = sorted({*ticket.danger, *danger})
    ticket.in_use = bool(in_use) or ticket.in_use
    ticket.impact = story.impact_of(in_use=ticket.in_use, default=usual, danger=ticket.danger)
    ticket.version += 1
    ticket.save(update_fields=["danger", "in_use", "impact", "version", "updated_at"])
    priority, _reasons = sla.decide_priority(
        impact=ticket.impact, criticality=ticket.criticality, danger=ticket.danger, backups_short=False, repeat=False
    )
    if priority < ticket.priority and ticket.resolved_at is None:
        lifecycle.reprioritise(ticket, priority=priority, reason=_("又有人报修，情况更急"), by=None, at=at)
    if ticket.device and story.takes_out_of_use(priority=min(priority, ticket.priority), danger=ticket.danger):
        devices.put_out_of_use(ticket.device, reason=ticket.fault_label, by=None, at=at)


@transaction.atomic
def nudge(ticket: Ticket, *, at: datetime) -> Ticket:
    """The ward asks again. `TicketNudged` with the count, which the desk's feed shows; repaired or ended tickets refuse."""
    current = lock(ticket)
    if not current.is_open or current.resolved_at is not None:
        raise NotAllowedNow(_("这张单已经修好或结束，不用再催。"))
    current.nudges += 1
    current.version += 1
    current.save(update_fields=["nudges", "version", "updated_at"])
    publish(events.TicketNudged(**envelope(current), at=at, by="qr", count=current.nudges))
    return current


@transaction.atomic
def withdraw(ticket: Ticket, *, token: str, at: datetime) -> bool:
    """True: cancelled, no report of it is left. False: other reports stand, so it goes on and the desk reads, once for
    each report, that this one is taken back. Refused once an engineer has accepted."""
    current = lock(ticket)
    if current.state in story.BEFORE_ACCEPTANCE:
        mine = Watcher.objects.filter(ticket=current, token=token).first()
        if mine and mine.withdrawn_at:
            raise NotAllowedNow(_("这次报修已经撤销了。"))
        others = Watcher.objects.filter(ticket=current, withdrawn_at=None).exclude(token=token).count()
        if mine:
            mine.withdrawn_at = at
            mine.save(update_fields=["withdrawn_at"])
        # The ward's own link is nobody's report: with it, the one report that stands is taken back.
        if others > (0 if mine else 1):
            said = _("一份报修撤回了，说不用修。还有别的报修，没有撤销。")
            if mine or not Comment.objects.filter(ticket=current, by=None, text=said).exists():
                record.comment(current, text=said, by=None, at=at)
            return False
    lifecycle.cancel(current, by=None, at=at, before_acceptance=True)
    return True


@transaction.atomic
def name_reporter(ticket: Ticket, *, name: str, phone: str, at: datetime) -> Person:
    """Who to call back; kept apart from the ticket and erasable. The log carries only a random id."""
    current = lock(ticket)
    person = current.reporter
    if person is None or hasattr(person, "user"):
        person = Person(kind=Person.Kind.REPORTER, department=current.department)
    person.name = clean_text(name, limit=40)[0]
    person.phone = _dialable(phone)
    person.save()
    current.reporter = person
    current.version += 1
    current.save(update_fields=["reporter", "version", "updated_at"])
    return person


def _dialable(phone: str) -> str:
    """Digits as they are dialled; nothing when nothing was typed."""
    kept = "".join(c for c in unicodedata.normalize("NFKC", phone) if c in "0123456789-+ ")[:20].strip()
    if phone.strip() and sum(c.isdigit() for c in kept) < FEWEST_DIGITS:
        raise Invalid(_("电话或分机写数字，例如 8120。"))
    return kept


def note_attempt(*, device: Device, browser: str, address: str) -> bool:
    """Count this report against every limit; True when one was used up already."""
    subjects = {"device": str(device.pk), "browser": browser, "address": address}
    counts = {
        (limit.scope, limit.window): adapters.count(
            f"report:{limit.scope}:{int(limit.window.total_seconds())}:{subjects[limit.scope]}", limit.window
        )
        for limit in LIMITS
    }
    return over(counts)


def nudge_again(ticket: Ticket, *, token: str, at: datetime) -> bool:
    """The ward asks again from its page; the same phone within a minute is one press: False, and nothing changes."""
    key = f"nudge:{token}"
    if adapters.counted(key):
        return False
    nudge(ticket, at=at)
    adapters.count(key, NUDGED_AGAIN_AFTER)  # only what was written: who was told 503 presses again and is heard
    return True


def add_note(ticket: Ticket, *, token: str, text: str, at: datetime) -> Comment:
    """A note from the ward's page; one page may write only so many an hour."""
    if adapters.count(f"note:{token}", NOTES_WITHIN) >= NOTES:
        raise NotAllowedNow(_("补充已经很多条了。有急事请打电话。"))
    return record.comment_once(ticket, text=text, by=None, at=at)


def may_try_codes(address: str) -> bool:
    """False for an address that typed too many codes that no device has: it is guessing."""
    return adapters.counted(f"code:{address}") < WRONG_CODES


def note_wrong_code(address: str) -> None:
    adapters.count(f"code:{address}", WRONG_CODES_WITHIN)
