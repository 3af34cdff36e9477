"""API tokens to look at: the clear text exists nowhere."""

from __future__ import annotations

from django.contrib import admin

from config.kernel.admin import ReadOnlyAdmin
from integrations.identity.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "user", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("prefix", "user__username")
    exclude = ("digest",)
