"""Signs and words for templates: `{% load wardline %}`. Geometry is in kernel.signs, spans of time in kernel.words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from django import template
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.templatetags.static import static
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel import signs, words

register = template.Library()

_MEANING: Final = {
    1: gettext_lazy("危及患者"),
    2: gettext_lazy("诊疗中断"),
    3: gettext_lazy("有替代"),
    4: gettext_lazy("不影响"),
}
_STATE_WORD: Final = {
    "new": gettext_lazy("新报修"),
    "triaged": gettext_lazy("已分级"),
    "assigned": gettext_lazy("已派单"),
    "accepted": gettext_lazy("已接单"),
    "arrived": gettext_lazy("已到场"),
    "working": gettext_lazy("维修中"),
    "paused": gettext_lazy("已暂停"),
    "resolved": gettext_lazy("已修复"),
    "verifying": gettext_lazy("待验收"),
    "closed": gettext_lazy("已关闭"),
    "cancelled": gettext_lazy("已撤销"),
    "rejected": gettext_lazy("已驳回"),
    "reopened": gettext_lazy("重新打开"),
}
_SYMBOL: Final = re.compile(r'<symbol id="([a-z0-9-]+)"[^>]*>(.*?)</symbol>', re.DOTALL)


@cache
def _symbols() -> dict[str, str]:
    sprite = Path(settings.BASE_DIR, "static", "img", "icons.svg").read_text(encoding="utf-8")
    return dict(_SYMBOL.findall(sprite))


def _known(name: str) -> str:
    if name not in _symbols():
        raise template.TemplateSyntaxError(f"no icon {name!r} in static/img/icons.svg")
    return name


def _icon_class(size: int, css: str) -> str:
    return " ".join(filter(None, ("i", "" if size == 20 else f"i-{size}", css)))


@register.simple_tag
def icon(name: str, size: int = 20, css: str = "", **extra: str) -> SafeString:
    """`{% icon "phone" size=24 class="c-ok" %}`: a reference into the sprite, silent to screen readers."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        _icon_class(size, extra.get("class", css)),
        static("img/icons.svg"),
        _known(name),
    )


@register.simple_tag
def icon_inline(name: str, size: int = 20, css: str = "", **extra: str) -> SafeString:
    """The drawing itself, for ward pages that must not wait for a sprite. `.i` gives stroke and ends."""
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>',
        _icon_class(size, extra.get("class", css)),
        mark_safe(_symbols()[_known(name)]),  # noqa: S308 - our own sprite
    )


@register.simple_tag
def sep() -> SafeString:
    """The drawn dot between two facts."""
    return mark_safe('<i class="sep">·</i>')


@register.simple_tag
def priority_badge(level: int | str, meaning: bool = False) -> SafeString:
    """Glyph and P1..P4; `meaning=True` adds the short meaning, once a page."""
    level = int(str(level).removeprefix("P"))
    word = f" {_MEANING[level]}" if meaning else ""
    return format_html('<span class="p p{0}">{1}P{0}{2}</span>', level, signs.priority(level), word)


@register.simple_tag
def priority_glyph(level: int) -> SafeString:
    """The sign of a priority alone, in the colour around it: for legends on the wall."""
    return signs.priority(level)


@register.simple_tag
def state_sign(state: str, word: str | None = None) -> SafeString:
    """The 14 px glyph and the word of a ticket state."""
    state = str(state)
    return format_html(
        '<span class="st st-{}">{}{}</span>', signs.STATE_TONE[state], signs.state(state), word or _STATE_WORD[state]
    )


@register.simple_tag
def glyph(name: str, size: int = 16) -> SafeString:
    """clock, warn, breach, breach-light, hold or enough."""
    return signs.glyph(name, size)


def _due_attributes(due: datetime | None, form: str, target: str = "") -> SafeString:
    if due is None:
        return SafeString("")
    return format_html(' data-due="{}" data-form="{}" data-target="{}"', due.isoformat(), form, target)


@register.simple_tag
def sla_ring(ring: Mapping[str, Any], large: bool = False) -> SafeString:
    """`{status, share_left, value, unit, target, sentence}`; with `due` (and `total` seconds) the page ticks it."""
    due = ring.get("due")
    total = ring.get("total")
    return format_html(
        '<span class="ringw" role="img" aria-label="{}"><span class="ring {}{}"{}{}>{}<span class="v"><b>{}</b>{}</span></span>'
        '<span class="to">{}</span></span>',
        ring["sentence"],
        ring["status"],
        " lg" if large else "",
        _due_attributes(due, "ring", ring["target"]) if ring["status"] != "hold" else "",
        format_html(' data-total="{}"', words.seconds_of(total)) if total is not None else "",
        signs.ring(ring["status"], float(ring.get("share_left") or 0)),
        ring["value"],
        format_html("<small>{}</small>", ring["unit"]) if ring.get("unit") else "",
        ring["target"],
    )


@register.simple_tag
def countdown(due: datetime | None, text: str = "", form: str = "clock", target: str = "") -> SafeString:
    """A span that counts down to `due`: form `clock` 3:38:52, `due` 38 分, `words` 1 分 12 秒. `text` is what stands before scripts run."""
    return format_html("<span{}>{}</span>", _due_attributes(due, form, target), text)


