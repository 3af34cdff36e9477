"""The engineer's pages. Every post carries an operation id, so that a repeated or replayed one happens once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from assets.register import queries as register
from config.kernel import log, paths  # noqa: F401 - paths registers the converter used below
from config.kernel.errors import Conflict, DomainError, Invalid
from config.kernel.models import IdempotencyRecord
from tickets import policies
from tickets.field import queries, rules
from tickets.field.forms import FinishForm, PauseForm
from tickets.lifecycle import services as lifecycle
from tickets.record import services as record
from tickets.record.models import Action, Cause, HoldReason, Release, State, Ticket

View = Callable[..., HttpResponse]


def field_page(view: View) -> View:
    """Engineers work here; the desk may look."""

    @login_required
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not (policies.is_engineer(request.user) or policies.is_desk(request.user)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return page


def _looks_only(request: HttpRequest) -> bool:
    """The desk sees what engineers see, without what only an engineer can do."""
    return not policies.is_engineer(request.user)


def _find(request: HttpRequest, public_id: str) -> Ticket:
    rows = Ticket.objects.for_board().select_related("last_step")
    ticket = policies.visible_tickets(request.user, rows).filter(public_id=public_id).first()
    if ticket is None:
        raise Http404
    return ticket


@field_page
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    groups = queries.today(request.user, timezone.now())
    queries.say_what_is_against(groups["open_to_take"], request.user, timezone.now())
    hands = len(groups["urgent"]) + len(groups["mine"]) + len(groups["waiting"])
    context = {
        "groups": groups,
        "hands": hands,
        "now": timezone.now(),
        "tab": "today",
        "seq": log.head(),
        "looks_only": _looks_only(request),
    }
    return render(request, "tickets/field/today.html", context)


@field_page
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    groups = queries.today(request.user, timezone.now())
    return render(
        request,
        "tickets/field/waiting.html",
        {
            "groups": groups,
            "now": timezone.now(),
            "tab": "waiting",
            "seq": log.head(),
            "looks_only": _looks_only(request),
        },
    )


@field_page
@require_safe
def ticket_page(request: HttpRequest, public_id: str) -> HttpResponse:
    return _ticket(request, _find(request, public_id))


def _ticket(request: HttpRequest, ticket: Ticket, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = queries.sheet(ticket, timezone.now()) | {
        "problem": problem,
        "op_id": uuid.uuid4(),
        "mine": policies.can_work(request.user, ticket),
        "takeable": policies.can_take(request.user, ticket),
        "against": queries.why_not_taken(ticket, request.user, timezone.now()),
        "undo": queries.undo_offer(ticket, request.user, timezone.now()),
        "typed": request.POST,
    }
    return render(request, "tickets/field/ticket.html", context, status=status)


@field_page
@require_safe
def finish(request: HttpRequest, public_id: str) -> HttpResponse:
    return _finish(request, _find(request, public_id))


def _finish(
    request: HttpRequest, ticket: Ticket, form: FinishForm | None = None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    form = form or FinishForm(ticket=ticket)
    started = ticket.started_at or timezone.now()
    context = {
        "ticket": ticket,
        "form": form,
        "problem": problem,
        "over": ticket.state in OVER and not problem,
        "too_early": ticket.state not in (State.WORKING, *OVER) and not problem,
        "op_id": uuid.uuid4(),
        "causes": Cause.choices,
        "actions": Action.choices,
        "releases": Release.choices,
        "given": form.data,
        "safety": [row | {"value": form.data.get(f"test_{row['test'].code}", "")} for row in form.safety],
        "minutes": max(0, int((timezone.now() - started).total_seconds() // 60)),
    }
    return render(request, "tickets/field/finish.html", context, status=status)


@field_page
@require_http_methods(["GET", "HEAD", "POST"])
def fill(request: HttpRequest, public_id: str) -> HttpResponse:
    """What the sentence in `diagnosis` names is put into the empty fields of the sheet. Nothing is stored."""
    ticket = _find(request, public_id)
    if request.method != "POST":
        return redirect("field:finish", public_id)
    said = rules.read_sentence(request.POST.get("diagnosis", "")[:500])
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"fields": said})
    data = request.POST.copy()
    for name, value in said.items():
        if not data.get(name):
            data[name] = value
    return _finish(request, ticket, FinishForm(data, ticket=ticket))


@field_page
@require_safe
def more(request: HttpRequest, public_id: str) -> HttpResponse:
    return _more(request, _find(request, public_id))


def _more(
    request: HttpRequest, ticket: Ticket, *, verb: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "ticket": ticket,
        "problem": problem,
        "op_id": uuid.uuid4(),
        "reasons": HoldReason.objects.filter(active=True),
        "colleagues": queries.colleagues(request.user),
        "can_pause": ticket.state in queries.rules.PAUSABLE,
        "fix_runs_on": queries.fix_runs_on(ticket),
        "can_give_back": ticket.state in queries.rules.GIVES_BACK,
        "given": {verb: request.POST},  # each form has its own fields of the same names
    }
    return render(request, "tickets/field/more.html", context, status=status)


Step = Callable[[HttpRequest, Ticket], Any]


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


def _accept(request: HttpRequest, ticket: Ticket) -> Any:
    return lifecycle.accept(ticket, by=_me(request), at=timezone.now(), version=_version(request))


def _depart(request: HttpRequest, ticket: Ticket) -> Any:
    return lifecycle.depart(ticket, by=_me(request), at=timezone.now(), version=_version(request))


def _arrive(request: HttpRequest, ticket: Ticket) -> Any:
    """By scan when the text was read off this ticket's device; by a typed number or a reason it is marked as such."""
    text = request.POST.get("scan", "").strip()
    proof = queries.presence(text, ticket.device, user=request.user) if text else ""
    if text and not proof:
        other = _("扫到的不是这台设备。找到 %(no)s 再扫。") % {"no": ticket.device.asset_no if ticket.device else ""}
        raise Invalid(queries.scan_problem(text) or other)
    reason = request.POST.get("reason", "").strip()
    if not proof and not reason:
        raise Invalid(_("扫设备上的码，或写明为什么没扫。"))
    return lifecycle.arrive(
        ticket,
        by=_me(request),
        at=timezone.now(),
        scanned=proof == "scan",
        typed=proof == "typed",
        reason=reason,
        version=_version(request),
    )


