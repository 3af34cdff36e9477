"""The admin's landing page: today's figures with their n, P1 tickets, load, and what waits for the manager."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from dispatch.models import Decision, EngineerQualification
from dispatch.roster.queries import on_duty
from dispatch.roster.rules import Presence
from tickets.desk.queries.board import open_rows
from tickets.desk.queries.wall import life_support, on_time
from tickets.models import Ticket
from tickets.sla.queries import missing_years, rulebook

CARDS_SOON = timedelta(days=30)


def landing(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback."""
    now = timezone.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = open_rows(request.user, now)
    late = [row for row in rows if row.tone == "breach"]
    stock = life_support()
    short = [line for line in stock if line["missing"]]
    by_priority = Counter(row.ticket.priority for row in rows)
    most = max(by_priority.values(), default=1)
    return context | {
        "now": now,
        "open_count": len(rows),
        "reported_today": Ticket.objects.filter(reported_at__gte=midnight).count(),
        "share": on_time(midnight, now),
        "late": late,
        "late_p1": sum(row.ticket.priority == 1 for row in late),
        "stock_met": len(stock) - len(short),
        "stock_all": len(stock),
        "stock_short": short,
        "p1_rows": [row for row in rows if row.ticket.priority == 1],
        "priorities": [{"level": n, "count": by_priority[n], "limit": most} for n in (1, 2, 3, 4)],
        "duty": [line for line in on_duty(now) if line.presence == Presence.ON_SITE],
        "todo": list(_todo(now)),
        "simulated": any(row.ticket.simulated for row in rows),
    }


def _todo(now: datetime) -> list[dict[str, str]]:
    today = timezone.localdate(now)
    soon = EngineerQualification.objects.filter(valid_until__range=(today, today + CARDS_SOON)).count()
    expired = EngineerQualification.objects.filter(valid_until__lt=today).count()
    review = (
        Decision.objects.filter(needs_review=True, ticket__ended_at__isnull=True).values("ticket").distinct().count()
    )
    callback = Ticket.objects.open().filter(needs_callback=True).count()
    cards = reverse("admin:dispatch_engineerqualification_changelist")
    found = [
        (soon, "shield-alert", _("%(n)s 张资质 30 天内到期") % {"n": soon}, cards),
        (expired, "shield-alert", _("%(n)s 张资质已过期") % {"n": expired}, cards),
        (
            review,
            "user-round-check",
            _("%(n)s 张工单的派单待复核") % {"n": review},
            reverse("admin:dispatch_decision_changelist") + "?needs_review__exact=1",
        ),
        (
            callback,
            "phone-call",
            _("%(n)s 张报修待回电核实") % {"n": callback},
            reverse("admin:tickets_ticket_changelist"),
        ),
    ]
    todo = [{"icon": icon, "text": text, "url": url} for n, icon, text, url in found if n]
    for year in missing_years(now):
        text = _("%(year)s 年的放假和调休还没录入，在工作日历的“节假日与调休”里逐日添加") % {"year": year}
        todo.append({"icon": "calendar-days", "text": text, "url": _where_holidays_go()})
    return todo


def _where_holidays_go() -> str:
    """The page of the one calendar that knows holidays; the list of them where there are more."""
    keys = [key for key, calendar in rulebook().calendars.items() if not calendar.is_always]
    if len(keys) == 1:
        return reverse("admin:tickets_calendar_change", args=keys)
    return reverse("admin:tickets_calendar_changelist")
