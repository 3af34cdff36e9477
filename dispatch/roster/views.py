"""The roster as a card of the board and a column of the wall."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from assets.places.models import Location
from assets.register.models import Qualification, Skill
from config.kernel.context import first_address
from dispatch import policies
from dispatch.roster import queries
from dispatch.roster.rules import Presence

GAPS_SHOWN = 2


@never_cache
@login_required
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Who is here with how much, and the next hours that nobody covers. `wall=1` leaves places out."""
    if not policies.can_see_roster(request.user):
        raise PermissionDenied
    now = timezone.now()
    lines = queries.on_duty(now)
    here = [line for line in lines if line.presence == Presence.ON_SITE]
    context = {
        "here": here,
        "on_call": [line for line in lines if line.presence != Presence.ON_SITE],
        "until": max((line.until for line in here if line.until), default=None),
        "roster_url": first_address(("roster:week", "dispatch:roster")),
    }
    if request.GET.get("wall"):
        return render(request, "dispatch/roster/_wall.html", context)
    gaps = queries.gaps(now, days=1)[:GAPS_SHOWN]
    named = _labels({gap.code for gap in gaps})
    shown = [{"label": named.get(gap.code, gap.code), "start": gap.start, "end": gap.end} for gap in gaps]
    places = _places(here)
    rows = [(line, places.get(line.engineer.pk, "")) for line in here]
    return render(request, "dispatch/roster/_card.html", context | {"gaps": shown, "rows": rows})


def _places(lines: list[queries.OnDuty]) -> dict[int, str]:
    """Building and floor of whoever is here: as much of the place as a row can take, and enough to know who is near."""
    last = {line.engineer.pk: line.engineer.last_seen or line.engineer.base for line in lines}
    codes = {place.building_code for place in last.values() if place}
    buildings = {one.code: one.label for one in Location.objects.filter(code__in=codes - {""})}
    return {
        pk: _("%(building)s %(floor)s 层") % {"building": buildings[place.building_code], "floor": place.floor}
        if place.building_code in buildings
        else place.path
        for pk, place in last.items()
        if place
    }


def _labels(codes: set[str]) -> dict[str, str]:
    skills, cards = Skill.objects.filter(code__in=codes), Qualification.objects.filter(code__in=codes)
    return {row.code: row.label for row in skills} | {row.code: row.label for row in cards}


urlpatterns: list[URLPattern] = [path("desk/_roster/", card, name="roster-card")]
