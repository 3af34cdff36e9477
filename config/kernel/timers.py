"""Deadlines to the second, kept by the clock process. Handlers touch only the database; slow work is enqueued."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection, transaction
from django.utils.module_loading import import_string
from psycopg.errors import DeadlockDetected, LockNotAvailable

from config.kernel.errors import DomainError
from config.kernel.models import Timer

logger = logging.getLogger(__name__)
_ALLOWED = re.compile(r"^(assets|tickets|dispatch|integrations)(\.[a-z_]+)+\.(jobs|services)\.[a-z_]+$")
_BACK_OFF = timedelta(seconds=5)
# What a handler can die of. One of them (a name that a new version dropped, a missing row) must not stop the clock.
_FAILURES = (
    DomainError, DatabaseError, ImportError, AttributeError, LookupError, ObjectDoesNotExist, ValueError, TypeError,
    ArithmeticError,
)  # fmt: skip
# A person's step locks its ticket and then cancels or moves the timer; a handler has its timer and then wants the ticket.
# The clock waits shorter than the second after which PostgreSQL ends one of the two, who might be the person.
_PATIENCE = "SET lock_timeout = '200ms'"
_HELD = (LockNotAvailable, DeadlockDetected)


def set_timer(key: str, at: datetime, call: str, *args: Any) -> None:
    """Fire `call(*args, at=<due time>)` at `at`; a timer with the same key is moved, so there is one per key."""
    if not _ALLOWED.match(call):
        raise ValueError(f"{call} is not a handler that a timer may call")
    Timer.objects.bulk_create(
        [Timer(key=key, fire_at=at, call=call, args=list(args))],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["fire_at", "call", "args", "attempts", "last_error"],
    )


def cancel_timer(key: str) -> bool:
    """True when a timer with this key was still waiting."""
    return Timer.objects.filter(key=key).delete()[0] > 0


def fire_due(now: datetime, *, limit: int = 200) -> int:
    """Run every handler due by `now`, each in its own transaction with the deletion of its row. Returns how many ran.

    Two clocks may call this at once: the guarded DELETE lets one of them have each timer.
    """
    waiting = list(Timer.objects.filter(fire_at__lte=now).order_by("fire_at")[:limit])
    if not waiting:
        return 0
    with _short_patience():
        return sum(_fire(timer, now) for timer in waiting)


@contextmanager
def _short_patience() -> Iterator[None]:
    """Once for all timers of a turn: said to each of 10,000, it made catching up half as long again."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _fire(timer: Timer, now: datetime) -> bool:
    if not _ALLOWED.match(timer.call):
        logger.error("timer %s names a handler that is not allowed", timer.key)
        Timer.objects.filter(pk=timer.pk).delete()
        return False
    try:
        with transaction.atomic():
            claimed, _ = Timer.objects.filter(pk=timer.pk, fire_at=timer.fire_at).delete()
            if not claimed:
                return False
            import_string(timer.call)(*timer.args, at=max(timer.fire_at, now))
    except _FAILURES as error:
        if isinstance(error.__cause__, _HELD):  # no fault of the handler: the next turn takes the timer up as it is
            logger.info("timer %s waits for what somebody holds", timer.key)
            return False
        # The deletion was rolled back with the handler: keep the deadline, later, and say why.
        logger.exception("timer %s failed", timer.key)
        Timer.objects.filter(pk=timer.pk, fire_at=timer.fire_at).update(
            fire_at=now + _BACK_OFF * (timer.attempts + 1),
            attempts=min(timer.attempts + 1, 60),
            last_error=f"{type(error).__name__}: {error}"[:200],
        )
        return False
    return True
