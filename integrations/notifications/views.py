"""The bell and the list of messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages as banners
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from assets.places.models import User
from config.kernel.errors import DomainError
from integrations.notifications import queries, services
from integrations.notifications.queries import recipients
from integrations.policies import can_call
from tickets.policies import visible_tickets
from tickets.record.models import Ticket

COUNTED = 99
NEWS_FOR = timedelta(minutes=5)  # later a page that opens shows the number only


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
        "loud_is_news": loud is not None and timezone.now() - loud.at < NEWS_FOR,
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


AUDIENCES: dict[str, tuple[Any, Callable[[datetime], list[User]]]] = {
    "shift": (gettext_lazy("在班全体"), recipients.shift),
    "lead": (gettext_lazy("组长"), recipients.leads),
    "secondary": (gettext_lazy("二线值班"), recipients.secondary),
    "desk": (gettext_lazy("调度"), lambda _at: recipients.desk()),
}


class CallForm(forms.Form):
    who = forms.ChoiceField(
        label=gettext_lazy("通知谁"),
        choices=[(key, label) for key, (label, _people) in AUDIENCES.items()],
        widget=forms.RadioSelect,
    )
    text = forms.CharField(
        label=gettext_lazy("说什么"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("勿写患者信息。"),
        widget=forms.TextInput(attrs={"class": "inp", "autocomplete": "off"}),
    )


@never_cache
@login_required
def call(request: HttpRequest) -> HttpResponse:
    """通知全班, 叫组长: to those who are here now, heard at once."""
    if not can_call(request.user):
        raise PermissionDenied
    about = request.POST.get("ticket", request.GET.get("ticket", ""))[:22]
    ticket = visible_tickets(request.user, Ticket.objects.all()).filter(public_id=about).first() if about else None
    who = request.GET.get("who", "")
    form = CallForm(request.POST or None, initial={"who": who if who in AUDIENCES else "shift"})
    if form.is_valid():
        now = timezone.now()
        people = AUDIENCES[form.cleaned_data["who"]][1](now)
        try:
            n = services.call_people(people, by=request.user, at=now, text=form.cleaned_data["text"], ticket=ticket)
        except DomainError as error:
            form.add_error("text" if "text" in getattr(error, "fields", {}) else None, str(error))
        else:
            banners.success(request, ngettext("已通知 %(n)d 人。", "已通知 %(n)d 人。", n) % {"n": n})
            return redirect("desk:ticket", ticket.public_id) if ticket else redirect("desk:board")
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "integrations/notifications/call.html", {"form": form, "ticket": ticket}, status=status)


urlpatterns: list[URLPattern] = [
    path("notifications/", messages, name="notifications"),
    path("notifications/_bell/", bell, name="notifications-bell"),
    path("notifications/call/", call, name="notifications-call"),
    path("notifications/read/", read, name="notifications-read"),
    path("notifications/<int:pk>/", follow, name="notifications-follow"),
]
