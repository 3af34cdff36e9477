"""Addresses end with a slash. Who reads without one is sent on; who writes to the API without one is told so."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.utils.translation import gettext_lazy as _

from config.kernel.views import refusal

READS = ("GET", "HEAD")


class NoWriteIsSentOn(CommonMiddleware):
    """Programs repeat a redirected POST as a GET, read a list with 200 and take their report for made: below /api/ it is a
    404 with the address that was meant."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 404 or not self._would_lose_its_body(request):
            return super().process_response(request, response)
        answer = refusal(request, 404, _("这个地址以斜杠结尾：%(path)s") % {"path": f"{request.path}/"})
        answer.headers["Content-Length"] = str(len(answer.content))
        return answer

    def _would_lose_its_body(self, request: HttpRequest) -> bool:
        return (
            request.method not in READS
            and request.path_info.startswith("/api/")
            and self.should_redirect_with_slash(request)
        )
