"""What we know of one person, for that person to read."""

from __future__ import annotations

from typing import Any

from axes.models import AccessLog

from assets.places.models import Person, User
from config.kernel.models import EventRecord
from tickets.record.models import Attachment, Comment, Signature, Ticket


def about(person: Person) -> dict[str, Any]:
    """Everything that our tables hold under this person, as plain values; what others wrote is not among it."""
    account = User.objects.filter(person=person).select_related("department").first()
    return {
        "id": person.public_id,
        "name": person.name,
        "phone": person.phone,
        "department": str(person.department or ""),
        "known_since": person.created_at,
        "account": _account(account) if account else None,
        "reported": list(
            Ticket.objects.filter(reporter=person).order_by("pk").values("number", "reported_at", "description")
        ),
        "wrote": list(Comment.objects.filter(by=person).order_by("pk").values("ticket__number", "at", "text")),
        "sent": list(
            Attachment.objects.filter(by=person).order_by("pk").values("ticket__number", "at", "kind", "public_id")
        ),
        "signed": list(Signature.objects.filter(signer=person).order_by("pk").values("ticket__number", "at")),
        "did": list(EventRecord.objects.filter(by=person.public_id).order_by("id").values("type", "at", "subject")),
    }


def _account(account: User) -> dict[str, Any]:
    names = ("username", "display_name", "display_name_en", "email", "extension", "role", "last_login", "date_joined")
    sign_ins = AccessLog.objects.filter(username__iexact=account.username).order_by("pk")
    return {name: getattr(account, name) for name in names} | {
        "sign_ins": list(sign_ins.values("attempt_time", "ip_address", "user_agent"))
    }
