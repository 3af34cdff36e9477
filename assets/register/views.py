"""Pages of the register inside the admin: import of a table with its preview, and the dialog that moves a status."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from assets.register import queries, services
from assets.register.adapters.tables import MAX_BYTES
from assets.register.models import Device
from config.kernel.errors import DomainError

SHOWN = 200


class TableForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("表格文件"),
        help_text=gettext_lazy("CSV 或 XLSX，最多 10 MB、20000 行。"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx"}),
    )


class StatusForm(BaseDialogForm):
    """The ways that are open now, and why one is taken."""

    to = forms.ChoiceField(label=gettext_lazy("新状态"), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=200, widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        device = Device.objects.get(pk=self.object_id)
        self.fields["to"].choices = [(status.value, status.label) for status in queries.next_statuses(device)]


STATUS_DIALOG = {
    "title": gettext_lazy("改状态"),
    "description": gettext_lazy("扫码页马上显示新状态。维修由工单开始，停用过的设备先待检。"),
    "form_class": StatusForm,
    "form_submit_text": gettext_lazy("改状态"),
}


def ask_for_all(
    page: ModelAdmin[Device], request: HttpRequest, devices: QuerySet[Device], action: str, *, title: str, lead: str
) -> HttpResponse:
    """The question before a step for many devices; yes sends the same choice again with `sure`."""
    context = {
        "title": title,
        "lead": lead,
        "opts": page.opts,
        "action": action,
        "everything": request.POST.get("select_across") == "1",
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "shown": devices.select_related("department")[:SHOWN],
        "n": devices.count(),
    }
    return TemplateResponse(request, "assets/register/sure.html", context | page.admin_site.each_context(request))


def change_status(request: HttpRequest, form: StatusForm, device: Device) -> HttpResponse:
    """Back to the device's page, with the new status or the refusal in words."""
    try:
        services.change_status(device, **_chosen(form), by=request.user, at=timezone.now())
        messages.success(request, _("状态已改。"))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    return HttpResponse(headers={"HX-Redirect": reverse("admin:assets_device_change", args=[device.pk])})


def _chosen(form: StatusForm) -> dict[str, str]:
    return {name: form.cleaned_data[name] for name in ("to", "reason")}


def register_import(page: ModelAdmin[Device], request: HttpRequest) -> HttpResponse:
    """One address: GET shows the form or a staged preview, POST stages a file or writes a staged one."""
    if "empty" in request.GET:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        answer = HttpResponse(services.export_register(Device.objects.none(), "xlsx"), content_type=kind)
        answer["Content-Disposition"] = 'attachment; filename="register.xlsx"'
        return answer
    form = TableForm(request.POST or None, request.FILES or None) if "token" not in request.POST else TableForm()
    context: dict[str, Any] = {"form": form, "shown": SHOWN}
    try:
        if request.method == "POST" and "token" in request.POST:
            return _write(request)
        if request.method == "POST" and form.is_valid():
            return _stage(request, form)
        if token := request.GET.get("token"):
            context |= {"token": token, **_preview(token, request)}
    except DomainError as refusal:
        messages.error(request, str(refusal))
    context |= page.admin_site.each_context(request) | {"opts": page.opts, "title": _("导入台账")}
    return TemplateResponse(request, "assets/register/import.html", context)


def _stage(request: HttpRequest, form: TableForm) -> HttpResponse:
    file = form.cleaned_data["file"]
    token = services.stage_import(file.name, file.read(MAX_BYTES + 1), by=request.user, at=timezone.now())
    return HttpResponseRedirect(f"{request.path}?token={token}")


def _write(request: HttpRequest) -> HttpResponse:
    done = services.apply_staged(request.POST["token"], by=request.user, at=timezone.now())
    messages.success(
        request, _("新增 %(new)s 台，修改 %(changed)s 台。") % {"new": done.created, "changed": done.updated}
    )
    return HttpResponseRedirect(reverse("admin:assets_device_changelist"))


def _preview(token: str, request: HttpRequest) -> dict[str, Any]:
    preview = services.preview_staged(token, by=request.user)
    lines = sorted(preview.lines, key=lambda line: ("wrong", "changed", "new", "same").index(line.change))
    words = {"wrong": _("要改"), "changed": _("修改"), "new": _("新增"), "same": _("不变")}
    titles = {field.name: str(field.verbose_name) for field in Device._meta.fields}
    rows = [
        [line.number, words[line.change], line.asset_no, line.name,
         " ".join(line.errors) or "、".join(titles[name] for name in line.fields if line.change == "changed")]
        for line in lines[:SHOWN]
    ]  # fmt: skip
    count = preview.created + preview.updated
    return {
        "preview": preview,
        "table": {"headers": [_("行"), _("结果"), _("资产编号"), _("设备名称"), _("说明")], "rows": rows},
        "summary": [(words[change], len(preview.having(change))) for change in ("new", "changed", "same", "wrong")],
        "hidden_rows": max(0, len(lines) - SHOWN),
        "verb": ngettext("写入 %(n)s 台", "写入 %(n)s 台", count) % {"n": count}
        if count and not preview.errors
        else "",
    }
