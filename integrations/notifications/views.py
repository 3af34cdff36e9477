"""The bell and the list of messages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from integrations.notifications import queries, services

COUNTED = 99


@never_cache
@login_required
def messages(request: HttpRequest) -> HttpResponse:
    """Newest first, fifty a page."""
    before = request.GET.get("before", "")
    rows = queries.own(request.user)
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: queries.PAGE + 1])
    more, found = len(found) > queries.PAGE, found[: queries.PAGE]
    context = {
        "messages_shown": queries.shown(found, request.user),
        "newest": found[0].pk if found else "",
        "unread": queries.unread(request.user).exists(),
        "next": f"?before={found[-1].pk}" if more else "",
        "previous": "",
    }
    return render(request, "integrations/notifications/page.html", context)


@never_cache
@login_required
def bell(request: HttpRequest) -> HttpResponse:
    """How many are unread, and the newest one that must be heard."""
    unread = queries.unread(request.user)
    loud = unread.filter(sound=True).first()
    context = {
        "n": unread[: COUNTED + 1].count(),
        "most": COUNTED,
        "tab": bool(request.GET.get("tab")),
        "loud": queries.shown([loud], request.user)[0] if loud else None,
    }
    return render(request, "integrations/notifications/_bell.html", context)


@login_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Everything up to the newest one that was on the page."""
    newest = request.POST.get("up_to", "")
    if newest.isascii() and newest.isdigit() and len(newest) < 19:
        services.mark_read(request.user, at=timezone.now(), up_to=int(newest))
    return redirect("notifications")


@login_required
@require_POST
def follow(request: HttpRequest, pk: int) -> HttpResponse:
    """Read one and go to what it is about."""
    row = get_object_or_404(queries.own(request.user), pk=pk)
    services.mark_read(request.user, at=timezone.now(), only=row.pk)
    return redirect(queries.shown([row], request.user)[0].url or "notifications")


urlpatterns: list[URLPattern] = [
    path("notifications/", messages, name="notifications"),
    path("notifications/_bell/", bell, name="notifications-bell"),
    path("notifications/read/", read, name="notifications-read"),
    path("notifications/<int:pk>/", follow, name="notifications-follow"),
]
