"""The demo hospital: load it into an empty database, or print its logins and five devices as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from assets.models import Device, User
from assets.register.queries import report_url
from config.kernel.errors import DomainError
from dispatch.models import Engineer
from integrations.sandbox import services
from integrations.sandbox.services.people import DEMO_DOMAIN
from tickets.record.models import OPEN

PASSWORDS = {role: f"{role}-demo-2026" for role in ("nurse", "engineer", "dispatcher", "manager", "admin")}
SHOWN = (  # family, type and department of the five devices, as far as one is free
    ("ventilator", "Ventilator", "ICU"),
    ("monitor", "Patient monitor", "GSU"),
    ("pump", "Infusion pump", "RES"),
    ("steriliser", "Steam steriliser", "CSS"),
    ("bed", "Electric bed", "ORT"),
)


class Command(BaseCommand):
    help = "Load the demo hospital (simulated data), or print its logins with --json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print logins and five devices, load nothing twice")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the 1,500 devices, 0.05 to 1")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and os.environ.get("WARDLINE_DEMO") != "1":
            raise CommandError("Demo logins open every door: only with DEBUG, or with WARDLINE_DEMO=1 set on purpose.")
        made = None
        if services.is_empty():
            try:
                made = services.load(
                    now=timezone.now(), passwords=PASSWORDS, scale=min(1.0, max(0.05, options["scale"]))
                )
            except DomainError as refusal:
                raise CommandError(str(refusal)) from refusal
        elif not options["json"]:
            raise CommandError("This database is not empty; the demo hospital is loaded into an empty one only.")
        if options["json"]:
            sys.stdout.write(json.dumps(_contract(), ensure_ascii=False) + "\n")
        elif made:
            self.stdout.write(", ".join(f"{n} {name.replace('_', ' ')}" for name, n in made.items()))


def _contract() -> dict[str, Any]:
    if not User.objects.filter(username="nurse", email=f"nurse@{DEMO_DOMAIN}").exists():
        raise CommandError("This database does not hold the demo hospital.")
    devices = [_device(*wish) for wish in SHOWN]
    usernames = {role: role for role in PASSWORDS} | {"engineer": _engineer(devices[0])}
    return {
        "base_url": settings.PUBLIC_BASE_URL,
        "logins": [{"role": r, "username": usernames[r], "password": p} for r, p in PASSWORDS.items()],
        "devices": [
            {
                "name": device.label,
                "public_id": device.public_id,
                "report_url": report_url(device),
                "short_code": device.short_code or "",
            }
            for device in devices
        ],
    }


def _engineer(device: Device) -> str:
    """Whom a report on the first device would reach now; else anybody on site."""
    now = timezone.now()
    sent = services.who_would_come(device, at=now)
    if sent is not None:
        return sent.username
    here = Q(shifts__starts_at__lte=now, shifts__ends_at__gt=now, shifts__presence="on_site")
    staff = Engineer.objects.select_related("user").order_by("pk")
    chosen = staff.filter(here).first() or staff.first()
    if chosen is None:
        raise CommandError("This database does not hold the demo hospital.")
    return chosen.user.username


def _device(group: str, kind: str, department: str) -> Device:
    """A usable device of this family without an open ticket, where engineers are sent automatically, so that a report
    starts a story of its own."""
    rows = Device.objects.for_display().filter(type__group__code=group, status__in=["in_use", "ready"])
    rows = rows.exclude(tickets__state__in=OPEN).exclude(department__dispatch_mode__mode__in=["suggest", "grab"])
    rows = rows.order_by("type__criticality", "status", "pk")
    alike = rows.filter(name_en=kind)
    device = alike.filter(department__code=department).first() or alike.first() or rows.first()
    if device is None:
        raise CommandError(f"Every {group} of the demo hospital has an open ticket.")
    return device
