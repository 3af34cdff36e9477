"""When the database or the disk cannot be used for the moment: that is a 503 with a time to come back, never a 500."""

from __future__ import annotations

import errno
from typing import Final

from django.db import InterfaceError, OperationalError

RETRY_AFTER: Final = "2"  # seconds
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
