"""Telling people: one call, one row per person and message; outside channels are jobs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from assets.places.models import User
from config.kernel.errors import Invalid, NotAllowedNow
from config.kernel.jobs import enqueue
from integrations.notifications.models import Delivery, Notification
from tickets.record.models import Ticket
from tickets.record.rules import clean_text

EMAIL_JOB = "integrations.notifications.jobs.send_email"


@transaction.atomic(savepoint=False)
def notify(
    people: Iterable[User],
    *,
    template: str,
    subject: str,
    at: datetime,
    dedup: str,
    level: str = Notification.Level.INFO,
    params: dict[str, Any] | None = None,
    sound: bool = False,
    email: bool = False,
) -> int:
    """Afterwards each of `people` has the message once, however often this is called with the same `dedup`.

    `template` names templates/messages/<template>.txt; `subject` is what it is about, `ticket:<public id>`; `params`
    hold codes and numbers, never names. With `email` a delivery waits in the same transaction. Returns how many it
    is for. One query; with `email` two more and one per mail.
    """
    told = {user.pk: user for user in people if user.is_active}
    rows = [
        Notification(
            user=user,
            level=level,
            template=template,
            params=params or {},
            subject=subject,
            sound=sound,
            dedup=f"{dedup}:{pk}"[:120],
            at=at,
        )
        for pk, user in told.items()
    ]
    # Whom an earlier call or a rival transaction has told is not told again.
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if email:
        _mail([row.dedup for row in rows if row.user.email], at)
    return len(rows)


def _mail(keys: list[str], at: datetime) -> None:
    """Every message of these keys that no mail is under way for yet gets one."""
    unmailed = Notification.objects.filter(dedup__in=keys, deliveries__isnull=True).order_by("pk")
    waiting = Delivery.objects.bulk_create(Delivery(notification=row, channel="email", at=at) for row in unmailed)
    for delivery in waiting:
        enqueue(EMAIL_JOB, delivery.pk)


def call_people(people: Iterable[User], *, by: User, at: datetime, text: str = "", ticket: Ticket | None = None) -> int:
    """The desk calls people together, about a ticket or with a sentence: heard at once. Returns how many were told.

    Numbers that look personal are masked as in comments. Refused without people, and without a ticket or a sentence.
    """
    said = clean_text(text, limit=100)[0]
    if not said and ticket is None:
        raise Invalid(_("写一句要说的话。"), fields={"text": _("写一句要说的话。")})
    told = [user for user in people if user.pk != by.pk]
    if not told:
        raise NotAllowedNow(_("现在没有可通知的人。"))
    about = {"number": ticket.number, "priority": ticket.priority} if ticket else {}
    return notify(
        told,
        template="call",
        subject=f"ticket:{ticket.public_id}" if ticket else "",
        at=at,
        dedup=f"call:{by.pk}:{at.timestamp()}",
        level=Notification.Level.URGENT,
        params={**about, "text": said, "by": by.person.public_id},
        sound=True,
    )


@transaction.atomic
def mark_read(user: User, *, at: datetime, up_to: int | None = None, only: int | None = None) -> int:
    """Afterwards the person's messages (all, those up to one, or one) are read. Returns how many were not."""
    rows = Notification.objects.filter(user=user, read_at__isnull=True)
    if only is not None:
        rows = rows.filter(pk=only)
    if up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    return rows.update(read_at=at)
