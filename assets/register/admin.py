"""The register in the admin: searchable, with history, import and export; status moves by actions that call services."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display

from assets.register import services
from assets.register.forms import DeviceGroupForm, FaultPresetForm
from assets.register.models import Device, DeviceGroup, DeviceStatus, DeviceType, FaultPreset, Qualification, Skill
from assets.register.services.status import lock
from assets.register.views import STATUS_DIALOG, StatusForm, ask_for_all, change_status, register_import
from config.kernel.admin import HouseAdmin, MasterAdmin, only_as_dialog
from config.kernel.errors import DomainError

TOLD = 10  # devices by number in one message
# Every status has a badge in words; most need no colour.
STATUS_TONES = dict.fromkeys(DeviceStatus.values, "info") | {
    DeviceStatus.READY.value: "success",
    DeviceStatus.IN_USE.value: "success",
    DeviceStatus.STANDBY.value: "success",
    DeviceStatus.FAULT.value: "danger",
    DeviceStatus.QUARANTINED.value: "danger",
    DeviceStatus.IN_REPAIR.value: "warning",
    DeviceStatus.PENDING_VERIFICATION.value: "warning",
    DeviceStatus.RESTRICTED.value: "warning",
}


@admin.register(Skill)
class SkillAdmin(HouseAdmin):
    list_display = ("code", "name", "name_en")
    search_fields = ("code", "name", "name_en")


@admin.register(Qualification)
class QualificationAdmin(HouseAdmin):
    list_display = ("code", "name", "name_en", "validity_months")
    search_fields = ("code", "name", "name_en")
    hints: ClassVar = {"validity_months": gettext_lazy("发证后几个月到期。不填就看每张证自己的日期。")}


@admin.register(DeviceGroup)
class DeviceGroupAdmin(MasterAdmin):
    form = DeviceGroupForm
    exclude = ("first_aid",)
    list_display = ("code", "name", "name_en", "icon")
    search_fields = ("code", "name", "name_en")
    hints: ClassVar = {"icon": gettext_lazy("图标名，见 lucide.dev，例如 cpu、heart-pulse。")}


@admin.register(FaultPreset)
class FaultPresetAdmin(MasterAdmin):
    list_display = ("code", "group", "called", "default_impact", "minutes", "order", "active")
    list_filter = ("group", "default_impact", "active")
    list_select_related = ("group",)
    form = FaultPresetForm
    search_fields = ("code", "name", "name_en")
    autocomplete_fields = ("group", "skill")
    hints: ClassVar = {
        "name": gettext_lazy("扫码页上的一格，八个字以内。可以换一次行。"),
        "order": gettext_lazy("扫码页上的先后，小的在前。"),
        "category": gettext_lazy("同类故障一起统计，预测也按它学，例如 power、alarm。"),
        "default_impact": gettext_lazy("护士没有选“在用”时按它定级。"),
        "hint": gettext_lazy("护士选了这一格后看到的一句自查，例如“看一眼电源线”。"),
        "minutes": gettext_lazy("还没有历史时，派单按这个时间估。"),
        "active": gettext_lazy("不勾就不再出现在扫码页。"),
    }

    @display(description=gettext_lazy("故障项"), ordering="name")
    def called(self, preset: FaultPreset) -> str:
        return preset.flat_label


@admin.register(DeviceType)
class DeviceTypeAdmin(MasterAdmin):
    list_display = ("name", "name_en", "group", "criticality", "life_support", "required_skill", "product_code")
    list_filter = ("criticality", "life_support", "high_risk", "group")
    list_select_related = ("group", "required_skill")
    search_fields = ("name", "name_en", "product_code", "catalog_code")
    autocomplete_fields = ("group", "required_skill", "required_qualification")
    hints: ClassVar = {
        "criticality": gettext_lazy("新设备先按它；C1 最要紧。"),
        "required_skill": gettext_lazy("没有这项技能的工程师不会派到。"),
        "required_qualification": gettext_lazy("没有这张证或证已过期的工程师不会派到。"),
        "em_function": gettext_lazy("Fennigkoh-Smith 评分的功能一项。"),
        "product_code": gettext_lazy("三个字母，来自 FDA 产品分类。"),
    }


@admin.register(Device)
class DeviceAdmin(MasterAdmin):
    list_display = ("asset_no", "called", "department", "location", "grade", "status_sign", "warranty_ends_on")
    list_filter = ("status", "criticality", "type__group", "department")
    list_select_related = ("department", "location", "type")
    search_fields = ("asset_no", "name", "name_en", "model", "serial_no", "short_code", "udi_di")
    autocomplete_fields = ("type", "department", "location")
    readonly_fields = ("public_id", "short_code", "qr_version", "status", "status_reason", "status_since")
    hints: ClassVar = {
        "asset_no": gettext_lazy("医院自己的编号，不能重复。"),
        "criticality": gettext_lazy("和影响一起决定优先级。C1 最要紧。"),
        "backup_group": gettext_lazy("同组设备可以互相顶替，报修后给病区看最近的待用机。"),
        "min_ready": gettext_lazy("这一组至少要有几台待用，少了就提醒。"),
        "udi_di": gettext_lazy("标签上 (01) 后面的数字。扫码能认出来。"),
        "self_test_at": gettext_lazy("最近一次自检合格的时间，例如除颤仪每日自检。"),
    }
    date_hierarchy = None
    actions_list = ("import_register",)
    actions_detail = ("change_status",)
    actions = ("labels_a4", "labels_single", "export_csv", "export_xlsx", "stop", "renew_qr")
    fieldsets = (
        (gettext_lazy("标识"), {"fields": ("asset_no", "name", "name_en", "type", "model", "spec", "serial_no", "lot_no",
                                          "sw_version", "public_id", "short_code", "qr_version")}),
        (gettext_lazy("状态"), {"fields": ("status", "status_reason", "status_since", "self_test_at")}),
        (gettext_lazy("位置"), {"fields": ("department", "location")}),
        (gettext_lazy("风险"), {"fields": ("criticality", "backup_group", "min_ready")}),
        (gettext_lazy("厂家与编码"), {"fields": ("manufacturer", "registrant", "agent", "udi_agency", "udi_di", "udi_pi",
                                              "reg_cert_no", "reg_cert_expires_on", "class_cn", "finance_code")}),
        (gettext_lazy("购置与保修"), {"fields": ("price", "purchased_on", "accepted_on", "life_years", "warranty_ends_on",
                                              "contract_no", "coverage", "vendor_contact", "retain_until")}),
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Device, form: Any, change: bool) -> None:
        """What was typed, on the row as it is now: since it was read its code may have been revoked, its status moved."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        current = lock(obj)
        for name in form.changed_data:
            setattr(current, name, getattr(obj, name))
        super().save_model(request, current, form, change)

    @display(description=gettext_lazy("设备名称"), ordering="name")
    def called(self, device: Device) -> str:
        return device.label

    @display(description=gettext_lazy("关键等级"), ordering="criticality")
    def grade(self, device: Device) -> str:
        return device.criticality

    @display(description=gettext_lazy("状态"), ordering="status", label=STATUS_TONES)
    def status_sign(self, device: Device) -> tuple[str, str]:
        return str(device.status), str(device.get_status_display())

    @action(description=gettext_lazy("导入台账"), permissions=["add", "change"], url_path="import", icon="upload_file")
    def import_register(self, request: HttpRequest) -> HttpResponse:
        return register_import(self, request)

    @only_as_dialog
    @action(description=gettext_lazy("改状态"), permissions=["change"], url_path="status", dialog=STATUS_DIALOG)
    def change_status(self, request: HttpRequest, form: StatusForm, object_id: str) -> HttpResponse:
        return change_status(request, form, get_object_or_404(Device, pk=object_id))

    @action(description=gettext_lazy("打印标签：A4 每页 24 张"), permissions=["view"])
    def labels_a4(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse:
        return self._labels(devices, "a4_3x8")

    @action(description=gettext_lazy("打印标签：单张 50×30 mm"), permissions=["view"])
    def labels_single(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse:
        return self._labels(devices, "single_50x30")

    def _labels(self, devices: QuerySet[Device], layout: str) -> HttpResponse:
        return _download(services.label_pdf(devices, layout=layout), "application/pdf", "labels.pdf")

    @action(description=gettext_lazy("导出 CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse:
        return _download(services.export_register(devices, "csv"), "text/csv; charset=utf-8", "register.csv")

    @action(description=gettext_lazy("导出 XLSX"), permissions=["view"])
    def export_xlsx(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return _download(services.export_register(devices, "xlsx"), kind, "register.xlsx")

    @action(description=gettext_lazy("停用"), permissions=["change"])
    def stop(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse | None:
        if not request.POST.get("sure"):
            lead = _("病区扫码马上看到“停用”，不能再用于患者。恢复要先检测。")
            return ask_for_all(self, request, devices, "stop", title=_("停用这些设备？"), lead=lead)
        done = self._each(
            request,
            devices,
            lambda d: services.put_out_of_use(d, reason=_("后台停用"), by=request.user, at=timezone.now()),
        )
        words = ngettext("已停用 %(n)d 台：%(list)s。", "已停用 %(n)d 台：%(list)s。", len(done))
        self._told(request, words, done)
        return None

    @action(description=gettext_lazy("作废旧二维码"), permissions=["change"])
    def renew_qr(self, request: HttpRequest, devices: QuerySet[Device]) -> HttpResponse | None:
        if not request.POST.get("sure"):
            lead = _("贴着的标签马上失效，扫了只会看到“换新标签”。接着打印新标签贴上。")
            return ask_for_all(self, request, devices, "renew_qr", title=_("作废这些设备的二维码？"), lead=lead)
        done = self._each(request, devices, lambda d: services.rotate_qr(d, by=request.user, at=timezone.now()))
        words = ngettext("已作废 %(n)d 台的旧码：%(list)s。", "已作废 %(n)d 台的旧码：%(list)s。", len(done))
        self._told(request, words, done)
        return None

    def _each(self, request: HttpRequest, devices: QuerySet[Device], step: Any) -> list[Device]:
        """Every row on its own, with the refusals in words. Those that were done."""
        done = []
        for device in devices.select_related("department"):
            try:
                step(device)
                done.append(device)
            except DomainError as refusal:
                messages.error(request, f"{device.asset_no}: {refusal}")
        return done

    def _told(self, request: HttpRequest, words: str, done: list[Device]) -> None:
        if done:
            named = _("、").join(device.asset_no for device in done[:TOLD])
            messages.success(request, words % {"n": len(done), "list": named + ("…" if len(done) > TOLD else "")})


def _download(content: bytes, kind: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
