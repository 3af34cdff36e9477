"""Dispatch modes and weights as data; decisions to read."""

from __future__ import annotations

from django.contrib import admin

from config.kernel.admin import MasterAdmin, ReadOnlyAdmin
from dispatch.matching.models import Decision, DepartmentMode, Exclusion, Weights


@admin.register(DepartmentMode)
class DepartmentModeAdmin(MasterAdmin):
    list_display = ("department", "mode")
    list_filter = ("mode",)
    list_select_related = ("department",)
    search_fields = ("department__name", "department__code")
    autocomplete_fields = ("department",)


@admin.register(Weights)
class WeightsAdmin(MasterAdmin):
    list_display = ("version", "active", "note", "created_at")
    list_filter = ("active",)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "at", "outcome", "chosen", "mode", "needs_review")
    list_filter = ("outcome", "mode", "needs_review")
    list_select_related = ("ticket", "chosen")
    search_fields = ("ticket__number", "chosen__display_name")


@admin.register(Exclusion)
class ExclusionAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "user", "reason", "at")
    list_filter = ("reason",)
    list_select_related = ("ticket", "user")
    search_fields = ("ticket__number", "user__display_name")
