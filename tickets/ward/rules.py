"""Limits of the anonymous door (domain 3.8). Over a limit a report is taken and marked, never refused; what is not a report
is refused with the telephone's number beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class Limit:
    """At most `count` new reports in `window` for one `scope`."""

    scope: str
    count: int
    window: timedelta
    why: str


LIMITS: Final = (
    Limit("device", 1, timedelta(seconds=60), "the same label twice in a minute is one fault or a game"),
    Limit("device", 6, timedelta(hours=1), "six new faults an hour on one device need a call first"),
    Limit("browser", 20, timedelta(hours=1), "one phone does not find twenty broken devices an hour"),
    Limit("address", 300, timedelta(hours=1), "a whole ward shares one address, so this is far above a ward's hour"),
)
PHOTOS: Final = 3
NUDGED_AGAIN_AFTER: Final = timedelta(minutes=1)  # one phone; sooner it is the same press
NOTES, NOTES_WITHIN = 20, timedelta(hours=1)
WRONG_CODES, WRONG_CODES_WITHIN = 30, timedelta(minutes=10)  # one address: a guess in 19,000 would find a device
TRACKING_DIES_AFTER: Final = timedelta(days=90)


def over(counts: Mapping[tuple[str, timedelta], int]) -> bool:
    """True when any limit was already used up before this report. `counts`: earlier reports by (scope, window)."""
    return any(counts.get((limit.scope, limit.window), 0) >= limit.count for limit in LIMITS)
