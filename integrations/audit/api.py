"""The event log for readers outside: facts by `seq`, each with the hash that chains it to the one before."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.kernel import log
from config.kernel.models import EventRecord
from config.kernel.openapi import PROBLEMS
from config.kernel.rest import FastJSONRenderer, SignedIn, WholeNumber, refuse_repeats
from tickets.policies import visible_events

MAX = 500


class Query(serializers.Serializer[Any]):
    after = WholeNumber(min_value=0, max_value=2**62, default=0)
    limit = WholeNumber(min_value=1, max_value=MAX, default=200)


class Fact(serializers.Serializer[EventRecord]):
    seq = serializers.IntegerField()
    type = serializers.CharField()
    at = serializers.DateTimeField()
    by = serializers.CharField()
    subject = serializers.CharField()
    data = serializers.DictField()
    hash = serializers.CharField()


class Facts(serializers.Serializer[Any]):
    results = Fact(many=True)
    next = serializers.CharField(allow_null=True)


class EventsView(APIView):
    """Facts past `after` that this account may follow, oldest first; `next` is the address of the following page."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(parameters=[Query], responses={200: Facts, 400: PROBLEMS[400]})
    def get(self, request: Request) -> Response:
        refuse_repeats(request.query_params)
        given = Query(data=request.query_params)
        given.is_valid(raise_exception=True)
        after, limit = given.validated_data["after"], given.validated_data["limit"]
        rows = visible_events(request.user, EventRecord.objects.filter(seq__gt=after).order_by("seq"))[: limit + 1]
        facts = [log.as_object(row) for row in rows]
        more = len(facts) > limit
        facts = facts[:limit]
        following = (
            request.build_absolute_uri(f"{request.path}?after={facts[-1]['seq']}&limit={limit}") if more else None
        )
        return Response({"results": facts, "next": following})
