"""Dispatch modes and weights as data; decisions to read."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from config.kernel.admin import MasterAdmin, ReadOnlyAdmin
from dispatch.matching import queries, services
from dispatch.matching.forms import GROUPS, WeightsForm
from dispatch.matching.models import Decision, DepartmentMode, Exclusion, Weights
from dispatch.matching.views import what_if
from tickets.record.queries import of_tickets


@admin.register(DepartmentMode)
class DepartmentModeAdmin(MasterAdmin):
    list_display = ("department", "mode")
    list_filter = ("mode",)
    list_select_related = ("department",)
    search_fields = ("department__name", "department__code")
    autocomplete_fields = ("department",)


@admin.register(Weights)
class WeightsAdmin(MasterAdmin):
    form = WeightsForm
    list_display = ("version", "active", "note", "created_at")
    list_filter = ("active",)
    actions_detail = ("what_if",)
    readonly_fields = ("version",)
    hints: ClassVar = {
        "active": gettext_lazy("只有一个版本在用；启用这个，原来的就停用。下一张单起按它派。"),
        "note": gettext_lazy("改了什么，为什么。"),
    }
    fieldsets = (
        (None, {"fields": ("version", "active", "note")}),
        *((title, {"fields": tuple(number.name for number in group)}) for title, group in GROUPS),
    )

    def save_model(self, request: HttpRequest, obj: Weights, form: Any, change: bool) -> None:
        """One version is in use: this one takes the place of another in the same transaction."""
        services.keep_weights(obj)

    @action(description=gettext_lazy("试算"), permissions=["change"], url_path="what-if", icon="calculate")
    def what_if(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return what_if(self, request, get_object_or_404(Weights, pk=object_id))


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "at", "outcome", "chosen", "mode", "needs_review")
    list_filter = ("outcome", "mode", "needs_review")
    list_select_related = ("ticket", "chosen")
    search_help_text = gettext_lazy("工单编号、设备、科室或人")
    found = staticmethod(partial(of_tickets, person="chosen"))
    fields = ("ticket", "at", "outcome", "chosen", "why", "needs_review", "open", "weights_version")
    readonly_fields = ("why",)

    @admin.display(description=gettext_lazy("依据"))
    def why(self, decision: Decision) -> SafeString:
        return render_to_string("dispatch/matching/_decision.html", {"told": queries.explain(decision)})


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "user", "reason", "at")
    list_filter = ("reason",)
    list_select_related = ("ticket", "user")
    search_help_text = gettext_lazy("工单编号、设备、科室或人")
    found = staticmethod(partial(of_tickets, person="user"))
