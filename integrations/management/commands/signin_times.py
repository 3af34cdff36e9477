"""How long a wrong sign-in takes for a name that exists and for one that does not: nobody may learn names by a watch."""

from __future__ import annotations

import json
import logging
import secrets
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.test import Client

from assets.places.models import User
from integrations.identity.api import TokenDoorThrottle

ALLOWED_MS = 5.0


class Command(BaseCommand):
    help = "Compare wrong sign-ins of known and unknown names at the password and the token door; nothing is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tries", type=int, default=200)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, tries: int, **options: Any) -> None:
        known = User.objects.filter(is_active=True).exclude(password="").values_list("username", flat=True).first()
        if known is None:
            raise CommandError("no account to try: load the demo first.")
        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
        logging.disable(logging.CRITICAL)
        TokenDoorThrottle.rate = f"{100 * tries}/min"
        rows = [_measured(name, door, known, tries) for name, door in DOORS.items()]
        self.stdout.write(json.dumps(rows, indent=1) if options["json"] else _table(rows))
        if any(abs(row["difference_ms"]) >= ALLOWED_MS for row in rows):
            raise CommandError(f"the medians differ by {ALLOWED_MS:.0f} ms or more.")


def _page(name: str, address: str) -> int:
    given = {"login": name, "password": secrets.token_hex(8)}
    return Client().post("/accounts/login/", given, REMOTE_ADDR=address, secure=True).status_code


def _token(name: str, address: str) -> int:
    given = {"username": name, "password": secrets.token_hex(8)}
    return Client().post("/api/v1/auth/token/", given, "application/json", REMOTE_ADDR=address, secure=True).status_code


DOORS: dict[str, Callable[[str, str], int]] = {"password page": _page, "token door": _token}


def _measured(name: str, door: Callable[[str, str], int], known: str, tries: int) -> dict[str, Any]:
    """Known and unknown in turn, each try from an address of its own and undone, so that no lock answers instead."""
    spent: dict[str, list[float]] = {"known": [], "unknown": []}
    for n in range(tries + 3):
        for kind, who in (("known", known), ("unknown", secrets.token_hex(len(known) // 2 + 1)[: len(known)])):
            with transaction.atomic():
                begun = time.process_time()  # work, not waiting: another program's load is no difference of ours
                status = door(who, f"198.18.{n // 250}.{n % 250 + 1}")
                took = time.process_time() - begun
                transaction.set_rollback(True)
            if status not in (200, 401):
                raise CommandError(f"{name}: answered {status}, which is no verdict about a password.")
            if n >= 3:  # the first ones load code
                spent[kind].append(took * 1000)
    medians = {kind: statistics.median(times) for kind, times in spent.items()}
    return {
        "door": name,
        "tries": tries,
        "known_median_ms": round(medians["known"], 2),
        "unknown_median_ms": round(medians["unknown"], 2),
        "known_p95_ms": round(statistics.quantiles(spent["known"], n=20)[-1], 2),
        "unknown_p95_ms": round(statistics.quantiles(spent["unknown"], n=20)[-1], 2),
        "difference_ms": round(medians["known"] - medians["unknown"], 2),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'door':<15}{'tries':>7}{'known CPU ms':>14}{'unknown CPU ms':>16}{'difference ms':>15}"]
    for row in rows:
        lines.append(
            f"{row['door']:<15}{row['tries']:>7}{row['known_median_ms']:>14}{row['unknown_median_ms']:>16}"
            f"{row['difference_ms']:>15}"
        )
    return "\n".join(lines)
