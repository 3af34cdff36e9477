"""Why this due time, over REST: the same arithmetic the desk opens."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel.openapi import PROBLEMS
from config.kernel.rest import FastJSONRenderer, SignedIn
from tickets.record.queries import find
from tickets.sla import queries


class SlaView(APIView):
    """Targets, gross and net time, pauses and the arithmetic of every due time of one ticket."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: OpenApiTypes.OBJECT} | {k: PROBLEMS[k] for k in (401, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        return Response(queries.explanation(find(request.user, public_id), now=timezone.now()))


urlpatterns: list[URLPattern] = [path("tickets/<str:public_id>/sla/", SlaView.as_view(), name="api-ticket-sla")]
