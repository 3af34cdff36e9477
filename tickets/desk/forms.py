"""What the desk types into a ticket's dialogs. Services judge; these keep the entries and place the errors."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from assets.places.models import User
from assets.register.models import Device, FaultPreset
from tickets.record.models import Danger, Ticket

OVERTAKEN = "overtaken"  # code of the error of a dialog that somebody else made out of date
MOST_OF_EXTENSION = 13  # the column's width
PRIORITIES = [(1, _("P1 危及患者")), (2, _("P2 诊疗中断")), (3, _("P3 有替代")), (4, _("P4 不影响"))]


class _Dialog(forms.Form):
    """Carries the version that the person saw, so that a stale click is refused and said so."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        self.ticket = ticket
        kwargs.setdefault("initial", {})["version"] = ticket.version
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "inp")


class Reason(_Dialog):
    reason = forms.CharField(label=_("原因"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class Assign(_Dialog):
    to = forms.ModelChoiceField(
        label=_("派给"),
        queryset=User.objects.filter(role=User.Role.ENGINEER, is_active=True).order_by("username"),
        to_field_name="username",
    )
    reason = forms.CharField(label=_("改派原因"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.ticket.assignee_id:
            self.fields["reason"].required = True
        else:
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        """Somebody took it while the dialog was open, which then had no reason to ask for: that is told, not its absence."""
        given = super().clean() or {}
        asked = "reason" not in self.fields or "reason" in self.data
        if not asked and given.get("version", self.ticket.version) != self.ticket.version:
            self.errors.pop("reason", None)
            raise forms.ValidationError(
                _("%(name)s刚接手了这张单，现在是“%(state)s”，你的派单没有生效。要换人，写明改派原因。"),
                code=OVERTAKEN,
                params={"name": self.ticket.assignee.short_name, "state": self.ticket.get_state_display()},  # type: ignore[union-attr]
            )
        return given


class Reprioritise(_Dialog):
    priority = forms.TypedChoiceField(label=_("优先级"), choices=PRIORITIES, coerce=int)
    reason = forms.CharField(label=_("原因"), max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("priority", self.ticket.priority)


class Triage(_Dialog):
    preset = forms.ModelChoiceField(label=_("故障现象"), queryset=FaultPreset.objects.none(), required=False)
    impact = forms.ChoiceField(label=_("影响"), choices=FaultPreset.Impact.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        device, field = self.ticket.device, self.fields["preset"]
        assert isinstance(field, forms.ModelChoiceField)
        if device:
            field.queryset = FaultPreset.objects.filter(group_id=device.type.group_id, active=True)
        self.initial.setdefault("preset", self.ticket.preset_id)
        self.initial.setdefault("impact", self.ticket.impact)


class Confirm(_Dialog):
    name = forms.CharField(label=_("验收人"), max_length=40, help_text=_("病区谁说好了。"))
    role = forms.CharField(label=_("职务"), max_length=40, required=False)


class Note(forms.Form):
    text = forms.CharField(max_length=500, required=False)
    public = forms.BooleanField(required=False)


def device_has(word: str) -> Q:
    """One word somebody says about a device: its name, model, number, ward or place."""
    columns = (
        "name",
        "name_en",
        "model",
        "asset_no",
        "serial_no",
        "department__name",
        "department__name_en",
        "location__path_zh",
    )
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__icontains": word})
    return found


class ByPhone(forms.Form):
    """What the caller says, in the ward page's own words."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    in_use = forms.TypedChoiceField(
        label=_("正在用于患者"),
        choices=[("yes", _("在用")), ("no", _("没在用"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    preset = forms.ModelChoiceField(
        label=_("哪里坏了"), queryset=FaultPreset.objects.none(), required=False, widget=forms.RadioSelect, blank=True
    )
    danger = forms.MultipleChoiceField(
        label=_("危险情况"), choices=Danger.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    description = forms.CharField(
        label=_("补充说明"),
        max_length=500,
        required=False,
        help_text=_("勿写患者信息。"),
        widget=forms.Textarea(attrs={"class": "inp", "rows": 3}),
    )
    contact_ext = forms.CharField(
        label=_("回电分机"),
        required=False,
        validators=[
            RegexValidator(r"^[0-9 +#*-]*[0-9][0-9 +#*-]*$", _("写数字，例如 8120。只收数字、空格和 + - # *。")),
            MaxLengthValidator(MOST_OF_EXTENSION, _("分机最多 %(limit_value)d 位，现在有 %(show_value)d 位。")),
        ],
        # No `maxlength`: a browser that cuts a number in silence has somebody call the wrong one.
        widget=forms.TextInput(attrs={"class": "inp", "inputmode": "tel", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["preset"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = FaultPreset.objects.filter(group_id=device.type.group_id, active=True)
        field.empty_label = None
        # A ward's page never opens without a tile to press; here a kind of device may have none.
        field.required = field.queryset.exists()
        field.error_messages |= dict.fromkeys(("required", "invalid_choice"), _("还没选哪里坏了。点一项，或点“其他”"))
        field.label_from_instance = lambda preset: preset.flat_label  # type: ignore[method-assign,assignment]  # per form
