"""Matching on the desk's pages: alerts above the board, why somebody was chosen, whom to choose, the yes to a suggestion.

And inside the admin: what other weights would have done.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.kernel.errors import DomainError
from dispatch import policies
from dispatch.engineers.models import Engineer
from dispatch.matching import queries, rules, services
from dispatch.matching.forms import WhatIfForm, stored
from dispatch.matching.models import Weights
from dispatch.roster.queries import in_hand, on_duty
from tickets.policies import visible_tickets
from tickets.record.models import Ticket

ALERTS_SHOWN = 5
CHANGES_SHOWN = 50


def _ticket(request: HttpRequest, public_id: str) -> Ticket:
    if not policies.can_see_explanation(request.user):
        raise PermissionDenied
    tickets = visible_tickets(request.user, Ticket.objects.select_related("assignee", "device__type", "preset"))
    ticket = tickets.filter(public_id=public_id).first()
    if ticket is None:
        raise Http404
    return ticket


@never_cache
@login_required
@require_safe
def alerts(request: HttpRequest) -> HttpResponse:
    """Tickets that nobody may take, and suggestions that wait for a yes."""
    if not policies.can_decide(request.user):
        raise PermissionDenied
    alone = queries.without_anybody()
    nobody = list(alone.select_related("device__type", "department", "preset", "location")[:ALERTS_SHOWN])
    more = alone.count() - len(nobody) if len(nobody) == ALERTS_SHOWN else 0
    asked = list(queries.open_suggestions().select_related("ticket__preset")[:ALERTS_SHOWN])
    return render(request, "dispatch/matching/_alerts.html", {"nobody": nobody, "more": more, "asked": asked})


@never_cache
@login_required
@require_safe
def assignment(request: HttpRequest, public_id: str) -> HttpResponse:
    """为什么派给李工: candidates with their bars, and those who could not go with the rule."""
    ticket = _ticket(request, public_id)
    decision = queries.latest(ticket)
    told = queries.explain(decision) if decision else None
    bars = (
        [[{"label": part.label, "value": part.points} for part in line.segments] for line in told.lines] if told else []
    )
    totals = [sum(part.points for part in line.segments) for line in told.lines] if told else []
    # From the figures as they are shown, so that a reader who subtracts them gets the same.
    lead = round(told.lines[1].total, 1) - round(told.lines[0].total, 1) if told and len(told.lines) > 1 else None
    context = {
        "ticket": ticket,
        "told": told,
        "lead": lead,
        "legend": [part["label"] for part in bars[0]] if bars else [],
        "scale": max(totals, default=1.0) or 1.0,
        "outs": _outs(told),
        "lines": list(zip(told.lines, bars, strict=True))[:5] if told else [],
        "may_decide": policies.can_decide(request.user),
    }
    return render(request, "dispatch/matching/_assignment.html", context)


def _outs(told: queries.Explained | None) -> list[tuple[str, str]]:
    """Those who could not go by reason, the reasons that concern fewest people first: eight times 不在班 is one line."""
    found: dict[str, list[str]] = {}
    for out in told.rejected if told else ():
        found.setdefault(out.reason, []).append(out.name)
    return [(reason, _("、").join(names)) for reason, names in sorted(found.items(), key=lambda one: len(one[1]))]


@never_cache
@login_required
@require_safe
def candidates(request: HttpRequest, public_id: str) -> HttpResponse:
    """Everybody the desk may give this ticket to: the best first, then those a rule stands against, with the rule; who is
    not in the house comes last."""
    ticket = _ticket(request, public_id)
    return render(request, "dispatch/matching/_candidates.html", {"ticket": ticket, "people": _people(ticket)})


def _people(ticket: Ticket) -> list[dict[str, Any]]:
    decision = queries.latest(ticket)
    told = queries.explain(decision) if decision else None
    ranks = {line.user_id: (n, line.reason) for n, line in enumerate(told.lines)} if told else {}
    stopped = {out.user_id: out.reason for out in told.rejected} if told else {}
    here = {line.engineer.user_id: line for line in on_duty(timezone.now())}
    found: list[dict[str, Any]] = []
    everybody = Engineer.objects.filter(active=True, user__is_active=True).select_related("user")
    for engineer in everybody.annotate(open_now=in_hand()):
        user, line = engineer.user, here.get(engineer.user_id)
        rank, why = ranks.get(user.pk, (len(ranks), ""))
        found.append(
            {
                "user": user,
                "open": engineer.open_now,
                "limit": engineer.max_open,
                "here": line is not None,
                "why": why or stopped.get(user.pk, "") or ("" if line else _("不在班")),
                "stopped": user.pk in stopped or line is None,
                "order": (user.pk in stopped or line is None, line is None, rank, user.pk),
            }
        )
    return sorted((one for one in found if one["user"].pk != ticket.assignee_id), key=lambda one: one["order"])


@login_required
@require_POST
def confirm(request: HttpRequest, public_id: str) -> HttpResponse:
    """Yes to the suggestion; back to where the button was."""
    ticket = _ticket(request, public_id)
    if not policies.can_decide(request.user):
        raise PermissionDenied
    decision = queries.open_suggestions().filter(ticket=ticket).first()
    back = "desk:board" if request.POST.get("back") == "board" else "desk:ticket"
    try:
        if decision is None:
            messages.error(request, _("这条建议已经处理过了。看最新。"))
        else:
            services.confirm(decision, by=request.user, at=timezone.now())
            messages.success(
                request, _("已派给%(name)s。") % {"name": decision.chosen.short_name if decision.chosen else ""}
            )
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(back) if back == "desk:board" else redirect(back, ticket.public_id)


def what_if(page: ModelAdmin[Weights], request: HttpRequest, version: Weights) -> HttpResponse:
    """GET asks for numbers, POST replays past decisions with them. Saves nothing: that is the change page's business."""
    form = WhatIfForm(request.POST or None, stored=version.values)
    context: dict[str, Any] = {"form": form, "version": version, "opts": page.opts, "title": _("试算派单权重")}
    if request.method == "POST" and form.is_valid():
        numbers = form.all_numbers()
        days = form.cleaned_data["days"]
        found = queries.what_if(rules.settings_from(stored(numbers)).weights, days=days, at=timezone.now())
        context |= {"found": found, "days": days, "numbers": numbers.items(), **_replayed(found)}
    return TemplateResponse(request, "dispatch/matching/what_if.html", context | page.admin_site.each_context(request))


