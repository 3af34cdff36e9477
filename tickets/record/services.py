"""Writes on the ticket's own page: its number, lock, comments, files, parts, decontamination. State is lifecycle's."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.places.models import Person, User
from config.kernel.errors import Conflict, Invalid, NotAllowedNow
from config.kernel.events import publish
from tickets import events
from tickets.record import adapters, rules
from tickets.record.models import Attachment, Comment, CostLine, Decon, PartLine, Ticket, Watcher
from tickets.record.queries import envelope

MAX_ATTACHMENTS = 6
SENT_AGAIN = timedelta(minutes=10)
# One statement opens the day and counts it: every report waits for the one before it from here until its commit.
_COUNT = (
    "INSERT INTO tickets_ticketcounter (day, last) VALUES (%s, 1)"
    " ON CONFLICT (day) DO UPDATE SET last = tickets_ticketcounter.last + 1 RETURNING last"
)


def actor(by: User | Person | None) -> str:
    """The random id that events carry for whoever acted."""
    person = person_of(by)
    return person.public_id if person else "system"


def reporter(by: User | Person | None) -> str:
    """The same for what a ward does itself: without an account it is the phone that scanned the code."""
    return actor(by) if by else "qr"


def person_of(by: User | Person | None) -> Person | None:
    """Accounts act as their person row."""
    return by.person if isinstance(by, User) else by


def next_number(at: datetime) -> str:
    """`WX20261122-0031`: counted per local day. Rivals wait for each other's row; a rollback gives the number back."""
    day = timezone.localdate(at)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [connection.ops.adapt_datefield_value(day)])
        return f"WX{day:%Y%m%d}-{cursor.fetchone()[0]:04d}"


def lock(ticket: Ticket, *, version: int | None = None) -> Ticket:
    """The row as it is now, held until the transaction ends. Refuses (Conflict) when the caller saw another version."""
    current = (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("device__type", "department", "assignee__person", "preset", "reporter", "hold_reason")
        .get(pk=ticket.pk)
    )
    if version is not None and current.version != version:
        raise Conflict(
            _("这张单刚被改过，现在是 P%(priority)d“%(state)s”，你的操作没有生效。看最新。")
            % {"priority": current.priority, "state": current.get_state_display()},
            code="stale",
        )
    return current


@transaction.atomic
def comment(ticket: Ticket, *, text: str, by: User | Person | None, at: datetime, public: bool = True) -> Comment:
    """A note on the ticket; ID-card, phone and inpatient numbers are masked before they are stored. `CommentAdded`."""
    clean, findings = rules.clean_text(text, limit=500)
    if not clean:
        raise Invalid(_("写几个字再发送。"), fields={"text": _("写几个字再发送。")})
    row = Comment.objects.create(
        ticket=ticket, text=clean, masked=bool(findings), public=public, by=person_of(by), at=at
    )
    publish(events.CommentAdded(**envelope(ticket), at=at, by=reporter(by), comment=row.pk, public=public))
    return row


def comment_once(ticket: Ticket, *, text: str, by: User | Person | None, at: datetime, public: bool = True) -> Comment:
    """As `comment`; the same words of the same person within SENT_AGAIN are the note there is: an answer was lost."""
    clean, _findings = rules.clean_text(text, limit=500)
    with transaction.atomic():
        lock(ticket)
        same = ticket.comments.filter(text=clean, public=public, by=person_of(by), at__gt=at - SENT_AGAIN)
        return same.first() or comment(ticket, text=text, by=by, at=at, public=public)


def check_uploads(uploads: Iterable[Any]) -> None:
    """Decode files before a transaction begins; `attach` takes what was found here. Invalid with the first bad one.

    Seconds of work must not hold the database against a P1, so every door that opens a transaction calls this first.
    """
    for upload in uploads:
        upload.checked = adapters.accept_upload(upload)


def attach(
    ticket: Ticket, *, upload: Any, by: User | Person | None, at: datetime, public: bool = True, once: bool = False
) -> Attachment:
    """Store a re-encoded photo or a checked voice note under a random name. `AttachmentAdded`; refuses bad files.

    With `once` the same file of the same person within SENT_AGAIN is the one there is: an answer was lost.
    """
    if not once:
        _room_for_attachment(ticket)
    safe = getattr(upload, "checked", None) or adapters.accept_upload(upload)
    label = rules.clean_name(getattr(upload, "name", "") or "", limit=100)
    with transaction.atomic():
        lock(ticket)
        if once:
            digest = hashlib.sha256(safe.content).hexdigest()
            same = ticket.attachments.filter(sha256=digest, by=person_of(by), at__gt=at - SENT_AGAIN).first()
            if same:
                return same
        _room_for_attachment(ticket)
        return _keep(ticket, safe, label=label, public=public, by=by, at=at)


