"""Shifts and leave in the admin; a change is announced, so waiting tickets are looked at anew."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import MasterAdmin
from dispatch.roster import services
from dispatch.roster.models import Leave, Shift


class _Roster(MasterAdmin):
    list_select_related = ("engineer__user",)
    autocomplete_fields = ("engineer",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        services.announce(obj, by=request.user, at=timezone.now())


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
    ordering = ("-starts_at",)
    hints: ClassVar = {
        "engineer": _("参与派单的工程师。名单里没有就先到“工程师”里加。"),
        "ends_at": _("到这一刻为止，不含这一刻。夜班写第二天早上。"),
        "role": _("二线和带班组长在超时升级、无人可派时接到通知。"),
        "presence": _("在院的先派；听班的只在院里没人能去时才叫。"),
        "name": _("排班表上的叫法，例如白班、夜班。可不填。"),
    }

    @admin.display(description=_("班次"), ordering="name")
    def named(self, shift: Shift) -> str:
        return shift.label

    def delete_model(self, request: HttpRequest, obj: Shift) -> None:
        services.cancel_shift(obj, by=request.user, at=timezone.now())


@admin.register(Leave)
class LeaveAdmin(_Roster):
    list_display = ("engineer", "kind", "starts_at", "ends_at", "note")
    list_filter = ("kind",)
    search_fields = ("engineer__user__display_name", "engineer__user__username")
    date_hierarchy = "starts_at"
    hints: ClassVar = {
        "starts_at": _("请假期间不派单，不管排班怎么写。已经开始的假，没动手的工单马上改派别人。"),
        "ends_at": _("提前回来就改成回来的时间。"),
        "note": _("同事看得到，不要写病情。"),
    }
