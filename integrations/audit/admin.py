"""The event log to read and search."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from assets.places.models import User
from config.kernel.admin import ReadOnlyAdmin
from config.kernel.models import EventRecord
from tickets.desk.queries import sentences


@admin.register(EventRecord)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "told", "type", "subject", "scope")
    list_filter = ("type", "scope")
    search_fields = ("subject", "by", "type")
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
