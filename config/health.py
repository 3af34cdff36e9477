"""Two questions a load balancer asks. `healthz`: does this process answer; `readyz`: can it do its work."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 with no problems, else 503 with one sentence for each failed thing."""
    problems = _database()
    return JsonResponse({"ready": not problems, "problems": problems}, status=503 if problems else 200)


def _database() -> dict[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return {"database": _("数据库没有应答。")}
    return {}
