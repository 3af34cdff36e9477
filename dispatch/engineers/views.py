"""An engineer's own page and the line about today's duty above the list."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from dispatch.engineers.models import Engineer
from tickets.models import Ticket


def _mine(request: HttpRequest, *with_them: str) -> Engineer:
    rows = Engineer.objects.select_related("user", "base").prefetch_related(*with_them)
    profile = rows.filter(user=request.user.pk).first()
    if profile is None:
        raise PermissionDenied
    return profile


@login_required
@require_safe
def duty(request: HttpRequest) -> HttpResponse:
    """白班到 17:30, 手上 3 单 / 上限 5 单."""
    profile, now = _mine(request), timezone.now()
    shift = profile.shifts.filter(starts_at__lte=now, ends_at__gt=now).order_by("ends_at").last()
    context = {"profile": profile, "shift": shift, "hands": Ticket.objects.in_hand_of(profile.user).count()}
    return render(request, "dispatch/_duty.html", context)


@login_required
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Shifts, skills, cards; sign out."""
    profile, now = _mine(request, "skills__skill", "qualifications__qualification"), timezone.now()
    context = {
        "profile": profile,
        "shifts": profile.shifts.filter(ends_at__gt=now).order_by("starts_at")[:7],
        "today": timezone.localdate(now),
        "tab": "me",
    }
    return render(request, "dispatch/me.html", context)


urlpatterns: list[URLPattern] = [
    path("field/_duty/", duty, name="duty"),
    path("field/me/", me, name="me"),
]
