"""The ticket list, and its export as CSV or XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import openpyxl
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from assets.register.models import Criticality
from tickets.desk import queries
from tickets.desk.views.doors import desk, house
from tickets.policies import is_desk, is_engineer
from tickets.record.models import SavedView, Ticket

MOST_EXPORTED: Final = 20_000
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")


def _position(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@house
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    now, given = timezone.now(), queries.read_filters(request.GET)
    found = queries.page(
        queries.filtered(request.user, given, now),
        after=_position(request, "after"),
        before=_position(request, "before"),
    )
    views = SavedView.objects.filter(Q(owner=request.user.pk) | Q(shared=True)).select_related("owner").order_by("name")
    context = {
        "rows": [queries.row_of(ticket, now) for ticket in found.tickets],
        "newer": f"?{queries.address(given, before=found.newer)}" if found.newer else "",
        "older": f"?{queries.address(given, after=found.older)}" if found.older else "",
        "given": given,
        "unread": sorted(f"{name}={request.GET[name]}"[:40] for name in queries.unread_filters(request.GET, given)),
        "advanced": bool(given.keys() - {"q", "open", "overdue", "mine", "repeat"}),
        "address": queries.address(given),
        "quick": _quick(request),
        "may_desk": is_desk(request.user),
        "views": [
            {
                "view": one,
                "url": f"?{queries.address(queries.read_filters(one.query))}",
                "mine": one.owner_id == request.user.pk,
                "current": bool(given) and queries.read_filters(one.query) == given,
            }
            for one in views
        ],
        **queries.choices(),
    }
    return render(request, "tickets/desk/list.html", context)


def _quick(request: HttpRequest) -> list[tuple[str, dict[str, str], str]]:
    """The filters that everybody uses: word, filters, address."""
    shown = [
        (_("全部"), {}),
        (_("未结束"), {"open": "1"}),
        (_("已超时"), {"overdue": "1"}),
        (_("30 天内重复"), {"repeat": "1"}),
    ]
    if is_engineer(request.user):
        shown.append((_("我的"), {"mine": "1"}))
    return [(word, query, f"?{queries.address(query)}") for word, query in shown]


def _cells(ticket: Ticket) -> list[str]:
    def when(moment: Any) -> str:
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else ""

    return [
        ticket.number, f"P{ticket.priority}", str(ticket.get_state_display()), ticket.device_label,
        ticket.device.asset_no if ticket.device else "", ticket.fault_label, str(ticket.department),
        ticket.location.path if ticket.location else "", ticket.assignee.label if ticket.assignee else "",
        when(ticket.reported_at), when(ticket.accepted_at), when(ticket.arrived_at), when(ticket.restored_at),
        when(ticket.resolved_at), when(ticket.ended_at),
        str(Criticality(ticket.criticality).label) if ticket.criticality in Criticality.values else ticket.criticality,
        _("是") if ticket.repeat_of_id else "",
    ]  # fmt: skip


def _head() -> list[str]:
    return [
        _("工单号"), _("优先级"), _("状态"), _("设备"), _("资产编号"), _("故障现象"), _("科室"), _("位置"),
        _("工程师"), _("报修时间"), _("接单时间"), _("到场时间"), _("恢复时间"), _("修复时间"), _("结束时间"), _("关键等级"),
        _("30 天内重复"),
    ]  # fmt: skip


def _safe(cell: str) -> str:
    """No cell may start a formula in the reader's spreadsheet."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _rows(request: HttpRequest) -> Iterator[list[str]]:
    given = queries.read_filters(request.GET)
    found = queries.filtered(request.user, given, timezone.now()).prefetch_related(None)
    yield _head()
    for ticket in found[:MOST_EXPORTED].iterator(chunk_size=500):
        yield [_safe(cell) for cell in _cells(ticket)]


class _Echo:
    """A file that hands back what is written, so that rows leave as they are read."""

    def write(self, text: str) -> str:
        return text


@desk
@require_safe
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """The rows of the current filters, up to 20,000."""
    name = f'attachment; filename="tickets-{timezone.localdate():%Y%m%d}.{form}"'
    if form == "csv":
        writer = csv.writer(_Echo())
        # The mark tells Excel that this is UTF-8.
        body = (text for text in ("\ufeff", *(writer.writerow(row) for row in _rows(request))))
        return StreamingHttpResponse(
            body, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name}
        )
    if form != "xlsx":
        raise Http404
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("tickets")
    for row in _rows(request):
        sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return HttpResponse(held.getvalue(), content_type=kind, headers={"Content-Disposition": name})
