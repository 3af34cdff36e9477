"""Background work; the only module that knows django-q2.

The queue lives in the same database as the data (ORM broker), so an enqueue commits or rolls back with its caller.
Jobs run at least once: every job is idempotent.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.db import connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers.orm import ORM
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from config.kernel.bell import JOBS, Bell
from config.kernel.models import Heartbeat, IdempotencyRecord

logger = logging.getLogger(__name__)
RUNNER = "config.kernel.jobs.run"
MOST_TWINS = 500
KEPT_RESULTS = 1000
_ALLOWED = re.compile(r"^(assets|tickets|dispatch|integrations|config\.kernel)(\.[a-z_]+)*\.jobs\.[a-z_]+$")


def enqueue(name: str, *args: Any) -> str:
    """Queue `name(*args)` (a function in some capability's `jobs` module) in the caller's transaction; its task id."""
    if not _ALLOWED.match(name):
        raise ValueError(f"{name} is not a job")
    return str(async_task(RUNNER, name, *args, task_name=name[-100:]))


def twins(name: str) -> list[int]:
    """The queued twins of this job that no worker has begun. For jobs without arguments that then read all there is:
    what a twin was queued for is committed with it, so whoever read afterwards may `drop` them in its transaction."""
    queued = OrmQ.objects.filter(lock__lte=timezone.now()).order_by("pk").values_list("pk", "payload")[:MOST_TWINS]
    return [pk for pk, payload in queued if _task(payload).get("args") == (name,)]


def under_way(name: str) -> set[tuple[Any, ...]]:
    """What each job of this name was given, be it queued or begun: its row goes only when it has ended."""
    payloads = OrmQ.objects.values_list("payload", flat=True).iterator(chunk_size=MOST_TWINS)
    asked = (_task(payload).get("args", ()) for payload in payloads)
    return {tuple(args[1:]) for args in asked if args[:1] == (name,)}


def drop(queued: list[int]) -> int:
    """Take these out of the queue unless somebody began them meanwhile, or is about to drop them too; how many."""
    if not queued:
        return 0  # most rounds: on SQLite even an empty transaction would wait for the one writer
    rows = OrmQ.objects.filter(pk__in=queued, lock__lte=timezone.now())
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked)
        return OrmQ.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()[0]


def run(name: str, *args: Any) -> Any:
    """The one entry that the worker executes; the allow-list is checked again here."""
    if not _ALLOWED.match(name):
        raise ValueError(f"{name} is not a job")
    return import_string(name)(*args)


def beat() -> None:
    """Leave the worker's sign of life; enqueued by the clock, so it also proves that the queue moves."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})


def forget_answers() -> None:
    """Once a day: a request that is a week old is not sent again, and its kept answer may name people."""
    gone, _rows = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - timedelta(days=7)).delete()
    logger.info("forgotten: answers %d", gone)


def forget_results() -> None:
    """The newest 1,000 jobs that went well and the newest 1,000 that failed stay to be looked at."""
    for success in (True, False):
        rows = Task.objects.filter(success=success)
        # By time, not by a list of what stays: what ends meanwhile is newer and must not go.
        edge = rows.order_by("-stopped").values_list("stopped", flat=True)[KEPT_RESULTS : KEPT_RESULTS + 1]
        for stopped in edge:
            rows.filter(stopped__lte=stopped).delete()


class GuardedBroker(ORM):
    """Hands the worker only tasks that name our runner: a forged row with another dotted path never runs.

    An empty queue is waited for at the bell: django-q2's own pause (`poll`) is set to nothing.
    """

    _bell: Bell | None = None

    @staticmethod
    def get_connection(list_key: str = "") -> Any:
        """First come, first served: without an order PostgreSQL hands out a job that a killed worker had begun after all
        that were queued since."""
        return ORM.get_connection(list_key).order_by("pk")

    def dequeue(self) -> list[tuple[Any, Any]] | None:
        tasks = super().dequeue()
        if not tasks:
            if self._bell is None:
                self._bell = Bell(JOBS)
            self._bell.wait(settings.JOB_POLL_SECONDS)
            return None
        return [task for task in tasks if self._is_ours(*task)] or None

    def _is_ours(self, ack_id: Any, payload: Any) -> bool:
        ours = _task(payload).get("func") == RUNNER
        if not ours:
            logger.error("queue row %s does not name the job runner and was removed", ack_id)
            self.delete(ack_id)
        return ours


def _task(payload: Any) -> dict[str, Any]:
    """What a queue row asks for; nothing when its signature is not ours."""
    try:
        return dict(SignedPackage.loads(payload))
    except (BadSignature, TypeError):
        return {}
