"""What the admin asks about faults and families, in fields instead of stored text."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from assets.register.models import Danger, DeviceGroup, FaultPreset

LANGUAGES: Final = ("zh", "en")
LINES_OF_A_TILE = 2
MOST_STEPS = 6  # what somebody reads beside a bed


class FaultPresetForm(forms.ModelForm[FaultPreset]):
    """The two names are tiles of two lines: a field of one line would take their break away."""

    default_danger = forms.MultipleChoiceField(
        label=gettext_lazy("默认危险标志"),
        choices=Danger.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=gettext_lazy("勾了任何一项，报这个故障的设备马上停用。"),
    )

    class Meta:
        widgets: ClassVar = {name: UnfoldAdminTextareaWidget(attrs={"rows": 2}) for name in ("name", "name_en")}

    def clean_name(self) -> str:
        return _tile(self.cleaned_data["name"])

    def clean_name_en(self) -> str:
        return _tile(self.cleaned_data["name_en"])


def _tile(text: str) -> str:
    lines = _lines(text)
    if len(lines) > LINES_OF_A_TILE:
        raise forms.ValidationError(_("最多两行。"))
    return "\n".join(lines)


def _title(language: Any) -> forms.CharField:
    return forms.CharField(label=language, max_length=40, required=False, widget=UnfoldAdminTextInputWidget)


def _steps(language: Any) -> forms.CharField:
    return forms.CharField(
        label=language,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": MOST_STEPS}),
        help_text=gettext_lazy("一行一步，最多六步。报修后护士马上看到。"),
    )


class DeviceGroupForm(forms.ModelForm[DeviceGroup]):
    """The first-aid card as a title and one step a line, in both languages."""

    aid_title_zh = _title(gettext_lazy("急救卡标题"))
    aid_steps_zh = _steps(gettext_lazy("急救卡步骤"))
    aid_title_en = _title(gettext_lazy("急救卡标题（英文）"))
    aid_steps_en = _steps(gettext_lazy("急救卡步骤（英文）"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code in LANGUAGES:
            card = self.instance.first_aid.get(code) or {}
            self.fields[f"aid_title_{code}"].initial = card.get("title", "")
            self.fields[f"aid_steps_{code}"].initial = "\n".join(card.get("steps", ()))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for code in LANGUAGES:
            steps = _lines(given.get(f"aid_steps_{code}", ""))
            if len(steps) > MOST_STEPS:
                self.add_error(f"aid_steps_{code}", _("最多 %(n)d 步。") % {"n": MOST_STEPS})
            if steps and not given.get(f"aid_title_{code}"):
                self.add_error(f"aid_title_{code}", _("写一个标题。"))
        return given

    def save(self, commit: bool = True) -> DeviceGroup:
        given = self.cleaned_data
        self.instance.first_aid = {
            code: {"title": given[f"aid_title_{code}"], "steps": _lines(given[f"aid_steps_{code}"])}
            for code in LANGUAGES
            if given[f"aid_title_{code}"]
        }
        return super().save(commit)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
