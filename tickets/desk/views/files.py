"""Photos and voice notes: never a static file, always behind the ticket's own policy, and every original is logged."""

from __future__ import annotations

import logging
import mimetypes

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from tickets.policies import visible_files
from tickets.record.models import Attachment

logger = logging.getLogger(__name__)


@login_required
@require_safe
def attachment(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The re-encoded file, or its thumbnail with `?thumb=1`; 404 for strangers."""
    row = visible_files(request.user, Attachment.objects.filter(public_id=public_id)).first()
    if row is None:
        raise Http404
    small = bool(request.GET.get("thumb")) and bool(row.thumbnail)
    if not small:
        logger.info("attachment %s read by person %s", row.public_id, getattr(request.user, "person_id", None))
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
