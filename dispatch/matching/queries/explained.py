"""A stored decision in words: names behind ids, terms on one scale, rules that were broken. Wording is in templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from assets.places.models import User
from assets.register.models import Qualification, Skill
from dispatch.matching.models import Decision
from tickets.record.models import Ticket

PARTS = ("wait", "quality", "travel", "load")


@dataclass(frozen=True)
class Segment:
    """One piece of a score bar; `start` and `width` are thousandths of the longest bar."""

    code: str
    label: str
    points: float
    start: int
    width: int
    detail: str


@dataclass(frozen=True)
class Line:
    """One candidate of 为什么派给李工."""

    user_id: int
    name: str
    chosen: bool
    total: float
    segments: tuple[Segment, ...]
    reason: str
    open: int
    limit: int


@dataclass(frozen=True)
class Out:
    """Somebody who could not go, with the rule that stood against it."""

    user_id: int
    name: str
    code: str
    reason: str


@dataclass(frozen=True)
class Explained:
    """All of it, ready to be shown."""

    decision: Decision
    chosen: str
    lines: tuple[Line, ...]
    rejected: tuple[Out, ...]
    review: tuple[str, ...]
    notes: tuple[str, ...]
    planned: str
    make_safe: str


def latest(ticket: Ticket) -> Decision | None:
    """The decision that explains where the ticket is now."""
    return Decision.objects.filter(ticket=ticket).select_related("chosen").order_by("-pk").first()


def open_suggestions() -> QuerySet[Decision]:
    """What a dispatcher is asked to confirm, most urgent first."""
    return (
        Decision.objects.filter(open=True, outcome=Decision.Outcome.SUGGESTED)
        .select_related("ticket__device__type", "ticket__department", "chosen")
        .order_by("ticket__priority", "pk")
    )


def without_anybody() -> QuerySet[Ticket]:
    """Open tickets for which the last decision found nobody: the red banner."""
    last = Decision.objects.filter(ticket=OuterRef("pk")).order_by("-pk").values("outcome")[:1]
    return (
        Ticket.objects.open()
        .filter(assignee__isnull=True)
        .annotate(last_outcome=Subquery(last))
        .filter(last_outcome=Decision.Outcome.NOBODY)
        .order_by("priority", "pk")
    )


@dataclass(frozen=True)
class Words:
    """What ids and codes are called in the active language."""

    people: Mapping[int, User]
    labels: Mapping[str, str]

    def name(self, user_id: int | None) -> str:
        user = self.people.get(user_id or 0)
        return user.short_name if user else ""

    def username(self, user_id: int | None) -> str:
        user = self.people.get(user_id or 0)
        return user.username if user else ""


def words_for(decisions: Iterable[Decision]) -> Words:
    """At most three queries, however many decisions and candidates there are."""
    stored = [decision.explanation for decision in decisions]
    lines = [one for told in stored for part in ("candidates", "rejected") for one in told.get(part, [])]
    ids = {one["engineer"] for one in lines} | {decision.chosen_id for decision in decisions}
    ids |= {told.get(key) for told in stored for key in ("planned", "make_safe")}
    return Words(
        people={user.pk: user for user in User.objects.filter(pk__in=[one for one in ids if one])},
        labels=labels_of(one["params"] for one in lines if "params" in one),
    )


def explain(decision: Decision, words: Words | None = None) -> Explained:
    """One decision, ready for a template."""
    stored = decision.explanation
    words = words or words_for([decision])
    chosen = stored.get("chosen") or {}
    candidates = _in_order(stored)
    longest = max((_length(line["terms"]) for line in candidates), default=0.0) or 1.0
    return Explained(
        decision=decision,
        chosen=words.name(decision.chosen_id),
        lines=tuple(_line(one, words, chosen, longest) for one in candidates),
        rejected=tuple(
            Out(
                user_id=one["engineer"],
                name=words.name(one["engineer"]),
                code=one["code"],
                reason=reason(one["code"], one["params"], words.labels),
            )
            for one in stored.get("rejected", [])
        ),
        review=tuple(_review(code) for code in chosen.get("review", [])),
        notes=tuple(_notes(stored)),
        planned=words.name(stored.get("planned")),
        make_safe=words.name(stored.get("make_safe")),
    )


def as_data(decision: Decision, words: Words | None = None) -> dict[str, Any]:
    """The same for the API: stored figures, with usernames for keys and sentences beside the codes."""
    words = words or words_for([decision])
    told, stored = explain(decision, words), decision.explanation
    chosen = stored.get("chosen")
    return {
        **{key: stored.get(key) for key in ("version", "failure", "priority", "target_minutes", "confidence")},
        "review": list(told.review),
        "notes": list(told.notes),
        "chosen": chosen and _named(chosen, words, interrupts=(chosen.get("interrupts") or {}).get("priority")),
        "make_safe": words.username(stored.get("make_safe")) or None,
        "planned": words.username(stored.get("planned")) or None,
        "candidates": [
            _named(one, words, reason=line.reason) for one, line in zip(_in_order(stored), told.lines, strict=True)
        ],
        "rejected": [
            _named(one, words, reason=out.reason)
            for one, out in zip(stored.get("rejected", []), told.rejected, strict=True)
        ],
    }


def _in_order(stored: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Cheapest first as far as anybody can read: among equals the chosen one, whatever digits nobody is shown say."""
    chosen = (stored.get("chosen") or {}).get("engineer")
    return sorted(
        stored.get("candidates", []), key=lambda one: (round(one["terms"]["total"], 1), one["engineer"] != chosen)
    )


def _named(one: Mapping[str, Any], words: Words, **more: Any) -> dict[str, Any]:
    """Primary keys never leave the house."""
    who = one["engineer"]
    return {**one, "engineer": words.username(who), "name": words.name(who), **more}


