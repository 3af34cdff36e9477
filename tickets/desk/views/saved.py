"""Saved views of the list: named, shared or not, changed only by their owner."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets.desk import queries
from tickets.desk.views.doors import house
from tickets.record.models import SavedView

MOST = 30


@house
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Afterwards this person has a view of that name with the filters of `query`; the same name again replaces it."""
    given = queries.read_filters(QueryDict(request.POST.get("query", "")[:2000]))
    name = request.POST.get("name", "").strip()[:40]
    own = SavedView.objects.filter(owner=request.user.pk)
    if not name:
        messages.error(request, _("给视图起个名字。"))
    elif not own.filter(name=name).exists() and own.count() >= MOST:
        messages.error(request, _("最多存 %(n)s 个视图，先删一个。") % {"n": MOST})
    else:
        shared = bool(request.POST.get("shared"))
        own.update_or_create(owner_id=request.user.pk, name=name, defaults={"query": given, "shared": shared})
    return redirect(f"{reverse('desk:tickets')}?{queries.address(given)}")


@house
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(SavedView, pk=pk, owner=request.user.pk).delete()
    return redirect("desk:tickets")
