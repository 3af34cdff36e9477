"""The weights that a replay can try, as numbers to type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from dispatch.matching import rules

LEVELS = (1, 2, 3, 4)
TABLES = {"target_minutes": gettext_lazy("到场目标（分钟）"), "urgency": gettext_lazy("急迫系数")}
SINGLE = {
    "fix": (gettext_lazy("修不好"), gettext_lazy("每 100 % 风险的分")),
    "rework": (gettext_lazy("返修倍数"), gettext_lazy("返修单的修不好风险乘以它")),
    "touch": (gettext_lazy("路程与用时"), gettext_lazy("每分钟的分")),
    "load": (gettext_lazy("负载"), gettext_lazy("今天比大家多忙每小时的分")),
    "fail_again": (gettext_lazy("上次没修好"), gettext_lazy("再派同一人加的分")),
    "continuity": (gettext_lazy("修过这台"), gettext_lazy("再派同一人减的分")),
}
DAYS = (7, 30, 90)


def _spans() -> list[tuple[int, str]]:
    return [(days, _("最近 %(n)d 天") % {"n": days}) for days in DAYS]


class WhatIfForm(forms.Form):
    """One field a number; `values` of the stored version keep whatever is not asked here."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("重算多久"),
        coerce=int,
        initial=30,
        choices=_spans,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, data: Any, *, stored: Mapping[str, Any], weights: rules.Weights) -> None:
        super().__init__(data)
        self.stored = stored
        for name, label in TABLES.items():
            for level in LEVELS:
                self._number(f"{name}_{level}", f"P{level} {label}", getattr(weights, name)[level])
        for name, (label, _help) in SINGLE.items():
            self._number(name, str(label), getattr(weights, name))

    def _number(self, name: str, label: str, value: float) -> None:
        widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "min": "0", "aria-label": label})
        shown = int(value) if float(value).is_integer() else value  # 15, not 15.0
        self.fields[name] = forms.FloatField(label=label, initial=shown, min_value=0, widget=widget)

    def by_priority(self) -> list[tuple[int, list[forms.BoundField]]]:
        return [(level, [self[f"{name}_{level}"] for name in TABLES]) for level in LEVELS]

    def singles(self) -> list[tuple[forms.BoundField, Any]]:
        return [(self[name], hint) for name, (_label, hint) in SINGLE.items()]

    def moved(self) -> list[tuple[str, str, str]]:
        """What is no longer as the version says: name, then, now."""
        typed = [self[name] for name in self.changed_data if name != "days"]
        return [(str(one.label), f"{one.initial:g}", f"{self.cleaned_data[one.name]:g}") for one in typed]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for level in LEVELS:
            if given.get(f"target_minutes_{level}") == 0:
                self.add_error(f"target_minutes_{level}", _("要大于 0"))
        if self.errors:
            return given
        try:
            rules.settings_from(self.values(given))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValidationError(_("这一项不能用：%(name)s") % {"name": error}) from error
        return given

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """As a version stores them: what was typed over what the version says."""
        tables = {name: {str(level): given[f"{name}_{level}"] for level in LEVELS} for name in TABLES}
        return {**self.stored, **tables, **{name: given[name] for name in SINGLE}}
