"""What people were told, to look up."""

from __future__ import annotations

from django.contrib import admin

from config.kernel.admin import ReadOnlyAdmin
from integrations.notifications.models import Delivery, Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("user", "template", "level", "at", "read_at")
    list_filter = ("level", "template")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__display_name", "subject")
    exclude = ("dedup",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("notification", "channel", "state", "attempts", "last_error", "at")
    list_filter = ("channel", "state")
    list_select_related = ("notification",)
    search_fields = ("notification__user__username",)
