"""The promise as data: calendars with holidays, targets, matrix and ladder. Clocks and pauses are read-only."""

from __future__ import annotations

from datetime import time
from functools import partial
from itertools import pairwise
from typing import ClassVar, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.kernel.admin import HouseAdmin, HouseFields, MasterAdmin, ReadOnlyAdmin
from tickets.record.admin import ByPriority
from tickets.record.queries import of_tickets
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

DAY_HINTS: Final = {
    "works": _("不勾是放假；勾上是调休上班。"),
    "like": _("调休上班时按星期几的时段算。"),
}


class _Rules(MasterAdmin):
    """A rule that changes takes effect with the next ticket; running clocks keep theirs until re-based."""

    def save_model(self, request: HttpRequest, obj: object, form: object, change: bool) -> None:
        super().save_model(request, obj, form, change)
        queries.forget_rulebook()


class WindowLines(forms.BaseInlineFormSet[CalendarWindow, Calendar, forms.ModelForm[CalendarWindow]]):
    """Working time that can be counted: some of it, and no minute twice."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if not kept and not self.instance.always:
            raise ValidationError(_("没有工作时段，时限永远不会到。加一段，或勾选 24×7。"))
        spans = sorted((one["weekday"], one["starts"], one["ends"]) for one in kept)
        for (day, _start, end), (next_day, start, _end) in pairwise(spans):
            if day == next_day and (end == time(0) or start < end):
                raise ValidationError(
                    _("%(day)s的两段重叠：%(time)s 同时在两段里。")
                    % {"day": CalendarWindow(weekday=day).get_weekday_display(), "time": f"{start:%H:%M}"}
                )


class Windows(TabularInline):
    model = CalendarWindow
    formset = WindowLines
    extra = 0


class Days(HouseFields, TabularInline):
    model = CalendarDay
    extra = 0
    max_num = 400
    hints = DAY_HINTS


@admin.register(Calendar)
class CalendarAdmin(_Rules):
    list_display = ("code", "named", "timezone", "always")
    search_fields = ("code", "name")
    inlines = (Windows, Days)
    hints: ClassVar = {
        "timezone": _("院区所在时区，例如 Asia/Shanghai。"),
        "always": _("每天每分钟都算，不看下面的时段和节假日。"),
    }

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
    hints = DAY_HINTS

    @admin.display(description=_("名称"), ordering="name")
    def named(self, row: CalendarDay) -> str:
        return gettext(row.name)


@admin.register(PriorityRule)
class PriorityRuleAdmin(_Rules):
    list_display = ("impact", "criticality", "priority")
    list_filter = ("impact", "criticality", "priority")
    hints: ClassVar = {"priority": _("只影响以后的报修；已有的工单保持原来的级别。")}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The matrix is always whole: `manage.py starter` fills it, so there is no cell to add and none to take out."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Target)
class TargetAdmin(_Rules):
    list_display = ("priority", "metric", "minutes", "calendar", "off_hours_minutes", "pausable")
    list_filter = ("priority", "metric")
    list_select_related = ("calendar",)
    hints: ClassVar = {
        "metric": _("响应：接单为止。到场：人到设备旁。恢复：病区能继续诊疗，例如备用机接上。修复：设备修好。"),
        "minutes": _("按下面日历的工作分钟算，从报修起。"),
        "calendar": _("哪些分钟算数。P1 用 24×7。"),
        "off_hours_minutes": _("报修落在办公日历之外时用这个时限，例如夜里从家里赶来。不填就一直用上面的时限。"),
        "office_calendar": _("什么时候算办公时间。和上一项一起填。"),
        "pausable": _("等配件、等厂家时停表。响应和到场永远不停。"),
    }


@admin.register(Rung)
class RungAdmin(_Rules):
    list_display = ("priority", "metric", "after_minutes", "at_percent", "past_due_minutes", "tell", "urgent", "active")
    list_filter = ("priority", "metric", "tell", "active")
    hints: ClassVar = {
        "after_minutes": _("报修后多少分钟。三个时间里只填一个。"),
        "at_percent": _("用去时限的百分之几，例如 80。三个时间里只填一个。"),
        "past_due_minutes": _("超时后多少分钟；0 就是到点那一刻。三个时间里只填一个。"),
        "tell": _("这个角色没有人在时，告诉科长。"),
        "urgent": _("手机和看板响铃。"),
    }


class _OfTickets(ReadOnlyAdmin):
    search_help_text = _("工单编号、设备或科室")
    found = staticmethod(of_tickets)


@admin.register(Clock)
class ClockAdmin(_OfTickets):
    list_display = ("ticket", "metric", "priority", "due_at", "met_at", "breached_at", "paused")
    list_filter = ("metric", ByPriority, "paused")
    list_select_related = ("ticket",)


@admin.register(Alert)
class AlertAdmin(_OfTickets):
    list_display = ("ticket", "clock", "what", "due_at", "at")
    list_select_related = ("clock__ticket", "rung")
    fields = ("ticket", "clock", "what", "due_at", "at")
    readonly_fields = ("ticket", "what")
    found = staticmethod(partial(of_tickets, ticket="clock__ticket"))

    @admin.display(description=pgettext_lazy("one", "工单"))
    def ticket(self, alert: Alert) -> str:
        return alert.clock.ticket.number

    @admin.display(description=_("步骤"))
    def what(self, alert: Alert) -> str:
        return alert.step_label


@admin.register(Pause)
class PauseAdmin(_OfTickets):
    list_display = ("ticket", "reason", "started_at", "expected_end_at")
    list_filter = ("reason",)
    list_select_related = ("ticket", "reason")


@admin.register(Rebase)
class RebaseAdmin(_OfTickets):
    list_display = ("ticket", "from_priority", "to_priority", "reason", "at")
    list_select_related = ("ticket",)
