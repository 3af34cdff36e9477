"""The report form: three taps, nothing typed. Every refusal is a sentence, every entry is kept."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.register.models import Device, FaultPreset
from config.kernel.moments import is_sane
from tickets.record.models import Danger


class ReportForm(forms.Form):
    in_use = forms.ChoiceField(
        choices=[("yes", gettext_lazy("正在使用")), ("no", gettext_lazy("没有使用"))],
        error_messages={
            "required": gettext_lazy("还没选是否正在给患者使用"),
            "invalid_choice": gettext_lazy("还没选是否正在给患者使用"),
        },
    )
    symptom = forms.CharField(
        max_length=40, error_messages={"required": gettext_lazy("还没选哪里坏了。点一项，或点“其他”")}
    )
    danger = forms.MultipleChoiceField(choices=Danger.choices, required=False)
    description = forms.CharField(max_length=500, required=False, strip=True)
    client_id = forms.UUIDField(required=False)
    separate = forms.BooleanField(required=False)
    same = forms.BooleanField(required=False)
    client_at = forms.CharField(max_length=40, required=False)

    def __init__(self, *args: Any, device: Device, joinable: bool = False, **kwargs: Any) -> None:
        """`joinable`: this device has an open ticket, so "same fault" needs no more words."""
        super().__init__(*args, **kwargs)
        self.device = device
        if joinable and self.data.get("same"):
            self.fields["in_use"].required = self.fields["symptom"].required = False

    def clean_symptom(self) -> FaultPreset | None:
        code = self.cleaned_data["symptom"]
        if not code and not self.fields["symptom"].required:
            return None
        preset = FaultPreset.objects.filter(group_id=self.device.type.group_id, code=code, active=True).first()
        if preset is None:
            raise forms.ValidationError(_("还没选哪里坏了。点一项，或点“其他”"))
        return preset

    def clean_client_id(self) -> uuid.UUID:
        return self.cleaned_data.get("client_id") or uuid.uuid4()

    def clean_client_at(self) -> datetime | None:
        """When the phone says that it was pressed: shown beside the receipt, never used by a clock. Nonsense is dropped."""
        try:
            moment = parse_datetime(self.cleaned_data["client_at"])
        except ValueError:
            return None
        return moment if moment and is_aware(moment) and is_sane(moment) else None