def _pieces(terms: dict[str, Any]) -> dict[str, float]:
    """The four things people weigh: history with this device belongs to the risk of not fixing it."""
    risk = terms["quality"] + terms["fail_again"] + terms["continuity"]
    return {
        "wait": terms["wait"],
        "quality": max(risk, 0.0),
        "travel": terms["travel"],
        "load": max(terms["load"], 0.0),
    }


def _length(terms: dict[str, Any]) -> float:
    return sum(_pieces(terms).values())


def _line(one: dict[str, Any], words: Words, chosen: dict[str, Any], longest: float) -> Line:
    terms, start, segments = one["terms"], 0.0, []
    for code, points in _pieces(terms).items():
        left, right = round(1000 * start / longest), round(1000 * (start + points) / longest)
        segments.append(Segment(code, _label(code), points, left, right - left, _detail(code, terms)))
        start += points
    return Line(
        user_id=one["engineer"],
        name=words.name(one["engineer"]),
        chosen=one["engineer"] == chosen.get("engineer"),
        total=terms["total"],
        segments=tuple(segments),
        reason=_why(one),
        open=one["open"],
        limit=one["limit"],
    )


def _label(code: str) -> str:
    return {
        "wait": pgettext("cost", "等待"),
        "quality": _("修不好风险"),
        "travel": _("路程与用时"),
        "load": _("负载"),
    }[code]


def _detail(code: str, terms: dict[str, Any]) -> str:
    if code == "wait":
        return _("报修后 %(minutes)d 分钟到") % {"minutes": round(terms["wait_minutes"])}
    if code == "quality":
        return _("一次修好 %(p)d %%（%(low)d 到 %(high)d，n = %(n)d）") % {
            "p": round(100 * terms["chance"]["p"]),
            "low": round(100 * terms["chance"]["low"]),
            "high": round(100 * terms["chance"]["high"]),
            "n": round(terms["chance"]["n"]),
        }
    if code == "travel":
        return _("路上 %(walk)d 分钟，维修约 %(work)d 分钟") % {
            "walk": round(terms["travel_minutes"]),
            "work": round(terms["work_minutes"]),
        }
    return _("今天比大家忙") if terms["load"] > 0 else _("今天不比大家忙")


def _why(one: dict[str, Any]) -> str:
    terms = one["terms"]
    said = [
        _("路上 %(minutes)d 分钟") % {"minutes": round(terms["travel_minutes"])},
        _("一次修好 %(p)d %%") % {"p": round(100 * terms["chance"]["p"])},
    ]
    if one["busy_minutes_left"]:
        said.insert(0, _("约 %(minutes)d 分钟后有空") % {"minutes": one["busy_minutes_left"]})
    if terms["continuity"] < 0:
        said.append(_("修过这台"))
    if terms["fail_again"] > 0:
        said.append(_("上次没修好"))
    if one["presence"] != "on_site":
        said.append(_("听班"))
    return _("，").join(said)


def reason(code: str, params: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> str:
    """Why somebody could not go, as a colleague would say it."""
    words = {
        "on_leave": _("请假"),
        "off_shift": _("不在班"),
        "resting": _("夜班后休息到 %(until)s"),
        "refused": _("已拒单或被排除"),
        "no_answer": _("没有按时接单"),
        "no_skill": _("没有%(skill)s技能"),
        "no_qualification": _("没有%(qualification)s"),
        "qualification_expired": _("%(qualification)s %(until)s 已过期"),
        "unreachable": _("不在这个院区"),
        "load_limit": _("手上 %(open)s 张，上限 %(limit)s"),
        "shift_ends": _("%(until)s 下班，做不完"),
        "on_p1": _("手上是另一张 P1"),
        "on_call_not_needed": _("听班，在院有人能去"),
    }
    return words.get(code, code) % _shown(params, labels_of([params]) if labels is None else labels)


def labels_of(params: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What skills and cards are called, for all rejections at once."""
    told = list(params)
    rows: list[Skill | Qualification] = []
    for key, model in (("skill", Skill), ("qualification", Qualification)):
        codes = {one[key] for one in told if key in one}
        rows += model.objects.filter(code__in=codes) if codes else []
    return {row.code: row.label for row in rows}


def _shown(params: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    shown = {key: labels.get(str(value), value) for key, value in params.items()}
    if "until" in shown:
        moment = parse_datetime(str(shown["until"])) if "T" in str(shown["until"]) else None
        shown["until"] = f"{timezone.localtime(moment):%H:%M}" if moment else shown["until"]
    return shown


def _review(code: str) -> str:
    return {
        "low_confidence": _("不确定是哪类故障"),
        "unclear_best": _("人选差别不大，又都没把握"),
        "interrupts_p2": _("打断了一张 P2"),
        "breach_likely": _("多半赶不上时限"),
        "repeat": _("30 天内重复故障"),
    }.get(code, code)


def _notes(stored: dict[str, Any]) -> Iterable[str]:
    if stored.get("mode") == "c_mu":
        yield _("优化没有算出来，改按紧急程度逐张派")
    if stored.get("mode") == "least_loaded":
        yield _("优化没有算出来，改派手上最少的人")
    chosen = stored.get("chosen") or {}
    if chosen.get("presence", "on_site") != "on_site":
        yield _("在院没有人能及时去，叫听班的")
    if chosen.get("interrupts"):
        yield _("在做的 P%(priority)d 先放下") % {"priority": chosen["interrupts"]["priority"]}
    at = parse_datetime(stored.get("at", "")) if stored.get("at") else None
    if isinstance(at, datetime):
        yield _("%(time)s 决定，权重与输入已存档") % {"time": f"{timezone.localtime(at):%H:%M:%S}"}
