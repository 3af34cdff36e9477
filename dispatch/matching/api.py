"""Why this engineer, over REST: every stored decision of one ticket, newest first."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel.errors import Refused
from config.kernel.openapi import PROBLEMS
from config.kernel.rest import FastJSONRenderer, SignedIn
from dispatch import policies
from dispatch.matching import queries
from dispatch.matching.models import Decision
from tickets.record.queries import find


class DecisionOut(serializers.Serializer[Decision]):
    at = serializers.DateTimeField()
    outcome = serializers.CharField()
    chosen = serializers.CharField(source="chosen.username", default=None, allow_null=True)
    mode = serializers.CharField()
    weights_version = serializers.IntegerField()
    input_hash = serializers.CharField()
    needs_review = serializers.BooleanField()
    open = serializers.BooleanField(help_text="A suggestion that waits for a dispatcher.")
    explanation = serializers.SerializerMethodField(help_text="Every candidate's terms and every rejection's rule.")

    def get_explanation(self, decision: Decision) -> dict[str, Any]:
        return queries.as_data(decision, self.context["words"])


class AssignmentView(APIView):
    """Candidates, their cost terms, the rejected ones with the rule they broke."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: DecisionOut(many=True)} | {k: PROBLEMS[k] for k in (401, 403, 404, 429)})
    def get(self, request: Request, public_id: str) -> Response:
        ticket = find(request.user, public_id)
        if not policies.can_see_explanation(request.user):
            raise Refused(_("你的账号不能做这件事。"))
        rows: Any = list(Decision.objects.filter(ticket=ticket).select_related("chosen").order_by("-id")[:50])
        context = {"words": queries.words_for(rows)}
        return Response(DecisionOut(rows, many=True, context=context).data)


urlpatterns: list[URLPattern] = [
    path("tickets/<str:public_id>/assignment/", AssignmentView.as_view(), name="api-ticket-assignment")
]
