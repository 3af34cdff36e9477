"""One ticket on the desk: its line, its story, why it is due then, and the steps a dispatcher may take."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assets.register.queries import backups_short
from config.kernel import log
from config.kernel.context import first_address
from config.kernel.errors import Conflict, DomainError
from tickets import policies
from tickets.desk import forms, queries
from tickets.desk.views.doors import house
from tickets.desk.views.verbs import VERBS, offered
from tickets.record import services as record
from tickets.record.models import Danger, Ticket
from tickets.record.queries import priority_reasons
from tickets.sla.queries import explanation, lead_clock, ring_for, stops_for

MAIN_VERBS = 2  # as buttons; the rest is behind the dots


def find(request: HttpRequest, public_id: str) -> Ticket:
    """The ticket, or 404 for one that this person may not see."""
    tickets = policies.visible_tickets(request.user, Ticket.objects.for_board())
    ticket = tickets.select_related(
        "device__type__group", "department", "location", "assignee__person", "preset", "hold_reason",
        "reporter__user", "repeat_of", "duplicate_of", "parent", "backup_device",
    ).filter(public_id=public_id).first()  # fmt: skip
    if ticket is None:
        raise Http404
    return ticket


def _context(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    seq, now = log.head(), timezone.now()
    clock = lead_clock(ticket)
    verbs = offered(request.user, ticket)
    dialogs = [{"verb": verb, "title": verb.title_for(ticket), "form": verb.form_for(ticket)} for verb in verbs]
    return {
        "seq": seq,
        "now": now,
        "ticket": ticket,
        "stops": stops_for(ticket, now, full=True),
        "ring": ring_for(ticket, now),
        "why": explanation(ticket, now, clock.metric if clock else "fix"),
        "timeline": queries.timeline(ticket),
        "reasons": priority_reasons(ticket.priority_reasons),
        "dangers": [str(Danger(code).label) for code in ticket.danger if code in Danger.values],
        "watchers": ticket.watchers.count(),
        "backups_short": bool(ticket.device and backups_short(ticket.device)),
        "dialogs": dialogs,
        "main": dialogs[:MAIN_VERBS],
        "rest": dialogs[MAIN_VERBS:],
        "may_comment": policies.can_comment(request.user, ticket),
        "device_url": _device_url(ticket),
    }


def _device_url(ticket: Ticket) -> str:
    base = first_address(("register:devices", "assets:devices", "register:list"))
    return f"{base}{ticket.device.public_id}/" if base and ticket.device else ""


@house
@require_safe
def page(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "tickets/desk/ticket.html", _context(request, find(request, public_id)))


@house
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, public_id: str, verb: str) -> HttpResponse:
    """One step by one service; a refusal comes back on the page with its sentence and with what was typed.

    Opening the address again, without a step, leads to the page.
    """
    ticket = find(request, public_id)
    step = VERBS.get(verb)
    if step is None:
        raise Http404
    if request.method != "POST":
        return redirect("desk:ticket", ticket.public_id)
    if not step.may(request.user, ticket):
        raise PermissionDenied
    form = step.form_for(ticket, request.POST)
    status = 400
    if form.is_valid():
        try:
            step.run(ticket, by=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            status = error.status
            fields = {name: text for name, text in getattr(error, "fields", {}).items() if name in form.fields}
            for name, text in fields.items():
                form.add_error(name, str(text))
            if not fields:
                form.add_error(None, str(error))
        else:
            messages.success(
                request,
                _("%(number)s：%(verb)s，已记下。") % {"number": ticket.short_number, "verb": step.title_for(ticket)},
            )
            return redirect("desk:ticket", ticket.public_id)
    elif form.has_error(NON_FIELD_ERRORS, forms.OVERTAKEN):
        status = Conflict.status
    latest = find(request, public_id)
    context = _context(request, latest)
    still = step in offered(request.user, latest)
    context["refused"] = {"verb": step, "title": step.title_for(latest), "form": form, "over": not still}
    context["dialogs"] = [one for one in context["dialogs"] if one["verb"].key != step.key]
    return render(request, "tickets/desk/ticket.html", context, status=status)


@house
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, public_id: str) -> HttpResponse:
    """A note for the ward, or for the department alone, with photos that are checked and re-encoded like all others."""
    ticket = find(request, public_id)
    if request.method != "POST":
        return redirect("desk:ticket", ticket.public_id)
    if not policies.can_comment(request.user, ticket):
        raise PermissionDenied
    form, photos = forms.Note(request.POST), request.FILES.getlist("photo")
    wrong = _("写几个字或选一张照片再发送，最多 500 字。")
    if form.is_valid() and (form.cleaned_data["text"] or photos):
        try:
            record.note(ticket, photos=photos, by=request.user, at=timezone.now(), **form.cleaned_data)
            return redirect("desk:ticket", ticket.public_id)
        except DomainError as error:
            wrong = str(error)
    context = _context(request, ticket) | {"note_error": wrong, "note": request.POST.get("text", "")[:500]}
    return render(request, "tickets/desk/ticket.html", context, status=400)
