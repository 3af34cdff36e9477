"""The clock process: sequences the log, fires deadlines, enqueues timed jobs. Two may run; one leads, the other waits."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from config.kernel import jobs, live, log
from config.kernel.bell import FACTS, Bell
from config.kernel.models import Heartbeat
from config.schedules import DEADLINES, SCHEDULES

logger = logging.getLogger(__name__)
LEAD_EVERY = 1.0
DEADLINES_EVERY = 0.2
AT_ONCE = 20  # deadlines of a kind in one pass: in a flood screens must not wait until the last has fired
PAUSE = 0.1  # at most: a commit with facts rings before that
STANDBY = 0.5


class Command(BaseCommand):
    help = "Keep time: event sequence, SLA deadlines, timers, schedules. Run one or two beside the web processes."

    def handle(self, *args: Any, **options: Any) -> None:
        clock = ClockLoop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: clock.stopping.set())
        clock.run()


class ClockLoop:
    """One pass is `tick()`; every duty is safe beside a second clock, the lease only keeps the second one quiet."""

    def __init__(self) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.leading = False
        self._bell = Bell(FACTS)
        self._led_at = self._deadlines_at = 0.0
        self._deadlines = [import_string(name) for name in DEADLINES]

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                pause = self.tick(timezone.now())
            except DatabaseError:
                logger.exception("the clock cannot reach the database")
                self.leading = False
                connection.close()
                pause = 1.0
            if self.leading:
                self._bell.wait(pause)
            else:
                self.stopping.wait(pause)
        if self.leading:
            log.release_lead(self.holder)

    def tick(self, now: datetime) -> float:
        """Do what is due; returns the seconds to wait before the next pass."""
        moment = time.monotonic()
        if moment - self._led_at >= LEAD_EVERY or not self.leading:
            close_old_connections()
            self.leading = log.lead(self.holder)
            self._led_at = moment
            if self.leading:
                self._enqueue_due_jobs(now)
        if not self.leading:
            return STANDBY
        if log.sequence(self.holder):
            live.nudge()
        if moment - self._deadlines_at >= DEADLINES_EVERY:
            fired = [fire(now, limit=AT_ONCE) for fire in self._deadlines]
            if max(fired) >= AT_ONCE:  # more may be due: tell what fired, then go on at once
                return 0.0
            self._deadlines_at = moment
        return PAUSE

    def _enqueue_due_jobs(self, now: datetime) -> None:
        last = dict(Heartbeat.objects.filter(name__startswith="job:").values_list("name", "at"))
        for schedule in SCHEDULES:
            name = f"job:{schedule.job}"[:40]
            if name not in last or now - last[name] >= schedule.every:
                # Together: a job that could not be queued is due at the next look, not a period later.
                with transaction.atomic():
                    Heartbeat.objects.update_or_create(name=name, defaults={"at": now})
                    # While no worker runs nothing piles up before a P1's round: a queued one does all there is.
                    if not jobs.twins(schedule.job):
                        jobs.enqueue(schedule.job)
