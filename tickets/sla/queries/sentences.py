"""One line of the arithmetic as a sentence and a figure, in the active language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from tickets.sla import rules
from tickets.sla.models import Metric
from tickets.sla.queries.display import moment, working_hours

# Names of shipped rows; a hospital's own names are shown as they were entered.
gettext_noop("元旦"), gettext_noop("春节"), gettext_noop("清明节"), gettext_noop("劳动节")
gettext_noop("端午节"), gettext_noop("中秋节"), gettext_noop("国庆节"), gettext_noop("24×7"), gettext_noop("工作时间")

DUE_WORDS = {
    "response": gettext_noop("最晚响应"),
    "arrival": gettext_noop("最晚到场"),
    "restoration": gettext_noop("最晚恢复"),
    "fix": gettext_noop("最晚修复"),
}


@dataclass(frozen=True)
class Told:
    """What a sentence about one clock may need. `reasons`: hold codes to words; `now`: the moment of asking."""

    promise: rules.Promise
    reasons: dict[str, str]
    now: datetime


def sentence(line: rules.Line, told: Told) -> tuple[str, str]:
    """What the line says, and the figure at its right."""
    return SENTENCES[line.kind](line, told)


def _say_reported(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("报修时间，以服务器收到为准"), _stamp(line.at, told.now)


def _say_rebase(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("P%(old)s 改为 P%(new)s，从报修时间重新算") % dict(line.params), _stamp(line.at, told.now)


def _say_target(line: rules.Line, told: Told) -> tuple[str, str]:
    said = {
        "priority": told.promise.priority,
        "metric": Metric(told.promise.metric).label,
        "calendar": told.promise.calendar_name,
    }
    words = (
        _("P%(priority)s 非工作时间的%(metric)s时限，按%(calendar)s日历")
        if told.promise.off_hours
        else _("P%(priority)s %(metric)s时限，按%(calendar)s日历")
    )
    return words % said, f"+ {amount(line.amount)}"


def _say_day(line: rules.Line, told: Told) -> tuple[str, str]:
    windows = _("，").join(
        _("%(start)s 到 %(end)s") % {"start": _hour(a), "end": _hour(b)} for a, b in line.params["windows"]
    )
    said = {"day": _day(line.params["date"]), "windows": windows, "name": name_of(line.params["name"])}
    text = _("%(day)s %(name)s调休上班，%(windows)s") if line.params["makeup"] else _("%(day)s %(windows)s")
    if line.params["paused"]:
        return (text + _("，其中暂停 %(paused)s")) % (said | {"paused": amount(line.params["paused"])}), amount(
            line.amount
        )
    return text % said, amount(line.amount)


def _say_after_hours(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("%(day)s 已下班，从下个工作时段算起") % {"day": _day(line.params["date"])}, _("不计")


def _say_break(line: rules.Line, told: Told) -> tuple[str, str]:
    said = {"start": _hour(line.params["start"]), "end": _hour(line.params["end"])}
    return _("%(start)s 到 %(end)s 休息") % said, _("不计")


def _say_off(line: rules.Line, told: Told) -> tuple[str, str]:
    name = name_of(line.params["name"]) or _("休息日")
    return _("%(days)s %(name)s") % {"days": _days(line), "name": name}, _("不计")


def _say_held(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("%(days)s 全天暂停") % {"days": _days(line)}, _("不计")


def _say_pause(line: rules.Line, told: Told) -> tuple[str, str]:
    ended = line.params["ended_at"]
    said = {
        "reason": told.reasons.get(line.params["reason"], line.params["reason"]),
        "start": moment(line.params["started_at"], told.now),
        "end": moment(ended, told.now) if ended else "",
    }
    text = _("%(reason)s，%(start)s 到 %(end)s") if ended else _("%(reason)s，%(start)s 起，还没继续")
    return text % said, f"+ {amount(line.amount)}"


def _say_pauses(line: rules.Line, told: Told) -> tuple[str, str]:
    count = line.params["count"]
    return ngettext("暂停 %(count)s 次", "暂停 %(count)s 次", count) % {"count": count}, f"+ {amount(line.amount)}"


def _say_never_pauses(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("%(metric)s不因暂停而延后") % {"metric": Metric(told.promise.metric).label}, f"+ {amount(line.amount)}"


def _say_unknown_year(line: rules.Line, told: Told) -> tuple[str, str]:
    return _("%(year)s 年的节假日还没录入，按没有节假日算") % dict(line.params), ""


def _say_due(line: rules.Line, told: Told) -> tuple[str, str]:
    text = _(DUE_WORDS[told.promise.metric])
    return (_("%(text)s，如果现在继续") % {"text": text} if line.params["open"] else text), _stamp(line.at, told.now)


SENTENCES: dict[str, Callable[[rules.Line, Told], tuple[str, str]]] = {
    "reported": _say_reported,
    "rebase": _say_rebase,
    "target": _say_target,
    "day": _say_day,
    "after_hours": _say_after_hours,
    "break": _say_break,
    "off": _say_off,
    "held": _say_held,
    "pause": _say_pause,
    "pauses": _say_pauses,
    "never_pauses": _say_never_pauses,
    "unknown_year": _say_unknown_year,
    "due": _say_due,
}


def amount(span: timedelta | None) -> str:
    """The figure of a line: working time in hours and minutes."""
    return working_hours(span or timedelta(0))


def _stamp(at: datetime | None, now: datetime) -> str:
    """今天 18:21:08, otherwise 11-20 18:21:08."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate(now)
    return _("今天 %(time)s") % {"time": f"{local:%H:%M:%S}"} if today else f"{local:%m-%d %H:%M:%S}"


def _day(day: date) -> str:
    names = [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]
    return f"{day:%m-%d} {names[day.weekday()]}"


def _days(line: rules.Line) -> str:
    first, last = line.params["date"], line.params["until"]
    if first == last:
        return _day(first)
    return _("%(start)s 到 %(end)s") % {"start": _day(first), "end": _day(last)}


def _hour(at: time) -> str:
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def name_of(name: str) -> str:
    return _(name) if name else ""
