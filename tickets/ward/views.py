"""The anonymous pages: scan and report, receipt and tracking. A token identifies; it never opens more than its page."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent, ValidationError
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from assets.register import queries as register
from assets.register.models import Device, DeviceStatus
from config.kernel.errors import DomainError, Invalid, Refused
from tickets import policies
from tickets.lifecycle import services as lifecycle
from tickets.record import services as record
from tickets.record.models import Ticket
from tickets.record.queries import open_on
from tickets.ward import queries, services
from tickets.ward.forms import ReportForm
from tickets.ward.rules import PHOTOS, WRONG_CODES_WITHIN

BROWSER_COOKIE = "__Host-phone" if settings.SESSION_COOKIE_SECURE else "phone"  # counts reports; opens nothing
View = Callable[..., HttpResponseBase]


def anonymous_page(view: View) -> View:
    """No referrer, no index, the language asked for by `?lang=`. No cookie of ours carries authority here, so there is
    nothing that a forged cross-site post could borrow: CSRF protection would only break phones without cookies."""

    @csrf_exempt
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        wanted = request.GET.get("lang", "")
        if wanted in dict(settings.LANGUAGES):
            translation.activate(wanted)
            request.LANGUAGE_CODE = wanted
        answer = view(request, *args, **kwargs)
        if wanted in dict(settings.LANGUAGES):
            answer.set_cookie(
                settings.LANGUAGE_COOKIE_NAME, wanted, max_age=31_536_000, httponly=True, samesite="Lax",
                secure=settings.LANGUAGE_COOKIE_SECURE,
            )  # fmt: skip
        answer["Referrer-Policy"] = "no-referrer"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        return answer

    return page


@anonymous_page
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the QR."""
    device = register.by_token(token)
    if device is None:
        return render(request, "tickets/ward/unknown.html", {"phone": settings.HOSPITAL_PHONE}, status=404)
    if device.status == DeviceStatus.RETIRED:
        return render(request, "tickets/ward/retired.html", _page(device), status=410)
    if request.method == "POST":
        return _submit(request, device, token)
    return _answer(request, device, ReportForm(device=device), token)


def _submit(request: HttpRequest, device: Device, token: str) -> HttpResponse:
    same = bool(request.POST.get("same")) and open_on(device) is not None
    form = ReportForm(request.POST, device=device, joinable=same)
    if not form.is_valid():
        return _answer(request, device, form, token, status=422)
    given = form.cleaned_data
    busy = services.note_attempt(
        device=device, browser=request.COOKIES.get(BROWSER_COOKIE, "-"), address=request.META.get("REMOTE_ADDR", "-")
    )
    receipt = services.report(
        device,
        preset=given["symptom"],
        in_use={"yes": True, "no": False}.get(given["in_use"]),
        danger=given["danger"],
        description=given["description"],
        client_id=given["client_id"],
        separate=given["separate"],
        same=given["same"],
        client_reported_at=given["client_at"],
        at=timezone.now(),
        busy=busy,
    )
    return HttpResponseRedirect(reverse("ward:track", args=[receipt.token]), status=303)


