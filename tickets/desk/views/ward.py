"""A signed-in ward's own page: its open tickets, each with its tracking page, and what was finished lately."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assets.policies import is_ward, visible_devices
from assets.register.models import Device
from assets.register.queries import report_url
from tickets.desk import forms, queries
from tickets.policies import visible_tickets
from tickets.record.models import State, Ticket

LATELY = timedelta(days=7)
MOST_DEVICES = 60
LONGEST, MOST_WORDS = 100, 5


@never_cache
@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    if not is_ward(request.user):
        raise PermissionDenied
    now = timezone.now()
    tickets = visible_tickets(request.user, Ticket.objects.for_board())
    going = [queries.row_of(ticket, now) for ticket in tickets.open().order_by("-id")[:100]]
    done = tickets.filter(ended_at__gte=now - LATELY).order_by("-ended_at")[:20]
    devices = visible_devices(request.user, Device.objects.living().for_display()).order_by("name", "asset_no")
    text = request.GET.get("q", "").strip()[:LONGEST]
    for word in text.split()[:MOST_WORDS]:
        devices = devices.filter(forms.device_has(word))
    context = {
        "q": text,
        "asked": [row for row in going if row.ticket.state == State.VERIFYING],
        "going": [row for row in going if row.ticket.state != State.VERIFYING],
        "done": list(done),
        "devices": [{"device": one, "url": report_url(one)} for one in devices[:MOST_DEVICES]],
        "department": request.user.department,
    }
    return render(request, "tickets/desk/ward.html", context)
