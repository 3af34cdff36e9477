"""The event log to read and search."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from assets.places.models import User
from config.kernel.admin import ReadOnlyAdmin
from config.kernel.models import EventRecord


@admin.register(EventRecord)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "type", "subject", "by", "scope")
    list_filter = ("type", "scope")
    search_fields = ("subject", "by", "type")
    ordering = ("-seq",)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        role = getattr(request.user, "role", "")
        return bool(request.user.is_active and role in (User.Role.ADMIN, User.Role.MANAGER))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