def _answer(request: HttpRequest, device: Device, form: ReportForm, token: str, *, status: int = 200) -> HttpResponse:
    already = open_on(device)
    now = timezone.now()
    context = _page(device) | {
        "form": form,
        "token": token,
        "tiles": queries.tiles_for(device),
        "dangers": queries.DANGER_ICONS,
        "chosen": {
            "in_use": form.data.get("in_use", ""),
            "symptom": form.data.get("symptom", ""),
            "danger": form.data.getlist("danger") if form.is_bound and hasattr(form.data, "getlist") else [],
            "description": form.data.get("description", ""),
        },
        "client_id": form.data.get("client_id") or uuid.uuid4(),
        "already": already,
        "already_minutes": int((now - already.reported_at).total_seconds() // 60) if already else 0,
        "already_at": already.reported_at if already else None,
        "already_eta": queries.eta_minutes(already, now) if already else None,
        "already_eta_at": already.eta_at if already else None,
        "already_repaired": already is not None and already.state in services.REPAIRED,
        "stopped": not device.usable,
        # the fault in the reader's language while its ticket is open; else the words of whoever stopped it
        "stopped_for": already.fault_label if already and already.danger and already.preset else device.status_reason,
        "restricted": device.status == DeviceStatus.RESTRICTED,
        "backup": None if device.usable else register.nearest_ready_backup(device),
        "other_lang": "zh-hans" if translation.get_language() == "en" else "en",
    }
    answer = render(request, "tickets/ward/report.html", context, status=status)
    if BROWSER_COOKIE not in request.COOKIES:
        answer.set_cookie(
            BROWSER_COOKIE, secrets.token_urlsafe(12), max_age=31_536_000, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    return answer


def _page(device: Device) -> dict[str, Any]:
    return {"device": device, "phone": settings.HOSPITAL_PHONE}


@anonymous_page
@require_http_methods(["GET", "HEAD", "POST"])
def by_code(request: HttpRequest) -> HttpResponse:
    """The short code typed by hand, for a torn label or a phone without a scanner."""
    typed, wrong, status = request.POST.get("code", ""), "", 200
    address = request.META.get("REMOTE_ADDR", "-")
    if request.method == "POST" and not services.may_try_codes(address):
        wrong, status = _("输错太多次，10 分钟后再输。扫标签上的二维码，或打电话报修"), 429
    elif request.method == "POST":
        device = register.by_short_code(typed)
        if device:
            return HttpResponseRedirect(reverse("ward:report", args=[register.token_of(device)]), status=303)
        services.note_wrong_code(address)
        wrong, status = _("没有这个短码。看标签上的 6 位，再输一次"), 422
    context = {"typed": typed, "wrong": wrong, "phone": settings.HOSPITAL_PHONE}
    answer = render(request, "tickets/ward/code.html", context, status=status)
    if status == 429:
        answer["Retry-After"] = str(int(WRONG_CODES_WITHIN.total_seconds()))
    return answer


def _found(token: str) -> Ticket:
    ticket = queries.find(token)
    if ticket is None or not queries.alive(ticket, timezone.now()):
        raise Http404
    return ticket


@anonymous_page
@require_http_methods(["GET", "HEAD"])
def track(request: HttpRequest, token: str) -> HttpResponse:
    """Receipt first, then progress, then confirmation: one page for the whole life of a report."""
    answer = _tracking(request, token, _found(token))
    # The part that lives: the head carries the second, and a poll that brings nothing new should weigh nothing.
    etag = f'"{hashlib.sha256(answer.content.partition(b"<body")[2]).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304)
    answer["ETag"] = etag
    return answer


def _tracking(
    request: HttpRequest, token: str, ticket: Ticket, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = queries.tracking(ticket, timezone.now(), token) | {
        "token": token,
        "problem": problem,
        "said": request.GET.get("said", "") if request.GET.get("said") in (*VERBS, *OUTCOMES) and not problem else "",
        "given": request.POST if problem else {},
        "photo_limit": PHOTOS,
        "other_lang": "zh-hans" if translation.get_language() == "en" else "en",
    }
    return render(request, "tickets/ward/track.html", context, status=status)


Verb = Callable[[HttpRequest, Ticket, str], Any]


def _said(request: HttpRequest, name: str, most: int) -> str:
    """What was typed; nothing is cut off it in silence."""
    text = request.POST.get(name, "").replace("\r\n", "\n")
    if len(text) > most:
        raise Invalid(_("最多写 %(most)s 个字，现在有 %(n)s 个。") % {"most": most, "n": len(text)})
    return text


def _no_engineer(request: HttpRequest) -> None:
    """A link proves that somebody stood at the device. An engineer who is signed in on this phone did too, and still does
    not speak for the ward."""
    if policies.is_engineer(request.user):
        raise Refused(_("验收和评价由报修的科室来做。"))


def _note(request: HttpRequest, ticket: Ticket, token: str) -> Any:
    return services.add_note(ticket, token=token, text=_said(request, "text", 500), at=timezone.now())


def _file(request: HttpRequest, ticket: Ticket, token: str) -> str:
    """`file`, or `some` when more came at once than are taken."""
    uploads = request.FILES.getlist("file")
    if not uploads:
        raise Invalid(_("没有选文件。"))
    for upload in uploads[:PHOTOS]:
        record.attach(ticket, upload=upload, by=None, at=timezone.now(), once=True)
    return "some" if len(uploads) > PHOTOS else "file"


def _nudge(request: HttpRequest, ticket: Ticket, token: str) -> str:
    return "nudge" if services.nudge_again(ticket, token=token, at=timezone.now()) else "soon"


def _withdraw(request: HttpRequest, ticket: Ticket, token: str) -> str:
    return "withdraw" if services.withdraw(ticket, token=token, at=timezone.now()) else "kept"


def _confirm(request: HttpRequest, ticket: Ticket, token: str) -> Any:
    _no_engineer(request)
    return lifecycle.confirm(ticket, by=None, at=timezone.now(), name=_said(request, "name", 40))


def _dispute(request: HttpRequest, ticket: Ticket, token: str) -> Any:
    return lifecycle.dispute(ticket, by=None, at=timezone.now(), reason=_said(request, "text", 200))


def _rate(request: HttpRequest, ticket: Ticket, token: str) -> Any:
    _no_engineer(request)
    given = request.POST.get("rating", "")
    rating = int(given) if given in ("1", "2", "3") else 0
    return lifecycle.rate(ticket, rating=rating, by=None, at=timezone.now())


def _name(request: HttpRequest, ticket: Ticket, token: str) -> Any:
    name, phone = _said(request, "name", 40), request.POST.get("phone", "")
    return services.name_reporter(ticket, name=name, phone=phone, at=timezone.now())


VERBS: dict[str, Verb] = {
    "add": _note,
    "file": _file,
    "nudge": _nudge,
    "withdraw": _withdraw,
    "confirm": _confirm,
    "dispute": _dispute,
    "rate": _rate,
    "name": _name,
}
OUTCOMES = ("kept", "some", "soon")  # what a verb may say in place of its own name


@anonymous_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, token: str, verb: str) -> HttpResponse:
    """One step by the holder of the token, on its own ticket only; the state decides whether it may happen.

    A refusal is shown at this address. A phone that opens it again (a tab it had put away) is led to the page.
    """
    if verb not in VERBS:
        raise Http404
    ticket = _found(token)
    if request.method != "POST":
        return HttpResponseRedirect(reverse("ward:track", args=[token]))
    try:
        record.check_uploads(request.FILES.getlist("file")[:PHOTOS])
        with transaction.atomic():
            done = VERBS[verb](request, ticket, token)
    except TooManyFilesSent:
        sentence = _("一次最多 %(n)s 张照片，没有收下。请少选几张再发。") % {"n": PHOTOS}
        return _tracking(request, token, _found(token), problem=sentence, status=400)
    except DomainError as refusal:
        return _tracking(request, token, _found(token), problem=str(refusal), status=refusal.status)
    except ValidationError as refusal:
        return _tracking(request, token, _found(token), problem=" ".join(refusal.messages), status=422)
    said = done if isinstance(done, str) else verb
    return HttpResponseRedirect(f"{reverse('ward:track', args=[token])}?said={said}", status=303)


@anonymous_page
@require_http_methods(["GET", "HEAD"])
def thumbnail(request: HttpRequest, token: str, public_id: str) -> HttpResponseBase:
    """The small picture of a photo that the ward itself sent; originals, and what engineers add, are not here."""
    row = next((f for f in queries.sent_by_ward(_found(token)) if f.public_id == public_id and f.thumbnail), None)
    if row is None:
        raise Http404
    try:
        body = row.thumbnail.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    answer = FileResponse(body, content_type="image/jpeg", filename=f"{row.public_id}.jpg", as_attachment=True)
    answer["Cache-Control"] = "private, max-age=86400"  # a file never changes under its name
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


urlpatterns: list[URLPattern] = [
    path("q/", by_code, name="code"),
    path("q/<str:token>/", report, name="report"),
    path("t/<str:token>/", track, name="track"),
    path("t/<str:token>/files/<str:public_id>/", thumbnail, name="file"),
    path("t/<str:token>/<slug:verb>/", act, name="act"),
]
