"""The live board and the wall screen; the fragment is what their scripts read again after each fact."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from config.kernel import log
from tickets.desk import queries
from tickets.desk.views.doors import desk


def _filters(request: HttpRequest) -> dict[str, str]:
    show = request.GET.get("show", "")
    priority = request.GET.get("priority", "")
    return {
        "show": show if show in queries.SHOWS else "",
        "department": request.GET.get("department", "")[:20],
        "priority": priority if priority in {"1", "2", "3", "4"} else "",
    }


def _context(request: HttpRequest) -> dict[str, Any]:
    # The number is read first: a fact between the two reads is read twice, never missed.
    seq, now = log.head(), timezone.now()
    if request.GET.get("wall"):
        return {"seq": seq, "now": now, "wall": queries.wall(request.user, now)}
    given = _filters(request)
    found = queries.board(request.user, now, **given)
    return {
        "seq": seq,
        "now": now,
        "board": found,
        "given": given,
        "feed": queries.feed(request.user),
        "chosen": next((one for one in found.departments if one.code == given["department"]), None),
    }


@desk
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    name = "wall" if request.GET.get("wall") else "board"
    return render(request, f"tickets/desk/{name}.html", _context(request))


@desk
@require_safe
def fragment(request: HttpRequest) -> HttpResponse:
    name = "_wall" if request.GET.get("wall") else "_board"
    return render(request, f"tickets/desk/{name}.html", _context(request))