def _start(request: HttpRequest, ticket: Ticket) -> Any:
    return lifecycle.start(
        ticket,
        by=_me(request),
        at=timezone.now(),
        decon=request.POST.get("decon", ""),
        decon_note=request.POST.get("decon_note", ""),
        version=_version(request),
    )


def _restore(request: HttpRequest, ticket: Ticket) -> Any:
    """The backup that the page named; none when there was none to name."""
    backup = queries.backup_named(ticket, request.POST.get("backup", ""))
    return lifecycle.restore(ticket, by=_me(request), at=timezone.now(), backup=backup)


def _pause(request: HttpRequest, ticket: Ticket) -> Any:
    form = PauseForm(request.POST)
    if not form.is_valid():
        raise Invalid(" ".join(str(e) for errors in form.errors.values() for e in errors))
    return lifecycle.pause(ticket, by=_me(request), at=timezone.now(), **form.cleaned_data)


def _resume(request: HttpRequest, ticket: Ticket) -> Any:
    return lifecycle.resume(ticket, by=_me(request), at=timezone.now(), version=_version(request))


def _undo(request: HttpRequest, ticket: Ticket) -> Any:
    verb = request.POST.get("step", "")
    return lifecycle.undo(ticket, verb=verb, by=_me(request), at=timezone.now(), version=_version(request))


def _decline(request: HttpRequest, ticket: Ticket) -> Any:
    return lifecycle.decline(ticket, by=_me(request), at=timezone.now(), reason=request.POST.get("reason", ""))


def _hand_over(request: HttpRequest, ticket: Ticket) -> Any:
    to = next((u for u in queries.colleagues(request.user) if u.username == request.POST.get("to")), None)
    if to is None:
        raise Invalid(_("选接手的人。"))
    reason = request.POST.get("reason", "")
    return lifecycle.assign(ticket, to=to, by=_me(request), at=timezone.now(), reason=reason)


