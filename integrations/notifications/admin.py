"""What people were told, to look up."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import ReadOnlyAdmin
from integrations.notifications import queries
from integrations.notifications.models import Delivery, Notification
from tickets.record.queries import called


def _to(path: str, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
    return rows.filter(**{f"{path}__in": called(term)})


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("said", "user", "level", "at", "read_at")
    list_filter = ("level",)
    list_select_related = ("user",)
    search_help_text = _("收件人")
    found = staticmethod(partial(_to, "user"))
    fields = ("said", "more", "user", "level", "sound", "subject", "at", "read_at")
    readonly_fields = ("said", "more")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The words of the whole page at once."""
        found = super().get_changelist_instance(request)
        found.result_list = list(found.result_list)
        for row, one in zip(found.result_list, queries.shown(found.result_list, request.user), strict=True):
            row.shown = one
        return found

    @admin.display(description=_("消息"))
    def said(self, row: Notification) -> str:
        return self._shown(row).title

    @admin.display(description=_("内容"))
    def more(self, row: Notification) -> str:
        return self._shown(row).body

    def _shown(self, row: Notification) -> queries.Shown:
        found: queries.Shown = getattr(row, "shown", None) or queries.shown([row], row.user)[0]
        return found


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("notification", "channel", "state", "attempts", "last_error", "at")
    list_filter = ("channel", "state")
    list_select_related = ("notification",)
    search_help_text = _("收件人")
    found = staticmethod(partial(_to, "notification__user"))
