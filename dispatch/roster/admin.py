"""Shifts and leave in the admin; a change is announced, so waiting tickets are looked at anew."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from config.kernel.admin import MasterAdmin
from config.kernel.jobs import enqueue
from dispatch.roster.models import Leave, Shift


class _Roster(MasterAdmin):
    list_select_related = ("engineer__user",)
    autocomplete_fields = ("engineer",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        enqueue("dispatch.matching.jobs.dispatch")


@admin.register(Shift)
class ShiftAdmin(_Roster):
    list_display = ("engineer", "name", "starts_at", "ends_at", "role", "presence")
    list_filter = ("role", "presence", "name")
    search_fields = ("engineer__user__display_name", "engineer__user__username")
    date_hierarchy = "starts_at"


@admin.register(Leave)
class LeaveAdmin(_Roster):
    list_display = ("engineer", "kind", "starts_at", "ends_at", "note")
    list_filter = ("kind",)
    search_fields = ("engineer__user__display_name", "engineer__user__username")
    date_hierarchy = "starts_at"
