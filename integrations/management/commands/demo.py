"""The demo hospital: load it into an empty database, or print its logins and five devices as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, Max, Q
from django.utils import timezone

from assets.models import Device, User
from assets.register.queries import report_url
from config.kernel.errors import DomainError
from dispatch.models import Engineer
from integrations.sandbox import services
from integrations.sandbox.services.people import DEMO_DOMAIN
from tickets.record.models import IN_HAND, OPEN

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
    logins = [{"role": role, "username": _username(role), "password": password} for role, password in PASSWORDS.items()]
    return {"base_url": settings.PUBLIC_BASE_URL, "logins": logins, "devices": [_device(*wish) for wish in SHOWN]}


def _username(role: str) -> str:
    """The engineer is somebody on site now who can repair the first device shown: the best, then the least loaded."""
    if role != "engineer":
        return role
    now = timezone.now()
    mine = Count("user__tickets", filter=Q(user__tickets__state__in=IN_HAND), distinct=True)
    able = Engineer.objects.filter(skills__skill__code="respiratory").select_related("user")
    ranked = able.annotate(load=mine, level=Max("skills__level", filter=Q(skills__skill__code="respiratory")))
    here = ranked.filter(shifts__starts_at__lte=now, shifts__ends_at__gt=now, shifts__presence="on_site")
    chosen = here.order_by("-level", "load", "pk").first() or ranked.order_by("pk").first()
    if chosen is None:
        raise CommandError("This database does not hold the demo hospital.")
    return chosen.user.username


def _device(group: str, kind: str, department: str) -> dict[str, str]:
    """A usable device of this family without an open ticket, where engineers are sent automatically, so that a report
    starts a story of its own."""
    rows = Device.objects.for_display().filter(type__group__code=group, status__in=["in_use", "ready"])
    rows = rows.exclude(tickets__state__in=OPEN).exclude(department__dispatch_mode__mode__in=["suggest", "grab"])
    rows = rows.order_by("type__criticality", "status", "pk")
    alike = rows.filter(name_en=kind)
    device = alike.filter(department__code=department).first() or alike.first() or rows.first()
    if device is None:
        raise CommandError(f"Every {group} of the demo hospital has an open ticket.")
    return {
        "name": device.label,
        "public_id": device.public_id,
        "report_url": report_url(device),
        "short_code": device.short_code or "",
    }
