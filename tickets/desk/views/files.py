"""Photos and voice notes: never a static file, always behind the ticket's own policy, and every original is logged."""

from __future__ import annotations

import logging
import mimetypes
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.views import APIView

from config.kernel.rest import SignedIn
from tickets.policies import visible_files
from tickets.record.models import Attachment

logger = logging.getLogger(__name__)


def attachment(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The re-encoded file, or its thumbnail with `?thumb=1`; 404 for strangers. A browser without a session is led to the
    sign-in; who says who it is in a header is a program, which could only mistake that page for its file."""
    return (_for_programs if request.headers.get("Authorization") else _for_browsers)(request, public_id)


@login_required
@require_safe
def _for_browsers(request: HttpRequest, public_id: str) -> HttpResponseBase:
    return _file(request, request.user, public_id)


class _ForPrograms(APIView):
    """The same file by the sign-in and the throttle of the API, which lists its address."""

    permission_classes = (SignedIn,)

    def get(self, request: Request, public_id: str) -> HttpResponseBase:
        return _file(request, request.user, public_id)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """`Accept: image/*` is no reason to refuse: only what the refusals look like is chosen here."""
        return super().perform_content_negotiation(request, force=True)


_for_programs = _ForPrograms.as_view()


def _file(request: HttpRequest | Request, user: Any, public_id: str) -> HttpResponseBase:
    row = visible_files(user, Attachment.objects.filter(public_id=public_id)).first()
    if row is None:
        raise Http404
    small = bool(request.GET.get("thumb")) and bool(row.thumbnail)
    if not small:
        logger.info("attachment %s read by person %s", row.public_id, getattr(user, "person_id", None))
    kind = "image/jpeg" if small else row.content_type
    name = f"{row.public_id}{mimetypes.guess_extension(kind) or ''}"
    try:
        body = (row.thumbnail if small else row.file).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    answer = FileResponse(body, content_type=kind, filename=name, as_attachment=True)  # <img> and <audio> do not mind
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
