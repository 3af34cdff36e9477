"""Refusals as pages, and the gallery of components for developers. None of them may need the database."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_request, gettext_lazy, override

from config.kernel.away import RETRY_AFTER, is_away
from config.kernel.context import html_lang, navigation
from config.kernel.gallery import examples

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _bare_context() -> dict[str, str]:
    return {"hospital_phone": settings.HOSPITAL_PHONE, "html_lang": html_lang()}


# What a program is told where no view got as far as a sentence of its own.
SENTENCES = {
    400: gettext_lazy("请求读不懂。"),
    403: gettext_lazy("没有权限。"),
    404: gettext_lazy("没有这个地址。"),
    405: gettext_lazy("这个地址不支持这种请求方法。"),
    413: gettext_lazy("请求太大。"),
    429: gettext_lazy("太频繁，稍后再试。"),
    500: gettext_lazy("服务器出错，已记录。"),
    503: gettext_lazy("服务暂时不可用，稍后再试。"),
}


def refusal(request: HttpRequest, status: int, sentence: StrOrPromise = "") -> HttpResponse:
    """The page for `status` (below /api/ a problem document, with a `sentence` of its own where the caller has one), rendered
    without request context: nothing there to fail."""
    if request.path.startswith("/api/"):
        name = HTTPStatus(status).phrase.lower().replace(" ", "_")
        with override(get_language_from_request(request)):  # some are refused before the language is known
            told = str(sentence or SENTENCES[status])
        body = {"type": f"urn:wardline:{name}", "title": told, "status": status, "detail": told}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    page = render_to_string(f"{status}.html", _bare_context())
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig) and request.path.startswith("/api/"):
        return refusal(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return refusal(request, HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refusal(request, HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this inside the handling of the error, wherever below it was raised: views, sessions, middleware."""
    if is_away(sys.exception()):
        answer = refusal(request, HTTPStatus.SERVICE_UNAVAILABLE)
        answer["Retry-After"] = RETRY_AFTER
        return answer
    return refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Settings name this as CSRF_FAILURE_VIEW: the page was open too long, entries are kept by the browser."""
    page = render_to_string("403_csrf.html", _bare_context())
    return HttpResponse(page, status=HTTPStatus.FORBIDDEN)


def too_many_guesses(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Settings name this as AXES_LOCKOUT_CALLABLE."""
    return refusal(request, HTTPStatus.TOO_MANY_REQUESTS)


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The first place of the top bar that this role has; people without one are told how to report."""
    places = navigation(str(getattr(request.user, "role", "")), request.path)
    return redirect(places[0]["url"]) if places else render(request, "home.html")


def gallery(request: HttpRequest) -> HttpResponse:
    """Every component on one page; only while DEBUG, and nowhere near real data."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "design/gallery.html", examples())