def _note(request: HttpRequest, ticket: Ticket) -> Any:
    public = request.POST.get("public") == "1"
    text = request.POST.get("text", "")
    return record.comment_once(ticket, text=text, by=_me(request), at=timezone.now(), public=public)


def _photo(request: HttpRequest, ticket: Ticket) -> Any:
    uploads = request.FILES.getlist("file")
    if not uploads:
        raise Invalid(_("没有选文件。"))
    at = timezone.now()
    return [record.attach(ticket, upload=upload, by=_me(request), at=at, once=True) for upload in uploads]


def _finish_step(request: HttpRequest, ticket: Ticket) -> Any:
    form = FinishForm(request.POST, ticket=ticket)
    if not form.is_valid():
        raise Invalid(form.sentence())
    at = timezone.now()
    uploads = [*request.FILES.getlist("voice")[:1], *request.FILES.getlist("file")]
    files = [record.attach(ticket, upload=upload, by=_me(request), at=at) for upload in uploads]
    return lifecycle.resolve(ticket, sheet=form.sheet(files), by=_me(request), at=at)


def _me(request: HttpRequest) -> Any:
    return request.user


STEPS: dict[str, Step] = {
    "accept": _accept,
    "depart": _depart,
    "arrive": _arrive,
    "start": _start,
    "restore": _restore,
    "pause": _pause,
    "resume": _resume,
    "undo": _undo,
    "decline": _decline,
    "handover": _hand_over,
    "note": _note,
    "photo": _photo,
    "finish": _finish_step,
}
OVER = (State.RESOLVED, State.VERIFYING, State.CLOSED, State.CANCELLED, State.REJECTED)
_ON_MORE = ("pause", "decline", "handover", "note", "photo")


@field_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, public_id: str, verb: str) -> HttpResponse:
    """One step. The same `op_id` again changes nothing and leads to the same page; with another body it is refused.

    A refusal is shown at this address. A phone that opens it again (a tab it had put away) is led to the page.
    """
    ticket = _find(request, public_id)
    if verb not in STEPS:
        raise Http404
    if request.method != "POST":
        name = "finish" if verb == "finish" else "more" if verb in _ON_MORE else "ticket"
        return redirect(f"field:{name}", public_id)
    if not policies.is_engineer(request.user):
        raise PermissionDenied
    try:
        if not _is_replay(request):
            _require_mine(request, ticket, verb)
        record.check_uploads(file for _name, files in request.FILES.lists() for file in files)
        _once(request, ticket, verb)
    except DomainError as refusal:
        return _refused(request, _find(request, public_id), verb, refusal)
    left = verb in ("decline", "handover", "finish")
    return HttpResponseRedirect(
        reverse("field:today") if left else reverse("field:ticket", args=[public_id]), status=303
    )


def _require_mine(request: HttpRequest, ticket: Ticket, verb: str) -> None:
    allowed = policies.can_take if verb == "accept" else policies.can_work
    if allowed(request.user, ticket):
        return
    if ticket.assignee is None:
        raise Conflict(_("这张单已经不在你手上，你的操作没有生效。看最新。"))
    raise Conflict(_("这张单已转给%(name)s，你的操作没有生效。看最新。") % {"name": ticket.assignee.short_name})


def _refused(request: HttpRequest, ticket: Ticket, verb: str, refusal: DomainError) -> HttpResponse:
    """The page that the step came from, with the reason and what was typed; files have to be chosen again."""
    problem, status = str(refusal), _code(refusal)
    if request.FILES:
        problem = f"{problem} {_('照片和语音没有收下，要再选一次。')}"
    if verb == "finish":
        return _finish(request, ticket, FinishForm(request.POST, ticket=ticket), problem=problem, status=status)
    if verb in _ON_MORE and (verb == "note" or policies.can_work(request.user, ticket)):
        return _more(request, ticket, verb=verb, problem=problem, status=status)
    return _ticket(request, ticket, problem=problem, status=status)


