"""Refusals as pages, and the gallery of components for developers. None of them may need the database."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from config.kernel.away import RETRY_AFTER, is_away
from config.kernel.context import html_lang, navigation
from config.kernel.gallery import examples


def _bare_context() -> dict[str, str]:
    return {"hospital_phone": settings.HOSPITAL_PHONE, "html_lang": html_lang()}


def refusal(request: HttpRequest, status: int) -> HttpResponse:
    """The page for `status` (a problem document below /api/), rendered without request context: nothing there to fail."""
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    page = render_to_string(f"{status}.html", _bare_context())
    return HttpResponse(page, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
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
