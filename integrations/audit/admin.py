"""The event log to read and search."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets.places.models import Department, Person, User
from assets.register.models import Device
from config.kernel.admin import ReadOnlyAdmin
from config.kernel.events import known_types
from config.kernel.log import head
from config.kernel.models import EventRecord
from tickets.desk.queries import sentences
from tickets.record.models import Ticket
from tickets.record.queries import newest_found

LATELY = 100_000  # facts


class ByDepartment(admin.SimpleListFilter):
    """Of all departments: asking the log for those in it would read the whole log."""

    title = _("科室")
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(one.code, str(one)) for one in Department.objects.order_by("code")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventRecord]) -> QuerySet[EventRecord]:
        return queryset.filter(scope=self.value()) if self.value() else queryset


def _found(rows: QuerySet[EventRecord], term: str) -> QuerySet[EventRecord]:
    """A type, of late; what one person did; what befell the tickets found and the device of this number, or the subject
    with this id."""
    if term in known_types():  # has no index: SQLite would take it where another one answers better (decision 28)
        return rows.filter(type=term, seq__gt=head() - LATELY)
    doers = Person.objects.filter(Q(user__display_name=term) | Q(user__username=term) | Q(public_id=term))
    if doers:
        return rows.filter(by__in=[one.public_id for one in doers])
    tickets = Ticket.objects.filter(pk__in=newest_found(term)).values_list("public_id", flat=True)
    devices = Device.objects.filter(asset_no=term).values_list("public_id", flat=True)
    subjects = [f"ticket:{public_id}" for public_id in tickets] + [f"device:{public_id}" for public_id in devices]
    return rows.filter(subject__in=[term, *subjects])


@admin.register(EventRecord)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "told", "type", "subject", "scope")
    list_filter = (ByDepartment,)
    found = staticmethod(_found)
    search_help_text = _("事件类型（最近十万条里找）、操作者的全名，或工单编号、设备")
    ordering = ("-seq",)
    fields = ("seq", "at", "told", "type", "subject", "by", "scope", "content", "hash")
    readonly_fields = ("told", "content")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The sentences of the whole page at once."""
        found = super().get_changelist_instance(request)
        found.result_list = list(found.result_list)
        for record, sentence in zip(found.result_list, sentences(found.result_list), strict=True):
            record.sentence = sentence
        return found

    @admin.display(description=_("经过"))
    def told(self, record: EventRecord) -> str:
        sentence: str = getattr(record, "sentence", None) or sentences([record])[0]
        return sentence

    @admin.display(description=_("内容"))
    def content(self, record: EventRecord) -> SafeString:
        """Exactly what the hash covers, a line for each name."""
        return format_html_join("", "<div><code>{}</code> {}</div>", sorted(record.data.items()))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        role = getattr(request.user, "role", "")
        return bool(request.user.is_active and role in (User.Role.ADMIN, User.Role.MANAGER))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
