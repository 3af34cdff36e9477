"""When the database or the disk cannot be used for the moment: that is a 503 with a time to come back, never a 500."""

from __future__ import annotations

import errno
from typing import Final

from django.db import InterfaceError, OperationalError
from psycopg_pool.base import AttemptWithBackoff

RETRY_AFTER: Final = "2"  # seconds
_DIAL_AGAIN: Final = 0.3  # seconds
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_OUR_FAULT: Final = (
    "no such table",
    "no such column",
    "near ",
)  # SQLite files mistakes in a statement under the same name


def is_away(error: BaseException | None) -> bool:
    """True for what passes by itself: server gone or starting, lock or statement timed out, no room left to write."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, OperationalError | InterfaceError) and not str(error).startswith(_OUR_FAULT)


def dial_steadily() -> None:
    """Pools ask a database that is away at a steady pace. Doubling the pause, as they would, makes a restart of eight
    seconds an outage of sixteen."""
    AttemptWithBackoff.INITIAL_DELAY = _DIAL_AGAIN
    AttemptWithBackoff.DELAY_BACKOFF = 1.0
