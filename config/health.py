"""Two questions a load balancer asks. `healthz`: does this process answer; `readyz`: can Wardline do its work."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel.leaving import is_leaving
from config.kernel.log import LEASE
from config.kernel.models import EventRecord, Heartbeat, Lease

CLOCK_SILENT: Final = timedelta(seconds=6)
WORKER_SILENT: Final = timedelta(seconds=45)
LOG_BEHIND: Final = timedelta(seconds=5)


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 with no problems, else 503 with one sentence for each failed thing."""
    if is_leaving():
        return JsonResponse({"ready": False, "problems": {"web": _("这个网页进程正在退出。")}}, status=503)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        problems = _problems(timezone.now())
    except DatabaseError:
        problems = {"database": _("数据库没有应答。")}
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


def _problems(now: datetime) -> dict[str, str]:
    checks: Mapping[str, Callable[[datetime], str]] = {"clock": _clock, "worker": _worker, "lag": _lag}
    return {name: sentence for name, check in checks.items() if (sentence := check(now))}


def _clock(now: datetime) -> str:
    lease = Lease.objects.filter(name=LEASE).first()
    if lease is None:
        return _("时钟进程没有运行，时限提醒不会发出。")
    silent = now - lease.beat_at
    return _("时钟进程 %(s)s 秒没有动静。") % {"s": int(silent.total_seconds())} if silent > CLOCK_SILENT else ""


def _worker(now: datetime) -> str:
    beat = Heartbeat.objects.filter(name="worker").first()
    if beat is None:
        return _("后台进程没有运行，工单不会派出。")
    silent = now - beat.at
    return _("后台进程 %(s)s 秒没有动静。") % {"s": int(silent.total_seconds())} if silent > WORKER_SILENT else ""


def _lag(now: datetime) -> str:
    oldest = EventRecord.objects.filter(seq__isnull=True).order_by("id").values_list("id", flat=True).first()
    if oldest is None:
        return ""
    head = EventRecord.objects.filter(seq__isnull=False).order_by("-seq").values_list("at", flat=True).first()
    waiting = EventRecord.objects.get(pk=oldest).at
    behind = now - max(waiting, head or waiting)
    return _("事件日志落后 %(s)s 秒。") % {"s": int(behind.total_seconds())} if behind > LOG_BEHIND else ""
