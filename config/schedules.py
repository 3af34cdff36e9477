"""The one table of timed jobs. The clock process enqueues each when its period has passed; deadlines are timers instead."""

from datetime import timedelta
from typing import Final, NamedTuple


class Schedule(NamedTuple):
    job: str
    every: timedelta
    why: str


SCHEDULES: Final[tuple[Schedule, ...]] = ()
