"""The one table of timed work. The clock process enqueues each job when its period has passed; deadlines it keeps itself."""

from datetime import timedelta
from typing import Final, NamedTuple


class Schedule(NamedTuple):
    job: str
    every: timedelta
    why: str


SCHEDULES: Final[tuple[Schedule, ...]] = (
    Schedule("config.kernel.jobs.beat", timedelta(seconds=10), "proves to /readyz that the queue moves"),
    Schedule(
        "dispatch.matching.jobs.dispatch", timedelta(minutes=1), "shift changes and expiring leave raise no event"
    ),
    Schedule(
        "tickets.retention.jobs.forget", timedelta(hours=6), "contacts, photos and voice go when their time is over"
    ),
    Schedule(
        "integrations.identity.jobs.forget", timedelta(days=1), "sign-ins of a year ago, dead tokens and sessions"
    ),
    Schedule(
        "integrations.notifications.jobs.send_left", timedelta(minutes=5), "mails whose job died before it could say so"
    ),
    Schedule("config.kernel.jobs.forget_answers", timedelta(days=1), "kept answers to requests of a week ago"),
    Schedule("config.kernel.jobs.forget_results", timedelta(minutes=10), "results of finished jobs but the newest"),
    Schedule("assets.register.jobs.forget_staged", timedelta(hours=1), "tables sent for an import that never came"),
    Schedule("dispatch.engineers.jobs.fade_history", timedelta(days=1), "old repairs weigh less, half in 180 days"),
)

# Called five times a second with the moment; each fires what is due by then, once, however many clocks run.
DEADLINES: Final[tuple[str, ...]] = ("tickets.sla.services.fire_due", "config.kernel.timers.fire_due")
