"""Two questions a load balancer asks. `healthz`: does this process answer; `readyz`: can the whole do its work."""

from datetime import timedelta
from typing import Final

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.kernel import log
from config.kernel.models import EventRecord, Heartbeat, Lease

CLOCK_SILENT: Final = timedelta(seconds=10)
WORKER_SILENT: Final = timedelta(seconds=90)  # the clock asks it for a sign of life through the queue
LOG_BEHIND: Final = timedelta(seconds=10)


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 with no problems, else 503 with one sentence for each failed thing."""
    try:
        problems = _silences()
    except DatabaseError:
        problems = {"database": _("数据库没有应答")}
    answer = JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)
    if problems:
        answer["Retry-After"] = "5"
    return answer


def _silences() -> dict[str, str]:
    now = timezone.now()
    problems = {}
    if not Lease.objects.filter(name=log.LEASE, beat_at__gt=now - CLOCK_SILENT).exists():
        problems["clock"] = _("计时进程没有心跳：SLA 提醒不会触发")
    if not Heartbeat.objects.filter(name="worker", at__gt=now - WORKER_SILENT).exists():
        problems["worker"] = _("后台任务进程没有心跳：派工和消息会延迟")
    if EventRecord.objects.filter(seq__isnull=True, at__lt=now - LOG_BEHIND).exists():
        problems["lag"] = _("事件日志排序落后：实时页面会延迟")
    return problems
