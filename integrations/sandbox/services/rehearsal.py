"""Questions to the running hospital that are asked for real and rolled back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from assets.models import Device, User
from dispatch.matching import services as matching
from tickets.lifecycle import services as lifecycle
from tickets.models import Ticket


def who_would_come(device: Device, *, at: datetime) -> User | None:
    """Whom dispatch would send if this device failed on a patient now; None when nobody. Nothing is left behind."""
    tile = device.type.group.presets.filter(active=True).order_by("order").first()
    with transaction.atomic():
        ticket = lifecycle.submit(device=device, preset=tile, in_use=True, by=None, at=at)
        matching.dispatch(at=at)
        sent = Ticket.objects.select_related("assignee").get(pk=ticket.pk).assignee
        transaction.set_rollback(True)
    return sent
