"""The promise as data: calendars with holidays, targets, matrix and ladder. Clocks and pauses are read-only."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.kernel.admin import HouseAdmin, MasterAdmin, ReadOnlyAdmin
from tickets.sla import queries
from tickets.sla.models import (
    Alert,
    Calendar,
    CalendarDay,
    CalendarWindow,
    Clock,
    Pause,
    PriorityRule,
    Rebase,
    Rung,
    Target,
)


class _Rules(MasterAdmin):
    """A rule that changes takes effect with the next ticket; running clocks keep theirs until re-based."""

    def save_model(self, request: HttpRequest, obj: object, form: object, change: bool) -> None:
        super().save_model(request, obj, form, change)
        queries.forget_rulebook()


class Windows(TabularInline):
    model = CalendarWindow
    extra = 0


class Days(TabularInline):
    model = CalendarDay
    extra = 0
    max_num = 400


@admin.register(Calendar)
class CalendarAdmin(_Rules):
    list_display = ("code", "named", "timezone", "always")
    search_fields = ("code", "name")
    inlines = (Windows, Days)

    @admin.display(description=_("名称"), ordering="name")
    def named(self, calendar: Calendar) -> str:
        return gettext(calendar.name)


@admin.register(CalendarDay)
class CalendarDayAdmin(HouseAdmin):
    list_display = ("day", "named", "works", "like", "calendar")
    list_filter = ("calendar", "works")
    search_fields = ("name",)
    list_select_related = ("calendar",)
    date_hierarchy = "day"

    @admin.display(description=_("名称"), ordering="name")
    def named(self, row: CalendarDay) -> str:
        return gettext(row.name)


@admin.register(PriorityRule)
class PriorityRuleAdmin(_Rules):
    list_display = ("impact", "criticality", "priority")
    list_filter = ("impact", "criticality", "priority")


@admin.register(Target)
class TargetAdmin(_Rules):
    list_display = ("priority", "metric", "minutes", "calendar", "off_hours_minutes", "pausable")
    list_filter = ("priority", "metric")
    list_select_related = ("calendar",)


@admin.register(Rung)
class RungAdmin(_Rules):
    list_display = ("priority", "metric", "after_minutes", "at_percent", "past_due_minutes", "tell", "urgent", "active")
    list_filter = ("priority", "metric", "tell", "active")


@admin.register(Clock)
class ClockAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "metric", "priority", "due_at", "met_at", "breached_at", "paused")
    list_filter = ("metric", "priority", "paused")
    list_select_related = ("ticket",)
    search_fields = ("ticket__number",)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "clock", "what", "due_at", "at")
    list_select_related = ("clock__ticket", "rung")
    fields = ("ticket", "clock", "what", "due_at", "at")
    readonly_fields = ("ticket", "what")
    search_fields = ("clock__ticket__number",)

    @admin.display(description=_("工单"))
    def ticket(self, alert: Alert) -> str:
        return alert.clock.ticket.number

    @admin.display(description=_("步骤"))
    def what(self, alert: Alert) -> str:
        return alert.step_label


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "reason", "started_at", "expected_end_at")
    list_filter = ("reason",)
    list_select_related = ("ticket", "reason")
    search_fields = ("ticket__number",)


@admin.register(Rebase)
class RebaseAdmin(ReadOnlyAdmin):
    list_display = ("ticket", "from_priority", "to_priority", "reason", "at")
    list_select_related = ("ticket",)
    search_fields = ("ticket__number",)
