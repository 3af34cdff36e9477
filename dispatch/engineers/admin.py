"""Engineers with skills and cards in the admin."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import TabularInline

from config.kernel.admin import HouseAdmin, MasterAdmin, ReadOnlyAdmin
from dispatch.engineers.models import Engineer, EngineerQualification, EngineerSkill, TrackRecord


class Skills(TabularInline):
    model = EngineerSkill
    extra = 0
    autocomplete_fields = ("skill",)


class Cards(TabularInline):
    model = EngineerQualification
    extra = 0
    autocomplete_fields = ("qualification",)


@admin.register(Engineer)
class EngineerAdmin(MasterAdmin):
    list_display = ("user", "base", "max_open", "is_lead", "active")
    list_filter = ("active", "is_lead")
    list_select_related = ("user", "base")
    search_fields = ("user__username", "user__display_name", "user__display_name_en")
    autocomplete_fields = ("user", "base")
    readonly_fields = ("last_seen",)
    inlines = (Skills, Cards)


@admin.register(EngineerQualification)
class CardAdmin(HouseAdmin):
    list_display = ("engineer", "qualification", "card_no", "valid_until")
    list_filter = ("qualification",)
    list_select_related = ("engineer__user", "qualification")
    search_fields = ("engineer__user__display_name", "card_no")
    autocomplete_fields = ("engineer", "qualification")
    date_hierarchy = "valid_until"


@admin.register(TrackRecord)
class TrackRecordAdmin(ReadOnlyAdmin):
    list_display = ("engineer", "category", "attempts", "first_fixes")
    list_filter = ("category",)
    list_select_related = ("engineer__user",)
    search_fields = ("engineer__user__display_name", "category")
