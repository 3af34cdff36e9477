"""What the desk may do with a ticket: who, when, with which form, and the one service that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from assets.places.models import User
from tickets import policies
from tickets.desk import forms
from tickets.lifecycle import services as lifecycle
from tickets.record.models import IN_HAND, State, Ticket

S = State
Run = Callable[..., Any]


@dataclass(frozen=True)
class Verb:
    """`states` only decides what is offered; the service refuses by itself."""

    key: str
    title: Any
    act: Any
    icon: str
    may: Callable[[Any, Ticket], bool]
    states: tuple[str, ...]
    form: type[Any]
    run: Run
    danger: bool = False
    lead: Any = ""

    def form_for(self, ticket: Ticket, data: Any = None) -> django_forms.Form:
        form = self.form(data, ticket=ticket, auto_id=f"{self.key}_%s")
        assert isinstance(form, django_forms.Form)
        return form

    def title_for(self, ticket: Ticket) -> str:
        return _("改派") if self.key == "assign" and ticket.assignee_id else str(self.title)


def _run(service: Run) -> Run:
    def run(ticket: Ticket, *, by: User, at: datetime, **given: Any) -> Any:
        return service(ticket, by=by, at=at, **given)

    return run


def _confirm(ticket: Ticket, *, by: User, at: datetime, name: str, role: str, version: int) -> Any:
    """The desk signs; whom it spoke to on the ward stands in the role."""
    return lifecycle.confirm(ticket, by=by, at=at, name=name, role=f"{role} {name}".strip()[:40], version=version)


_BEFORE_WORK = (S.NEW, S.TRIAGED, S.ASSIGNED)
_GOING = (S.NEW, S.TRIAGED, S.REOPENED, *IN_HAND)
VERBS: dict[str, Verb] = {
    verb.key: verb
    for verb in (
        Verb("assign", gettext_lazy("派单"), gettext_lazy("派单"), "arrow-left-right", policies.can_assign,
             (S.TRIAGED, S.REOPENED, *IN_HAND), forms.Assign, _run(lifecycle.assign)),
        Verb("reprioritise", gettext_lazy("改优先级"), gettext_lazy("改优先级"), "chevrons-up-down",
             policies.can_triage, _GOING, forms.Reprioritise, _run(lifecycle.reprioritise),
             lead=gettext_lazy("时限从报修时间重新计算。")),
        Verb("triage", gettext_lazy("分级"), gettext_lazy("分级"), "shield-check", policies.can_triage,
             (S.NEW, S.TRIAGED), forms.Triage, _run(lifecycle.triage)),
        Verb("confirm", gettext_lazy("代病区验收"), gettext_lazy("验收"), "clipboard-check", policies.can_verify,
             (S.RESOLVED, S.VERIFYING), forms.Confirm, _confirm,
             lead=gettext_lazy("你的名字会一起记下。")),
        Verb("close", gettext_lazy("不等验收，直接关闭"), gettext_lazy("关闭工单"), "check-check", policies.can_close,
             (S.RESOLVED, S.VERIFYING), forms.Reason, _run(lifecycle.close)),
        Verb("reopen", gettext_lazy("重新打开"), gettext_lazy("重新打开"), "rotate-ccw", policies.can_close,
             (S.RESOLVED, S.VERIFYING, S.CLOSED), forms.Reason, _run(lifecycle.reopen)),
        Verb("reject", gettext_lazy("驳回"), gettext_lazy("驳回"), "ban", policies.can_close,
             _BEFORE_WORK, forms.Reason, _run(lifecycle.reject), danger=True,
             lead=gettext_lazy("不是维修。病区会看到原因。")),
        Verb("cancel", pgettext_lazy("ticket", "撤销"), gettext_lazy("撤销工单"), "x", policies.can_close,
             _GOING, forms.Reason, _run(lifecycle.cancel), danger=True,
             lead=gettext_lazy("工程师会停下，计时结束。")),
    )
}  # fmt: skip


def offered(user: Any, ticket: Ticket) -> list[Verb]:
    """What this person may do with this ticket now, most used first."""
    return [verb for verb in VERBS.values() if ticket.state in verb.states and verb.may(user, ticket)]
