"""The weights as numbers to type: those a replay can try, and all of a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget

from dispatch.matching import rules
from dispatch.matching.models import Weights

LEVELS: Final = (1, 2, 3, 4)


@dataclass(frozen=True)
class Number:
    """`path` leads through the stored values, e.g. `("manner", "retry")`; the field is its joined name."""

    path: tuple[str, ...]
    label: Any
    hint: Any = ""

    @property
    def name(self) -> str:
        return "_".join(self.path)

    def of(self, values: Mapping[str, Any]) -> float | None:
        """The stored number; None where the version keeps the default."""
        found: Any = values
        for step in self.path:
            if not isinstance(found, Mapping) or step not in found:
                return None
            found = found[step]
        return float(found)


def _by_priority(path: tuple[str, ...], label: Any, hint: Any = "") -> list[Number]:
    return [
        Number((*path, str(level)), format_lazy("P{} {}", level, label), hint if level == 1 else "") for level in LEVELS
    ]


WAITING: Final = (
    *_by_priority(
        ("target_minutes",), gettext_lazy("到场目标（分钟）"), gettext_lazy("过了这个时间，等待的分涨得更快。")
    ),
    *_by_priority(("urgency",), gettext_lazy("急迫系数"), gettext_lazy("等待的分乘以它。")),
)
CHOOSING: Final = (
    Number(("fix",), gettext_lazy("修不好"), gettext_lazy("每 100 % 风险的分")),
    Number(("rework",), gettext_lazy("返修倍数"), gettext_lazy("返修单的修不好风险乘以它")),
    Number(("touch",), gettext_lazy("路程与用时"), gettext_lazy("每分钟的分")),
    Number(("load",), gettext_lazy("负载"), gettext_lazy("今天比大家多忙每小时的分")),
    Number(("fail_again",), gettext_lazy("上次没修好"), gettext_lazy("再派同一人加的分")),
    Number(("continuity",), gettext_lazy("修过这台"), gettext_lazy("再派同一人减的分")),
)
GROUPS: Final[tuple[tuple[Any, tuple[Number, ...]], ...]] = (
    (gettext_lazy("等待：每分钟的分随报修后的时间变多"), WAITING),
    (gettext_lazy("人选：分数低的先派"), CHOOSING),
    (
        gettext_lazy("先等一等，还是现在派"),
        (
            Number(("defer",), gettext_lazy("等下一轮的分"), gettext_lazy("越大越不愿意让工单等下一轮。")),
            Number(("horizon_minutes",), gettext_lazy("往前看（分钟）"), gettext_lazy("等的代价按这么久以后算。")),
            *_by_priority(
                ("respond_minutes",),
                gettext_lazy("多久内要有人答应（分钟）"),
                gettext_lazy("等不到空闲的人就先问忙的人。"),
            ),
            Number(("call_in_minutes", "on_call"), gettext_lazy("院内听班赶到（分钟）")),
            Number(("call_in_minutes", "home"), gettext_lazy("在家听班赶到（分钟）")),
        ),
    ),
    (
        gettext_lazy("给人多久"),
        (
            *_by_priority(
                ("manner", "accept_within"), gettext_lazy("接单时限（分钟）"), gettext_lazy("过了就问下一个人。")
            ),
            *_by_priority(
                ("manner", "open_to_take"),
                gettext_lazy("抢单时间（分钟）"),
                gettext_lazy("抢单科室先让人抢，过了就派。"),
            ),
            Number(("manner", "no_answer"), gettext_lazy("没接单的人多久后再问（分钟）")),
            Number(("manner", "retry_p1"), gettext_lazy("P1 没人去，多久再看（分钟）")),
            Number(("manner", "retry"), gettext_lazy("其他没人去，多久再看（分钟）")),
            Number(("manner", "rest_hours"), gettext_lazy("夜班后休息（小时）")),
        ),
    ),
    (
        gettext_lazy("什么时候请人复核"),
        (
            Number(
                ("confident",), gettext_lazy("故障判断低于（0 到 1）"), gettext_lazy("判断把握比它小就请人看一眼。")
            ),
            Number(("best_least",), gettext_lazy("选对人的把握低于（0 到 1）")),
            Number(("regret_most",), gettext_lazy("而且选错会多付的分高于"), gettext_lazy("两项都中才请人看。")),
            Number(("breach_most",), gettext_lazy("超时可能高于（0 到 1）")),
        ),
    ),
    (
        gettext_lazy("路程（分钟）"),
        (
            Number(("travel", "same_floor"), gettext_lazy("同一层")),
            Number(("travel", "per_floor"), gettext_lazy("每上下一层")),
            Number(
                ("travel", "between_buildings"), gettext_lazy("楼与楼之间"), gettext_lazy("两道门，两头各等一次电梯。")
            ),
            Number(("travel", "per_100_metres"), gettext_lazy("每 100 米")),
            Number(("travel", "detour"), gettext_lazy("绕路倍数")),
            Number(("travel", "between_sites"), gettext_lazy("院区之间")),
            Number(("travel", "unknown"), gettext_lazy("不知道人在哪")),
        ),
    ),
    (
        gettext_lazy("估计与计算"),
        (
            Number(("accept_minutes",), gettext_lazy("接单要多久（分钟）")),
            Number(("travel_sigma",), gettext_lazy("路程的离散（对数）")),
            Number(("busy_sigma",), gettext_lazy("手上活的离散（对数）")),
            Number(("box_ms",), gettext_lazy("优化最多算多久（毫秒）"), gettext_lazy("超过就用更简单的办法，并说明。")),
        ),
    ),
)


def numbers() -> Iterator[Number]:
    for _title, group in GROUPS:
        yield from group


def defaults() -> dict[str, Any]:
    """What a version that says nothing means, in the shape of the stored values."""
    usual = rules.Settings()
    weights = _texted(asdict(usual.weights))
    return {**weights, "manner": _texted(asdict(usual.manner))}


def _texted(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _texted(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def typed(values: Mapping[str, Any]) -> dict[str, float]:
    """Field name -> number, with defaults where the version says nothing."""
    usual = defaults()
    found = {}
    for number in numbers():
        own = number.of(values)
        found[number.name] = number.of(usual) or 0.0 if own is None else own
    return found


def stored(given: Mapping[str, float]) -> dict[str, Any]:
    """The values of a version: only what is not as usual; a table by priority is kept whole."""
    usual, values = defaults(), dict[str, Any]()
    for number in numbers():
        *tables, last = number.path
        beside = [one for one in numbers() if tables and one.path[:-1] == number.path[:-1]] or [number]
        if all(one.of(usual) == given[one.name] for one in beside):
            continue
        into = values
        for table in tables:
            into = into.setdefault(table, {})
        into[last] = given[number.name]
    return values


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

    def __init__(self, data: Any, *, stored: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.known = typed(stored)
        for number in (*WAITING, *CHOOSING):
            self.fields[number.name] = _field(number, initial=self.known[number.name])

    def by_priority(self) -> list[tuple[int, list[forms.BoundField]]]:
        tables = ("target_minutes", "urgency")
        return [(level, [self[f"{name}_{level}"] for name in tables]) for level in LEVELS]

    def singles(self) -> list[tuple[forms.BoundField, Any]]:
        return [(self[number.name], number.hint) for number in CHOOSING]

    def moved(self) -> list[tuple[str, str, str]]:
        """What is no longer as the version says: name, then, now."""
        changed = [self[name] for name in self.changed_data if name != "days"]
        return [(str(one.label), f"{one.initial:g}", f"{self.cleaned_data[one.name]:g}") for one in changed]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        _no_target_of_zero(self, given)
        return given

    def all_numbers(self) -> dict[str, float]:
        """Those of the version with what was typed over them, by the names of `WeightsForm`."""
        return self.known | {name: value for name, value in self.cleaned_data.items() if name in self.known}


class _Numbers(forms.ModelForm[Weights]):
    """All numbers of a version; what is as usual is not stored, so that a better default reaches it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in typed(self.instance.values).items():
            self.initial[name] = _shown(value)

    def _get_validation_exclusions(self) -> set[str]:
        """That only one is in use is seen to on saving, not refused."""
        return super()._get_validation_exclusions() | {"active"}  # type: ignore[misc]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        _no_target_of_zero(self, given)
        if self.instance.active and not given.get("active"):
            self.add_error("active", _("总要有一个版本在用：启用另一个，这个就停用。"))
        if not self.errors:
            self.instance.values = stored({number.name: given[number.name] for number in numbers()})
        return given


def _field(number: Number, initial: float | None = None) -> forms.FloatField:
    widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "min": "0", "aria-label": number.label})
    shown = None if initial is None else _shown(initial)
    return forms.FloatField(label=number.label, initial=shown, min_value=0, widget=widget, help_text=number.hint)


def _shown(value: float) -> float | int:
    """15, not 15.0."""
    return int(value) if value.is_integer() else value


def _no_target_of_zero(form: forms.BaseForm, given: Mapping[str, Any]) -> None:
    for level in LEVELS:
        if given.get(f"target_minutes_{level}") == 0:
            form.add_error(f"target_minutes_{level}", _("要大于 0"))


WeightsForm = type("WeightsForm", (_Numbers,), {number.name: _field(number) for number in numbers()})