def _code(refusal: DomainError) -> int:
    return 422 if isinstance(refusal, Invalid) else refusal.status


def _is_replay(request: HttpRequest) -> bool:
    return IdempotencyRecord.objects.filter(scope=_scope(request), key=request.POST.get("op_id", "")).exists()


def _scope(request: HttpRequest) -> str:
    return f"field:{request.user.pk}"


@transaction.atomic
def _once(request: HttpRequest, ticket: Ticket, verb: str) -> None:
    key = request.POST.get("op_id", "")[:80]
    if not key:
        _step(request, ticket, verb)
        return
    body = {k: request.POST.getlist(k) for k in sorted(request.POST) if k != "csrfmiddlewaretoken"}
    digest = hashlib.sha256(orjson.dumps([ticket.public_id, verb, body])).hexdigest()
    try:
        with transaction.atomic():
            IdempotencyRecord.objects.create(scope=_scope(request), key=key, request_hash=digest, status=303)
    except IntegrityError as error:
        known = IdempotencyRecord.objects.get(scope=_scope(request), key=key)
        if known.request_hash != digest:
            raise Conflict(_("这一步已经做过，内容不同，没有再做。")) from error
        return
    _step(request, ticket, verb)


def _step(request: HttpRequest, ticket: Ticket, verb: str) -> None:
    """Asked again on the locked row: the desk may have sent somebody else since the page was read."""
    _require_mine(request, record.lock(ticket), verb)
    STEPS[verb](request, ticket)


@field_page
@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest) -> HttpResponse:
    """One box for camera, USB scanner and keyboard. The code on the device of my accepted ticket means: I have arrived;
    a typed number only finds the ticket."""
    text = request.POST.get("scan", "").strip()
    found = register.resolve_scan(text, user=request.user) if text else []
    for device in [d for d in found if queries.presence(text, d, user=request.user) == "scan"]:
        mine = Ticket.objects.filter(device=device, assignee=request.user, state=State.ACCEPTED).first()
        if mine and policies.is_engineer(request.user):
            try:
                lifecycle.arrive(mine, by=_me(request), at=timezone.now(), scanned=True)
            except DomainError as refusal:
                return _ticket(request, _find(request, mine.public_id), problem=str(refusal), status=_code(refusal))
            return HttpResponseRedirect(reverse("field:ticket", args=[mine.public_id]), status=303)
    open_here = list(Ticket.objects.for_board().open().filter(device__in=found)[:20])
    if len(open_here) == 1:
        return HttpResponseRedirect(reverse("field:ticket", args=[open_here[0].public_id]), status=303)
    context = {
        "typed": text,
        "found": found,
        "tickets": open_here,
        "problem": (queries.scan_problem(text) or _("没有找到这台设备。核对标签上的短码"))
        if text and not found
        else "",
        "tab": "scan",
        "looks_only": _looks_only(request),
    }
    return render(request, "tickets/field/scan.html", context, status=422 if text and not found else 200)


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """Makes the field pages installable."""
    icons = [
        {"src": static(f"img/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)
    ]
    body = {
        "name": "Wardline",
        "short_name": "Wardline",
        "lang": "en" if get_language() == "en" else "zh-CN",
        "description": _("医院设备工单"),
        "start_url": reverse("field:today"),
        "scope": "/field/",
        "display": "standalone",
        "background_color": "#F4F6F5",
        "theme_color": "#0A5B5E",
        "icons": [*icons, icons[-1] | {"src": static("img/icon-maskable-512.png"), "purpose": "maskable"}],
    }
    return JsonResponse(body, content_type="application/manifest+json")


urlpatterns: list[URLPattern] = [
    path("", today, name="today"),
    path("waiting/", waiting, name="waiting"),
    path("scan/", scan, name="scan"),
    path("<public_id:public_id>/", ticket_page, name="ticket"),
    path("<public_id:public_id>/finish/", finish, name="finish"),
    path("<public_id:public_id>/finish/fill/", fill, name="fill"),
    path("<public_id:public_id>/more/", more, name="more"),
    path("<public_id:public_id>/do/<slug:verb>/", act, name="act"),
]
