"""Tickets in the admin: to search and read. State, clocks and signatures move only through services."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import HouseAdmin, ReadOnlyAdmin, ReadOnlyLines
from tickets.record.models import (
    Comment,
    Danger,
    HoldReason,
    PartLine,
    RepairReport,
    SavedView,
    Signature,
    Ticket,
    TimeEntry,
)
from tickets.record.queries import of_tickets, priority_reasons

# Words, not data: a hospital that keeps them reads right in both languages.
USUAL_OWNERS = (gettext_noop("采购"), gettext_noop("厂家"), gettext_noop("病区"), gettext_noop("科长"))


class CommentLines(ReadOnlyLines):
    model = Comment
    fields = ("at", "by", "text", "public")


class ReportLines(ReadOnlyLines):
    model = RepairReport
    fields = ("at", "by", "cause", "action", "release", "minutes", "diagnosis")


class TimeLines(ReadOnlyLines):
    model = TimeEntry
    fields = ("user", "started_at", "ended_at", "automatic")


class PartLines(ReadOnlyLines):
    model = PartLine
    fields = ("name", "quantity", "serial_no", "old_part_kept")


class SignatureLines(ReadOnlyLines):
    model = Signature
    fields = ("meaning", "signer", "signer_role", "at", "seal")
    readonly_fields = ("seal",)

    @admin.display(description=_("哈希"))
    def seal(self, signature: Signature) -> str:
        return signature.content_hash


class ByPriority(admin.SimpleListFilter):
    """The four that there are: Django's own would ask all rows which they have."""

    title = _("优先级")
    parameter_name = "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(level), f"P{level}") for level in (1, 2, 3, 4)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(priority=self.value()) if self.value() else queryset


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ("number", "what", "priority", "state", "department", "assignee", "reported_at")
    list_filter = ("state", ByPriority, "source", "department")
    list_select_related = ("device", "preset", "department", "assignee")
    search_help_text = _("工单编号、设备、科室或人")
    found = staticmethod(partial(of_tickets, ticket="pk", person="assignee"))
    inlines = (CommentLines, ReportLines, TimeLines, PartLines, SignatureLines)
    fieldsets = (
        (None, {"fields": ("where_to_act", "number", "kind", "state", "priority", "source", "simulated")}),
        (_("报修"), {"fields": ("device", "location", "department", "contact_ext", "preset", "in_use", "dangers",
                              "description", "impact", "criticality", "why_priority", "needs_callback")}),
        (_("处理"), {"fields": ("assignee", "route", "hold_reason", "hold_until", "decon", "decon_note",
                              "arrival_by_scan", "nudges", "reopen_count", "rating")}),
        (_("关联"), {"fields": ("parent", "duplicate_of", "repeat_of")}),
        (_("时间"), {"fields": ("reported_at", "triaged_at", "assigned_at", "accepted_at", "departed_at", "eta_at",
                              "arrived_at", "started_at", "restored_at", "resolved_at", "ended_at")}),
    )  # fmt: skip
    readonly_fields = ("where_to_act", "dangers", "why_priority")

    @admin.display(description=_("危险情况"))
    def dangers(self, ticket: Ticket) -> str:
        return gettext("、").join(str(Danger(code).label) for code in ticket.danger if code in Danger.values)

    @admin.display(description=_("定级依据"))
    def why_priority(self, ticket: Ticket) -> str:
        return priority_reasons(ticket.priority_reasons)

    @admin.display(description=_("设备与故障"))
    def what(self, ticket: Ticket) -> str:
        return ticket.title

    @admin.display(description=_("处理"))
    def where_to_act(self, ticket: Ticket) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("desk:ticket", args=[ticket.public_id]),
            _("状态在这里只读。去工单页处理"),
        )


@admin.register(HoldReason)
class HoldReasonAdmin(HouseAdmin):
    list_display = ("code", "name", "name_en", "pushed_by", "stops_clock", "default_hours", "active")
    search_fields = ("code", "name", "name_en")
    hints: ClassVar = {
        "owner": _("暂停时谁去催，例如采购、厂家、病区。"),
        "stops_clock": _("勾上：修复时限停表。不勾：照样走，病区不因我们的事多等。"),
        "default_hours": _("工程师没改时，多少小时后自动继续并提醒。"),
        "active": _("不勾就不再出现在选择里，旧记录不变。"),
    }

    @admin.display(description=_("由谁推动"), ordering="owner")
    def pushed_by(self, reason: HoldReason) -> str:
        return gettext(reason.owner) if reason.owner else ""


@admin.register(SavedView)
class SavedViewAdmin(HouseAdmin):
    list_display = ("name", "owner", "shared")
    list_filter = ("shared",)
    search_fields = ("name", "owner__username")
    autocomplete_fields = ("owner",)
    fields = ("name", "owner", "shared", "opened")
    readonly_fields = ("opened",)
    hints: ClassVar = {"shared": _("勾上就出现在每个人的列表上方。")}

    @admin.display(description=_("筛选"))
    def opened(self, view: SavedView) -> SafeString:
        """Its conditions are read and changed where they were made: in the list."""
        href = f"{reverse('desk:tickets')}?{urlencode(view.query, doseq=True)}"
        return format_html('<a href="{}">{}</a>', href, _("在列表里打开"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("owner")
