"""What an engineer's posts carry, checked before a service sees it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.moments import OUTSIDE, is_sane
from tickets.field import queries, rules
from tickets.lifecycle.services import FinishSheet
from tickets.record.models import Action, Attachment, Cause, HoldReason, Release, Ticket
from tickets.record.queries import name_of_test


class PauseForm(forms.Form):
    reason = forms.ModelChoiceField(
        HoldReason.objects.filter(active=True),
        to_field_name="code",
        empty_label=None,
        error_messages={"required": gettext_lazy("选暂停原因。"), "invalid_choice": gettext_lazy("选暂停原因。")},
    )
    until = forms.CharField(required=False)
    note = forms.CharField(max_length=200, required=False)

    def clean_until(self) -> datetime | None:
        text = self.cleaned_data["until"]
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise forms.ValidationError(_("时间写成 2026-11-23 09:00 这样。")) from error
        if not is_sane(moment):
            raise forms.ValidationError(OUTSIDE)
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


class FinishForm(forms.Form):
    cause = forms.ChoiceField(
        label=gettext_lazy("原因"), choices=Cause.choices, error_messages={"required": gettext_lazy("选一个原因。")}
    )
    action = forms.ChoiceField(
        label=gettext_lazy("处理"),
        choices=Action.choices,
        error_messages={"required": gettext_lazy("选一种处理方式。")},
    )
    release = forms.ChoiceField(
        choices=Release.choices, error_messages={"required": gettext_lazy("选这台设备现在可用、限用还是停用。")}
    )
    release_note = forms.CharField(label=gettext_lazy("限用或停用说明"), max_length=200, required=False)
    diagnosis = forms.CharField(label=gettext_lazy("诊断"), max_length=500, required=False)
    part_name = forms.CharField(label=gettext_lazy("配件名称"), max_length=80, required=False)
    part_quantity = forms.IntegerField(label=gettext_lazy("配件数量"), min_value=1, max_value=999, required=False)
    part_serial = forms.CharField(label=gettext_lazy("配件序列号"), max_length=60, required=False)
    old_part_kept = forms.BooleanField(required=False)
    function_ok = forms.BooleanField(required=False)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.safety = queries.tests_of(ticket)
        for row in self.safety:
            self.fields[f"test_{row['test'].code}"] = forms.FloatField(
                label=row["name"], min_value=0, max_value=1_000_000, required=False,
                error_messages={"invalid": gettext_lazy("填一个数字。")},
            )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        said = given.get("part_serial") or given.get("old_part_kept") or (given.get("part_quantity") or 1) > 1
        if said and not given.get("part_name") and "part_name" not in self.errors:
            self.add_error("part_name", _("写配件名称，或清空数量、序列号和旧件。"))
        return given

    def sentence(self) -> str:
        """What is wrong and where; what was not filled in says itself what to choose."""
        chosen = {"cause", "action", "release"}
        told = [
            str(error)
            if name in chosen
            else _("%(field)s：%(error)s") % {"field": self.fields[name].label, "error": error}
            for name, errors in self.errors.items()
            for error in errors
        ]
        return " ".join(told)

    def sheet(self, files: Sequence[Attachment] = ()) -> FinishSheet:
        given = self.cleaned_data
        tests = [
            rules.judge(row["test"], given[f"test_{row['test'].code}"], row["name"])
            for row in self.safety
            if given.get(f"test_{row['test'].code}") is not None
        ]
        if given["function_ok"]:
            tests.append(
                {
                    "code": "function",
                    "name": name_of_test("function"),
                    "value": 1,
                    "unit": "",
                    "limit": None,
                    "passed": True,
                }
            )
        part = given["part_name"]
        parts = [
            {
                "name": part,
                "quantity": given["part_quantity"] or 1,
                "serial_no": given["part_serial"],
                "old_part_kept": given["old_part_kept"],
            }
        ]
        return FinishSheet(
            cause=given["cause"],
            action=given["action"],
            release=given["release"],
            release_note=given["release_note"],
            diagnosis=given["diagnosis"],
            tests=tests,
            parts=parts if part else [],
            files=files,
        )
