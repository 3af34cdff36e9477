"""Engineers with skills and cards in the admin."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from config.kernel.admin import HouseAdmin, HouseFields, MasterAdmin, ReadOnlyAdmin
from dispatch.engineers.models import Engineer, EngineerQualification, EngineerSkill, TrackRecord


class Skills(TabularInline):
    model = EngineerSkill
    extra = 0
    autocomplete_fields = ("skill",)


class Cards(HouseFields, TabularInline):
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
    hints: ClassVar = {
        "user": _("角色是工程师的账号。"),
        "base": _("没有扫过码时，从这里算路程。"),
        "max_open": _("手上到了这么多单就不再派普通单；P1 不受限。"),
        "is_lead": _("无人可派、超时升级时告诉组长。"),
        "active": _("不勾就不再派新单，已有的单不动。"),
    }
    inlines = (Skills, Cards)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Their repairs are history: who leaves is taken out of dispatch instead."""
        return False


@admin.register(EngineerQualification)
class CardAdmin(HouseAdmin):
    list_display = ("engineer", "qualification", "card_no", "valid_until")
    list_filter = ("qualification",)
    list_select_related = ("engineer__user", "qualification")
    search_fields = ("engineer__user__display_name", "card_no")
    autocomplete_fields = ("engineer", "qualification")
    date_hierarchy = "valid_until"
    hints: ClassVar = {"valid_until": _("当天还有效。过期第二天起，要这张证的单不再派给他。")}


@admin.register(TrackRecord)
class TrackRecordAdmin(ReadOnlyAdmin):
    list_display = ("engineer", "category", "attempts", "first_fixes")
    list_filter = ("category",)
    list_select_related = ("engineer__user",)
    search_fields = ("engineer__user__display_name", "category")