def _replayed(found: queries.WhatIf) -> dict[str, Any]:
    """The figures of a replay beside their words."""
    replay, terms = found.replay, _terms()
    return {
        "skipped": [(words, replay.skipped[code]) for code, words in _skips().items() if code in replay.skipped],
        "changes": [
            {
                "one": one,
                "ticket": found.tickets[one.number],
                "was": found.names.get(one.was, ""),
                "would": found.names.get(one.would, ""),
                "why": terms[one.why],
            }
            for one in replay.changes[:CHANGES_SHOWN]
        ],
        "hidden": max(len(replay.changes) - CHANGES_SHOWN, 0),
        "share": 100 * len(replay.changes) / replay.replayable if replay.replayable else None,
        "left_out": sum(replay.skipped.values()),
        "means": [(terms[one.term], one, _measure(one)) for one in replay.means],
    }


def _terms() -> dict[str, str]:
    return {
        "wait": pgettext("cost", "等待"),
        "quality": _("修不好风险"),
        "travel": _("路程与用时"),
        "load": _("负载"),
        "continuity": _("修过这台"),
        "fail_again": _("上次没修好"),
    }


def _measure(mean: rules.Mean) -> str:
    if mean.measured is None:
        return ""
    before, after = mean.measured
    if mean.term == "quality":
        return _("一次修好 %(before).1f %% → %(after).1f %%") % {"before": 100 * before, "after": 100 * after}
    words = (
        _("报修后 %(before).1f → %(after).1f 分钟到") if mean.term == "wait" else _("%(before).1f → %(after).1f 分钟")
    )
    return words % {"before": before, "after": after}


def _skips() -> dict[str, str]:
    return {
        "other_tickets": _("当时更合适的人要去别的工单"),
        "not_by_cost": _("不是按分数派的：打断了在做的工单，或优化没有算出来"),
        "unknown_weights": _("存下来的分和当时的权重对不上"),
        "zero_then": _("有一项当时的权重是 0，没有存下它的大小"),
        "no_terms": _("没有存下人选的分"),
    }


urlpatterns: list[URLPattern] = [
    path("desk/_alerts/", alerts, name="matching-alerts"),
    path("desk/tickets/<str:public_id>/_assignment/", assignment, name="matching-assignment"),
    path("desk/tickets/<str:public_id>/_candidates/", candidates, name="matching-candidates"),
    path("desk/tickets/<str:public_id>/suggestion/", confirm, name="matching-confirm"),
]
