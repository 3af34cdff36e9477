"""Places, departments and accounts in the admin."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from assets.places import services
from assets.places.models import Department, Location, Person, User
from config.kernel.admin import HouseAdmin, MasterAdmin, ReadOnlyAdmin


@admin.register(Location)
class LocationAdmin(HouseAdmin):
    list_display = ("code", "path_zh", "kind", "floor", "building_code")
    list_filter = ("kind", "floor")
    search_fields = ("code", "name", "name_en", "path_zh", "path_en")
    autocomplete_fields = ("parent",)
    readonly_fields = ("building_code", "path_zh", "path_en")
    hints: ClassVar = {
        "parent": _("房间属于楼层，楼层属于楼。完整位置自己拼出来。"),
        "x": _("从院区西南角算起的米数，用来估路程。"),
        "y": _("从院区西南角算起的米数，用来估路程。"),
        "floor": _("地下写负数。"),
    }

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        services.settle(obj)


@admin.register(Department)
class DepartmentAdmin(MasterAdmin):
    list_display = ("code", "name", "name_en", "extension", "location", "is_clinical")
    list_filter = ("is_clinical",)
    list_select_related = ("location",)
    search_fields = ("code", "name", "name_en", "extension")
    autocomplete_fields = ("location",)
    hints: ClassVar = {
        "extension": _("扫码报修时默认填的回拨电话。"),
        "is_clinical": _("临床科室的报修由病区验收。"),
    }


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """Random ids of the log; names are encrypted at rest and shown one at a time."""

    list_display = ("public_id", "kind", "department", "created_at", "erased_at")
    list_before_template = "assets/places/_people_are_sealed.html"
    list_filter = ("kind",)
    list_select_related = ("department",)
    search_fields = ("public_id",)
    exclude = ("phone",)


@admin.register(User)
class AccountAdmin(UserAdmin, HouseAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "display_name", "role", "department", "is_active", "last_login")
    hints: ClassVar = {
        "role": _("角色决定看得到、做得了什么。护士只看本科室。"),
        "department": _("护士必填：看本科室的设备和工单。"),
        "is_staff": _("能打开后台。"),
        "is_active": _("离职就去掉勾，不要删除：旧记录还要显示名字。"),
    }
    list_filter = ("role", "is_active", "department")
    list_select_related = ("department",)
    search_fields = ("username", "display_name", "display_name_en")
    ordering = ("username",)
    filter_horizontal = ()
    autocomplete_fields = ("department",)
    readonly_fields = ("last_login", "date_joined", "person")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("人"), {"fields": ("display_name", "display_name_en", "department", "extension", "email", "person")}),
        (_("权限"), {"fields": ("role", "is_active", "is_staff")}),
        (_("登录"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "display_name", "role", "department", "password1", "password2")}),)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A new account gets its person row; desk roles may open the admin."""
        if not change:
            obj.person = Person.objects.create(name=obj.display_name or obj.username, department=obj.department)
            obj.is_staff = obj.role in (User.Role.DISPATCHER, User.Role.MANAGER, User.Role.ADMIN)
        super().save_model(request, obj, form, change)
