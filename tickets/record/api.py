"""What hangs on a ticket, over REST: comments, attachments, timeline. The steps of its story are lifecycle's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel import log
from config.kernel.errors import Refused
from config.kernel.models import EventRecord
from config.kernel.openapi import IDEMPOTENCY, PROBLEMS
from config.kernel.rest import FastJSONRenderer, SignedIn, StrictSerializer, idempotent
from tickets import policies
from tickets.record import services as record
from tickets.record.models import Attachment, Comment, CostLine, Ticket
from tickets.record.queries import find, names_of


class CommentIn(StrictSerializer):
    text = serializers.CharField(max_length=500)
    public = serializers.BooleanField(default=True, help_text="The ward sees it too.")


class CommentOut(serializers.Serializer[Comment]):
    id = serializers.IntegerField(source="pk")
    text = serializers.CharField()
    public = serializers.BooleanField()
    masked = serializers.BooleanField(help_text="Something that looked like personal data was hidden.")
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.public_id", default=None, allow_null=True)


class CommentsView(APIView):
    """Notes on one ticket, oldest first. Ward accounts read the public ones."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: CommentOut(many=True)} | {k: PROBLEMS[k] for k in (401, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        rows = find(request.user, public_id).comments.select_related("by")
        if not policies.is_house_staff(request.user):
            rows = rows.filter(public=True)
        return Response(CommentOut(rows, many=True).data)

    @extend_schema(request=CommentIn, parameters=[IDEMPOTENCY], responses={201: CommentOut} | PROBLEMS)
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        ticket = find(request.user, public_id)
        if not policies.can_comment(request.user, ticket):
            raise Refused(_("你的账号不能做这件事。"))
        given = CommentIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = record.comment(ticket, by=request.user, at=timezone.now(), **given.validated_data)
        return Response(CommentOut(row).data, status=201)


class AttachmentOut(serializers.Serializer[Attachment]):
    id = serializers.CharField(source="public_id")
    kind = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="bytes")
    sha256 = serializers.CharField()
    public = serializers.BooleanField(help_text="The ward sees it too.")
    at = serializers.DateTimeField()
    url = serializers.SerializerMethodField(help_text="Opens with the same `Authorization`; `?thumb=1` is a small one.")

    @extend_schema_field(serializers.URLField())
    def get_url(self, row: Attachment) -> str:
        return f"{settings.PUBLIC_BASE_URL}/files/{row.public_id}/"


class AttachmentIn(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="JPEG, PNG or WebP up to 10 MB, or a voice note; images are re-encoded.")


class AttachmentsView(APIView):
    """Photos and voice notes of one ticket. Ward accounts read the public ones."""

    permission_classes = (SignedIn,)
    parser_classes = (MultiPartParser,)

    @extend_schema(responses={200: AttachmentOut(many=True)} | {k: PROBLEMS[k] for k in (401, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        rows = policies.visible_files(request.user, find(request.user, public_id).attachments.all())
        return Response(AttachmentOut(rows, many=True).data)

    @extend_schema(request=AttachmentIn, responses={201: AttachmentOut} | PROBLEMS)
    def post(self, request: Request, public_id: str) -> Response:
        ticket = find(request.user, public_id)
        if not policies.can_comment(request.user, ticket):
            raise Refused(_("你的账号不能做这件事。"))
        given = AttachmentIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = record.attach(ticket, upload=given.validated_data["file"], by=request.user, at=timezone.now())
        return Response(AttachmentOut(row).data, status=201)


class CostIn(StrictSerializer):
    kind = serializers.ChoiceField(list(CostLine.KINDS.items()))
    amount = serializers.DecimalField(max_digits=10, decimal_places=2, help_text="yuan")
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class CostOut(serializers.Serializer[CostLine]):
    kind = serializers.CharField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2)
    note = serializers.CharField()
    at = serializers.DateTimeField()


class CostsView(APIView):
    """What a repair cost; the equipment department only."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: CostOut(many=True)} | {k: PROBLEMS[k] for k in (401, 403, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        return Response(CostOut(self._ticket(request, public_id).costs.all(), many=True).data)

    @extend_schema(request=CostIn, parameters=[IDEMPOTENCY], responses={201: CostOut} | PROBLEMS)
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        ticket = self._ticket(request, public_id)
        given = CostIn(data=request.data)
        given.is_valid(raise_exception=True)
        row = record.add_cost(ticket, by=request.user, at=timezone.now(), **given.validated_data)
        return Response(CostOut(row).data, status=201)

    def _ticket(self, request: Request, public_id: str) -> Ticket:
        ticket = find(request.user, public_id)
        if not policies.can_see_costs(request.user):
            raise Refused(_("你的账号不能做这件事。"))
        return ticket


class TimelineItem(serializers.Serializer[EventRecord]):
    seq = serializers.IntegerField(allow_null=True)
    type = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    by_name = serializers.CharField(allow_null=True)
    data = serializers.DictField()
    hash = serializers.CharField()


class TimelineView(APIView):
    """Every fact about one ticket, oldest first, names resolved where the person still exists."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: TimelineItem(many=True)} | {k: PROBLEMS[k] for k in (401, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        ticket = find(request.user, public_id)
        facts = [
            log.as_object(r)
            for r in EventRecord.objects.filter(subject=f"ticket:{ticket.public_id}").order_by("id")[:1000]
        ]
        names = names_of(fact["by"] for fact in facts)
        return Response([fact | {"by_name": names.get(fact["by"])} for fact in facts])


urlpatterns: list[URLPattern] = [
    path("tickets/<str:public_id>/comments/", CommentsView.as_view(), name="api-ticket-comments"),
    path("tickets/<str:public_id>/attachments/", AttachmentsView.as_view(), name="api-ticket-attachments"),
    path("tickets/<str:public_id>/costs/", CostsView.as_view(), name="api-ticket-costs"),
    path("tickets/<str:public_id>/timeline/", TimelineView.as_view(), name="api-ticket-timeline"),
]
