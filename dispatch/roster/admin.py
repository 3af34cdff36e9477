"""Shifts and leave in the admin; a change is announced, so waiting tickets are looked at anew."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import MasterAdmin
from config.kernel.jobs import enqueue
from dispatch.roster.models import Leave, Shift


class _Roster(MasterAdmin):
    list_select_related = ("engineer__user",)
    autocomplete_fields = ("engineer",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        enqueue("dispatch.matching.jobs.dispatch")


class ByName(admin.SimpleListFilter):
    """The rota's own names, in the reader's language."""

    title = _("班次")
    parameter_name = "name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Shift.objects.exclude(name="").order_by("name").values_list("name", flat=True).distinct()
        return [(name, gettext(name)) for name in names]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(name=self.value()) if self.value() else queryset


@admin.register(Shift)
class ShiftAdmin(_Roster):
    list_display = ("engineer", "named", "starts_at", "ends_at", "role", "presence")
    list_filter = ("role", "presence", ByName)
    search_fields = ("engineer__user__display_name", "engineer__user__username")
    date_hierarchy = "starts_at"

    @admin.display(description=_("班次"), ordering="name")
    def named(self, shift: Shift) -> str:
        return shift.label


@admin.register(Leave)
class LeaveAdmin(_Roster):
    list_display = ("engineer", "kind", "starts_at", "ends_at", "note")
    list_filter = ("kind",)
    search_fields = ("engineer__user__display_name", "engineer__user__username")
    date_hierarchy = "starts_at"