def _line_sentence(stops: Sequence[Mapping[str, Any]]) -> str:
    return _("，").join(str(stop["sentence"]) for stop in stops)


@register.simple_tag
def sla_line(stops: Sequence[Mapping[str, Any]], full: bool = False) -> SafeString:
    """The four stops, large. `full=True` sets every name bold, as on the ticket page."""
    drawn = format_html_join(
        "",
        '<div class="stop {}"{}><span class="k">{}</span><div class="n">{}</div><div class="d">{}</div></div>',
        (
            (
                stop["status"],
                _due_attributes(stop.get("due"), "none"),
                signs.stop(stop["status"]),
                stop["label"],
                stop.get("detail", ""),
            )
            for stop in stops
        ),
    )
    return format_html(
        '<div class="line{}" role="img" aria-label="{}">{}</div>', " full" if full else "", _line_sentence(stops), drawn
    )


@register.simple_tag
def sla_mini(stops: Sequence[Mapping[str, Any]]) -> SafeString:
    """The four stops in a table cell, 92 x 14."""
    return format_html(
        '<span class="mini" role="img" aria-label="{}">{}</span>',
        _line_sentence(stops),
        signs.mini([stop["status"] for stop in stops]),
    )


@register.simple_tag
def due_cell(status: str, due: datetime | None, text: str, target: str = "") -> SafeString:
    """First cell of a queue row: sign, time left, what it is left for. `status`: ok, warn, breach, hold."""
    sign = {"ok": "clock"}.get(status, status)
    return format_html(
        '<div class="due {}">{}<span><b{}>{}</b><span class="w">{}</span></span></div>',
        status,
        signs.glyph(sign),
        _due_attributes(due, "due", target) if status != "hold" else "",
        text,
        target,
    )


@register.simple_tag
def load_pips(n: int, limit: int) -> SafeString:
    """One box a ticket up to the limit; a full person is amber."""
    full = n >= limit
    boxes = format_html_join("", "<i{}></i>", ((_pip(i < n, full),) for i in range(limit)))
    label = _("%(n)d 单，上限 %(limit)d 单") % {"n": n, "limit": limit}
    return format_html('<span class="pips" role="img" aria-label="{}">{}</span>', label, boxes)


def _pip(taken: bool, full: bool) -> SafeString:
    if not taken:
        return SafeString("")
    return SafeString(' class="full"' if full else ' class="on"')


@register.simple_tag
def load_word(n: int, limit: int) -> str:
    """`3 / 5`, 满, 空闲."""
    if n >= limit:
        return _("满")
    return f"{n} / {limit}" if n else _("空闲")


@register.simple_tag
def score_stack(terms: Iterable[Mapping[str, Any]], scale: float) -> SafeString:
    """`terms`: up to six `{label, value}`; `scale`: the longest total shown beside it, so that bars compare."""
    listed = list(terms)
    said = _("，").join(f"{term['label']} {float(term['value']):.1f}" for term in listed)
    return format_html(
        '<svg class="stack" role="img" aria-label="{}">{}</svg>',
        said,
        signs.stack([float(term["value"]) for term in listed], float(scale)),
    )


@register.simple_tag
def score_legend(labels: Iterable[str]) -> SafeString:
    """The key to the segments, in the order of `score_stack`."""
    return format_html(
        '<div class="leg">{}</div>',
        format_html_join(
            "",
            '<span><svg aria-hidden="true">{}</svg>{}</span>',
            ((signs.stack([0] * i + [1], 1), label) for i, label in enumerate(labels)),
        ),
    )


@register.simple_tag
def meter(value: float, limit: float, tone: str = "", large: bool = False, from_end: bool = False) -> SafeString:
    """A bar of value over limit. It is silent: the number stands beside it."""
    share = float(value) / float(limit) if limit else 0.0
    return signs.meter(share, tone=tone, large=large, from_end=from_end)


@register.simple_tag(takes_context=True)
def part(context: template.RequestContext, name: str) -> SafeString:
    """What the view behind the route `name` shows to this reader, inside this page; nothing to whom it refuses.

    An app above the page's own puts its lines there, and they come with the page: one that came later would push
    everything below it away from under a hand.
    """
    request, found = context["request"], resolve(reverse(name))
    try:
        answer = found.func(request)
    except PermissionDenied:
        return SafeString()
    return mark_safe(answer.content.decode()) if answer.status_code == HTTPStatus.OK else SafeString()  # noqa: S308 - rendered and escaped there


@register.filter
def duration_words(span: timedelta | float | None, form: str = "words") -> str:
    """`1 分 12 秒`; `"short"`: 3:38:52; `"due"`: 38 分, +2:18."""
    if span is None or span == "":
        return ""
    return {"words": words.spoken, "short": words.clock, "due": words.due}[form](span)


@register.filter
def clock_time(moment: datetime | None, seconds: str = "") -> str:
    """Today `14:21` (with `"s"` 14:21:08), another day `11-20 14:21`, another year `2025-11-20`."""
    if not moment:
        return ""
    local = timezone.localtime(moment)
    today = timezone.localdate()
    if local.date() == today:
        return local.strftime("%H:%M:%S" if seconds else "%H:%M")
    return local.strftime("%m-%d %H:%M" if local.year == today.year else "%Y-%m-%d")


@register.filter
def surname(name: str | None) -> str:
    """`李志远` -> 李."""
    return words.surname(str(name or ""))
