"""A ticket by phone: find the device by what the caller reads out, then the same questions as on the ward's page."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from assets.policies import visible_devices
from assets.register.models import Device
from assets.register.queries import resolve_scan
from config.kernel.errors import Conflict, DomainError, Invalid
from tickets.desk import forms
from tickets.desk.views.doors import desk
from tickets.lifecycle import services as lifecycle
from tickets.record.models import Source
from tickets.record.queries import open_on

MOST_FOUND = 20


@desk
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    rows = visible_devices(request.user, Device.objects.for_display())
    device = rows.filter(public_id=request.POST.get("device") or request.GET.get("device", "")).first()
    if device is None:
        return render(request, "tickets/desk/new.html", _found(request))
    if request.method != "POST":
        return _ask(request, device, forms.ByPhone(device=device, initial={"client_id": uuid.uuid4()}))
    form = forms.ByPhone(request.POST, device=device)
    if not form.is_valid():
        return _ask(request, device, form, status=422)
    try:
        ticket = lifecycle.submit(
            device=device, source=Source.PHONE, by=request.user, at=timezone.now(), **form.cleaned_data
        )
    except Conflict:  # she went back to a form that was sent, and wrote something else
        data = request.POST.copy()
        data["client_id"] = str(uuid.uuid4())
        form = forms.ByPhone(data, device=device)
        form.add_error(None, _("这张表已经登记过一张单。要另开一张，再提交一次。"))
        return _ask(request, device, form, status=Conflict.status)
    except DomainError as error:
        form.add_error(None, str(error))
        return _ask(request, device, form, status=422 if isinstance(error, Invalid) else error.status)
    return redirect("desk:ticket", ticket.public_id)


def _found(request: HttpRequest) -> dict[str, object]:
    """Own link, short code, number or UDI first; otherwise names and models that hold every word."""
    text = request.GET.get("q", "").strip()[:100]
    exact = resolve_scan(text, user=request.user) if text else []
    if exact or not text:
        return {"q": text, "devices": exact}
    rows = visible_devices(request.user, Device.objects.living().for_display())
    for word in text.split()[:5]:
        rows = rows.filter(forms.device_has(word))
    return {"q": text, "devices": list(rows.order_by("department__code", "asset_no")[:MOST_FOUND])}


def _ask(request: HttpRequest, device: Device, form: forms.ByPhone, *, status: int = 200) -> HttpResponse:
    context = {"device": device, "form": form, "known": open_on(device)}
    return render(request, "tickets/desk/new.html", context, status=status)