def note(
    ticket: Ticket, *, text: str, photos: Iterable[Any], by: User | Person | None, at: datetime, public: bool = True
) -> None:
    """A comment, photos, or both: all of it or nothing; the ward sees both or neither. `CommentAdded`,
    `AttachmentAdded`; refuses bad files first."""
    photos = list(photos)
    check_uploads(photos)
    if any(upload.checked.kind != "photo" for upload in photos):
        raise Invalid(_("这里只收照片。"), fields={"photo": _("这里只收照片。")})
    with transaction.atomic():
        if text or not photos:
            comment(ticket, text=text, public=public, by=by, at=at)
        for upload in photos:
            attach(ticket, upload=upload, public=public, by=by, at=at)


def _room_for_attachment(ticket: Ticket) -> None:
    if ticket.attachments.count() >= MAX_ATTACHMENTS:
        raise NotAllowedNow(_("最多 %(n)s 个附件。") % {"n": MAX_ATTACHMENTS})


def _keep(
    ticket: Ticket, safe: adapters.SafeFile, *, label: str, public: bool, by: User | Person | None, at: datetime
) -> Attachment:
    name = secrets.token_hex(16)
    row = Attachment(
        ticket=ticket,
        kind=safe.kind,
        content_type=safe.content_type,
        size=len(safe.content),
        sha256=hashlib.sha256(safe.content).hexdigest(),
        label=label,
        public=public,
        by=person_of(by),
        at=at,
    )
    row.file.save(f"{name[:2]}/{name}{safe.suffix}", ContentFile(safe.content), save=False)
    if safe.thumbnail:
        row.thumbnail.save(f"{name[:2]}/{name}.jpg", ContentFile(safe.thumbnail), save=False)
    row.save()
    publish(
        events.AttachmentAdded(**envelope(ticket), at=at, by=reporter(by), attachment=row.public_id, kind=safe.kind)
    )
    return row


@transaction.atomic
def declare_decon(ticket: Ticket, *, decon: str, note: str = "", by: User | Person | None, at: datetime) -> Ticket:
    """Afterwards the ticket carries the declared decontamination state. `DeconDeclared`; ended tickets refuse."""
    current = lock(ticket)
    if decon not in Decon.values or not decon:
        raise Invalid(_("选消毒状态。"), fields={"decon": _("选消毒状态。")})
    if not current.is_open:
        raise NotAllowedNow(_("这张单已经结束。"))
    current.decon = decon
    current.decon_note = rules.clean_text(note, limit=200)[0]
    current.version += 1
    current.save(update_fields=["decon", "decon_note", "version", "updated_at"])
    publish(events.DeconDeclared(**envelope(current), at=at, by=actor(by), decon=decon))
    return current


def add_parts(
    ticket: Ticket, parts: Iterable[Mapping[str, Any]], *, by: User | Person | None, at: datetime
) -> list[PartLine]:
    """Spare parts used, `{"name","quantity","serial_no","old_part_kept"}` each; stock bookings come with the stock room.
    One insert for all: everybody else's writes wait meanwhile."""
    return PartLine.objects.bulk_create([_part(ticket, part, by=person_of(by), at=at) for part in parts])


def _part(ticket: Ticket, part: Mapping[str, Any], *, by: Person | None, at: datetime) -> PartLine:
    name = rules.clean_text(str(part.get("name", "")), limit=80)[0]
    quantity = int(part.get("quantity") or 1)
    if not name or not 1 <= quantity <= 999:
        raise Invalid(_("写配件名称，数量 1 到 999。"), fields={"parts": _("写配件名称，数量 1 到 999。")})
    return PartLine(
        ticket=ticket,
        name=name,
        quantity=quantity,
        serial_no=str(part.get("serial_no", ""))[:60],
        old_part_kept=bool(part.get("old_part_kept")),
        by=by,
        at=at,
    )


def add_cost(
    ticket: Ticket, *, kind: str, amount: Decimal, by: User | Person | None, at: datetime, note: str = ""
) -> CostLine:
    """What a repair cost beside its parts: labour, vendor, other; in yuan, 0.01 to 10 million."""
    if kind not in CostLine.KINDS or not Decimal("0.01") <= amount <= Decimal(10_000_000):
        sentence = _("选费用类别，金额 0.01 到 1000 万元。")
        raise Invalid(sentence, fields={"amount": sentence})
    return CostLine.objects.create(
        ticket=ticket, kind=kind, amount=amount, note=rules.clean_text(note, limit=200)[0], by=person_of(by), at=at
    )


def first_watcher(ticket: Ticket, *, by: Person | None, client_id: UUID | None, at: datetime) -> Watcher:
    """Whoever reports a ticket follows it; nobody can have followed it before."""
    return Watcher.objects.create(ticket=ticket, by=by, client_id=client_id, at=at)


def watch(ticket: Ticket, *, by: Person | None, client_id: UUID | None, at: datetime) -> tuple[Watcher, bool]:
    """One watcher per phone, however often it reports; (row, created)."""
    if client_id is None:
        return Watcher.objects.create(ticket=ticket, by=by, at=at), True
    return Watcher.objects.get_or_create(ticket=ticket, client_id=client_id, defaults={"by": by, "at": at})
