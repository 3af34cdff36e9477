"""How spans of time and names are said, in Chinese and English. No geometry, no clock: callers pass the span.

`static/js/core.js` says the same words while a page ticks; it takes the same sentences from `js_words()`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400
SHOW_SECONDS_BELOW: Final = 5 * MINUTE  # design.md section 4: under five minutes show m:ss
RING_MINUTES_BELOW: Final = 10 * HOUR

# Two-character surnames still in common use; everything else is one character.
_LONG_SURNAMES: Final = frozenset(
    "欧阳,司马,上官,诸葛,东方,皇甫,尉迟,公孙,慕容,令狐,司徒,司空,夏侯,端木,南宫,长孙,宇文,轩辕".split(",")  # noqa: SIM905 - one line reads better
)


class Figure(NamedTuple):
    """A number and the unit under it, as the ring shows them."""

    value: str
    unit: str


def seconds_of(span: timedelta | float | int) -> int:
    """Whole seconds, towards zero, so that a countdown never shows a second that has not passed."""
    return int(span.total_seconds()) if isinstance(span, timedelta) else int(span)


def clock(span: timedelta | float | int) -> str:
    """`3:38:52`, `1:52`; a span below zero is overdue and carries a plus: `+2:18`."""
    total = seconds_of(span)
    sign, total = ("+", -total) if total < 0 else ("", total)
    hours, rest = divmod(total, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    return f"{sign}{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{sign}{minutes}:{seconds:02d}"


def spoken(span: timedelta | float | int) -> str:
    """Two units at most: `12 秒`, `1 分 12 秒`, `24 分`, `2 时 05 分`, `3 天 4 时`. The sign is the caller's sentence."""
    total = abs(seconds_of(span))
    days, rest = divmod(total, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    given = {"d": days, "h": hours, "m": minutes, "s": seconds}
    if days:
        return (_("%(d)d 天 %(h)d 时") if hours else _("%(d)d 天")) % given
    if hours:
        return (_("%(h)d 时 %(m)02d 分") if minutes else _("%(h)d 时")) % given
    if minutes:
        return (_("%(m)d 分 %(s)02d 秒") if seconds else _("%(m)d 分")) % given
    return _("%(s)d 秒") % given


def due(span: timedelta | float | int) -> str:
    """Time left in a table cell: `1:56`, `38 分`, `2 时 05 分`, `3 天`; overdue: `+2:18`, `+10 分`."""
    total = seconds_of(span)
    size = abs(total)
    if size < SHOW_SECONDS_BELOW:
        return clock(total)
    sign = "+" if total < 0 else ""
    if size < HOUR:
        return sign + _("%(m)d 分") % {"m": size // MINUTE}
    if size < DAY:
        return sign + _("%(h)d 时 %(m)02d 分") % {"h": size // HOUR, "m": size % HOUR // MINUTE}
    return sign + _("%(d)d 天") % {"d": size // DAY}


def ring_figure(span: timedelta | float | int) -> Figure:
    """Time left as the ring shows it: (`4:12`, ``), (`38`, `分`), (`2:05`, `时`), (`3`, `天`); overdue (`+2`, `分`)."""
    total = seconds_of(span)
    size = abs(total)
    sign = "+" if total < 0 else ""
    if total < 0 and size < MINUTE:
        return Figure(f"+{size}", _("秒"))
    if total >= 0 and size < SHOW_SECONDS_BELOW:
        return Figure(clock(total), "")
    if size < HOUR:
        return Figure(f"{sign}{size // MINUTE}", _("分"))
    if size < RING_MINUTES_BELOW:
        return Figure(f"{sign}{size // HOUR}:{size % HOUR // MINUTE:02d}", _("时"))
    if size < DAY:  # five figures would touch the ring
        return Figure(f"{sign}{size // HOUR}", _("时"))
    return Figure(f"{sign}{size // DAY}", _("天"))


def surname(name: str) -> str:
    """`李志远` -> `李`, `欧阳修远` -> `欧阳`; a Latin name gives its last word: `Mary Chen` -> `Chen`."""
    name = name.strip()
    if not name:
        return ""
    if name[0].isascii():
        return name.split()[-1]
    return name[:2] if len(name) > 2 and name[:2] in _LONG_SURNAMES else name[:1]


def js_words() -> dict[str, str]:
    """The sentences `core.js` needs to tick in the active language, with the same placeholders."""
    return {
        "ds": _("%(d)d 天"),
        "dh": _("%(d)d 天 %(h)d 时"),
        "hs": _("%(h)d 时"),
        "hm": _("%(h)d 时 %(m)02d 分"),
        "ms": _("%(m)d 分"),
        "mss": _("%(m)d 分 %(s)02d 秒"),
        "ss": _("%(s)d 秒"),
        "day": _("天"),
        "hour": _("时"),
        "minute": _("分"),
        "second": _("秒"),
        "left": _("距%(target)s %(time)s"),
        "over": _("%(target)s超时 %(time)s"),
        "live": _("实时，%(time)s前更新"),
        "stale": _("数据停在 %(time)s"),
        "refused": _("数据停在 %(time)s，刷新这一页再继续"),
        "close": _("关闭"),
        "failed": _("没有保存。内容还在，再试一次"),
        "unsaved": _("登录过期，刚才没有保存。已填回，请再提交一次；照片要重选"),
        "offline": _("没有网络，没有保存。内容还在，再试一次"),
    }
