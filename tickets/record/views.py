"""Files of a ticket: always as a download that no browser runs, only to people who may see the ticket, each opening noted."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from config.kernel import paths  # noqa: F401 - registers the converter used below
from tickets.policies import visible_tickets
from tickets.record.models import Attachment, Ticket

SANDBOX = "sandbox; default-src 'none'"


@login_required
@require_safe
def attachment(request: HttpRequest, public_id: str, size: str = "original") -> HttpResponseBase:
    """The original, or the thumbnail that lists show. Somebody else's file is not there."""
    mine = visible_tickets(request.user, Ticket.objects.all())
    row = Attachment.objects.filter(public_id=public_id, ticket__in=mine).select_related("ticket").first()
    if row is None:
        raise Http404
    small = size == "thumb"
    stored = row.thumbnail if small else row.file
    if not stored:
        raise Http404
    suffix = stored.name.rsplit(".", 1)[-1]
    answer = FileResponse(
        stored.open("rb"),
        as_attachment=not small,
        filename=f"{row.ticket.number}-{row.pk}.{suffix}",
        content_type="image/jpeg" if small else row.content_type,
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = SANDBOX
    answer["Cache-Control"] = "private, no-store"
    return answer


urlpatterns: list[URLPattern] = [
    path("<public_id:public_id>/", attachment, name="original"),
    path("<public_id:public_id>/thumb/", attachment, {"size": "thumb"}, name="thumb"),
]
