"""The ticket API: list, create, read, and one endpoint for each step of its story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets.places.models import User
from assets.policies import can_see_device, is_house_staff
from config.kernel.errors import Refused
from config.kernel.moments import MomentFilter
from config.kernel.openapi import IDEMPOTENCY, IF_MATCH, PROBLEMS
from config.kernel.rest import (
    FastJSONRenderer,
    KeysetPagination,
    SignedIn,
    StrictSerializer,
    etag,
    expected_version,
    idempotent,
    matches,
)
from tickets import policies
from tickets.lifecycle import serializers as shapes
from tickets.lifecycle import services as lifecycle
from tickets.record.models import Source, State, Ticket
from tickets.record.queries import find
from tickets.record.services import lock
from tickets.sla import queries

NEW = {
    "device": "FKMK5mRuM6RPJIRnbjz2Pw",
    "symptom": "ventilator-stopped",
    "in_use": True,
    "danger": [],
    "description": "Stopped during ventilation",
}


def answer(said: dict[str, Any], status: int = 200) -> Response:
    return Response(said, status=status, headers={"ETag": etag(said["version"])})


class TicketFilter(django_filters.FilterSet):
    """Named filters only; nothing of the query string reaches the ORM as a name."""

    state = django_filters.MultipleChoiceFilter(choices=State.choices)
    priority = django_filters.TypedMultipleChoiceFilter(choices=[(n, str(n)) for n in (1, 2, 3, 4)], coerce=int)
    open = django_filters.TypedChoiceFilter(
        method="by_open", choices=[("true", "true"), ("false", "false")], coerce=lambda value: value == "true"
    )
    department = django_filters.CharFilter("department__code")
    device = django_filters.CharFilter("device__public_id")
    assignee = django_filters.CharFilter("assignee__username")
    reported_after = MomentFilter("reported_at", "gte")
    reported_before = MomentFilter("reported_at", "lt")

    class Meta:
        model = Ticket
        fields: ClassVar[list[str]] = []

    def by_open(self, rows: QuerySet[Ticket], name: str, value: bool) -> QuerySet[Ticket]:
        return rows.filter(ended_at__isnull=value)


class FiltersWhenAsked(django_filters.rest_framework.DjangoFilterBackend):
    """Builds its form only for a query that names a filter: most pages name none and need not pay for ten fields."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        asked = TicketFilter.base_filters.keys() & request.query_params.keys()
        return super().filter_queryset(request, queryset, view) if asked else queryset


class TicketsView(GenericAPIView[Any]):
    """The tickets of this account, newest first; and the door for a new one."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    filter_backends = (FiltersWhenAsked,)
    filterset_class = TicketFilter
    serializer_class = shapes.TicketOut

    def get_queryset(self) -> QuerySet[Any, Any]:
        return queries.rows_for(self.request.user)

    @extend_schema(
        summary="List tickets",
        description="The tickets this account may see, newest first. Filters add up; an unknown one is refused.",
        responses={200: shapes.TicketOut(many=True)} | {k: PROBLEMS[k] for k in (400, 401, 429)},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(queries.answers(page, self.request.user))

    @extend_schema(
        summary="Report a fault",
        description="A new ticket, classified, with running clocks; dispatch begins at once. `device` is a `public_id` "
        "and `symptom` one of that device's `symptoms`.",
        examples=[OpenApiExample("report", NEW, request_only=True)],
        request=shapes.NewTicket,
        parameters=[IDEMPOTENCY],
        responses={201: shapes.TicketOut} | {k: PROBLEMS[k] for k in (400, 401, 403, 409, 429)},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        if not policies.can_report(request.user):
            raise Refused(_("你的账号不能做这件事。"))
        at = timezone.now()
        given = shapes.NewTicket(data=request.data, context={"at": at})
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        device, preset, past = fields.pop("reported")
        if not can_see_device(request.user, device):
            raise Http404
        parent = find(request.user, fields.pop("parent")) if fields.get("parent") else None
        ticket = lifecycle.submit(
            device=device, preset=preset, past=past, parent=parent, source=Source.API, by=request.user, at=at, **fields
        )
        if ticket.first_dues is None:  # the same client id again: an older ticket, of which nothing is in hand
            return answer(queries.answer_for(request.user, ticket.public_id), 201)
        return answer(queries.answer_of(ticket, request.user), 201)


class TicketView(APIView):
    """One ticket."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(
        responses={200: shapes.TicketOut, 304: OpenApiResponse(description="unchanged")}
        | {k: PROBLEMS[k] for k in (401, 404, 429)}
    )
    def get(self, request: Request, public_id: str) -> Response:
        said = queries.answer_for(request.user, public_id)
        if matches(request, said["version"]):
            return Response(status=304, headers={"ETag": etag(said["version"])})
        return answer(said)


Step = Callable[[Ticket, User, datetime, dict[str, Any], int | None], Any]


@dataclass(frozen=True)
class Verb:
    """One step: who may, what comes in, which service runs."""

    name: str
    may: Callable[[Any, Ticket], bool]
    body: type[StrictSerializer]
    step: Step
    does: str
    example: dict[str, Any]


def _plain(service: Callable[..., Any]) -> Step:
    return lambda ticket, by, at, given, version: service(ticket, by=by, at=at, version=version, **given)


def _triage(ticket: Ticket, by: User, at: datetime, given: dict[str, Any], version: int | None) -> Any:
    if "symptom" in given:
        given["preset"] = given.pop("symptom")
    return lifecycle.triage(ticket, by=by, at=at, version=version, **given)


def _resolve(ticket: Ticket, by: User, at: datetime, given: dict[str, Any], version: int | None) -> Any:
    return lifecycle.resolve(ticket, sheet=lifecycle.FinishSheet(**given), by=by, at=at, version=version)


def _confirm(ticket: Ticket, by: User, at: datetime, given: dict[str, Any], version: int | None) -> Any:
    rating = given.pop("rating", None)
    closed = lifecycle.confirm(ticket, by=by, at=at, version=version, **given)
    return lifecycle.rate(closed, rating=rating, by=by, at=at) if rating else closed


def _cancel(ticket: Ticket, by: User, at: datetime, given: dict[str, Any], version: int | None) -> Any:
    return lifecycle.cancel(ticket, by=by, at=at, version=version, before_acceptance=not policies.is_desk(by), **given)


# Step by step: who may, what comes in, what it does, and a body that works.
VERBS: tuple[Verb, ...] = (
    Verb("triage", policies.can_triage, shapes.Triage, _triage,
         "Desk: set or correct symptom and impact. The priority follows from the matrix.",
         {"symptom": "ventilator-stopped", "impact": "I1"}),
    Verb("assign", policies.can_assign, shapes.Assign, _plain(lifecycle.assign),
         "Desk, or the engineer who hands over: give it to this engineer. Taking it from somebody needs a reason.",
         {"to": "wang", "reason": "knows this device"}),
    Verb("accept", policies.can_take, shapes.Nothing, _plain(lifecycle.accept),
         "Engineer: accept what was assigned, or take what is open to take. Of rivals one wins, the others get a 409.",
         {}),
    Verb("decline", policies.can_work, shapes.WithReason, _plain(lifecycle.decline),
         "Engineer: give it back with a reason. It is matched again and not offered to the same person.",
         {"reason": "no card for this device"}),
    Verb("depart", policies.can_work, shapes.Depart, _plain(lifecycle.depart),
         "Engineer: on the way. `eta_minutes` replaces the estimate that the ward sees.", {"eta_minutes": 6}),
    Verb("arrive", policies.can_work, shapes.Arrive, _plain(lifecycle.arrive),
         "Engineer: at the device. Without a scan a reason is kept. Meets the arrival target.", {"scanned": True}),
    Verb("start", policies.can_work, shapes.Start, _plain(lifecycle.start),
         "Engineer: work begins. Refused while the decontamination state is undeclared.", {"decon": "cleaned"}),
    Verb("pause", policies.can_work, shapes.PauseIn, _plain(lifecycle.pause),
         "Engineer: wait for parts, vendor or ward. Goes on by itself at `until`; response and arrival never pause.",
         {"reason": "parts", "until": "2026-12-01T09:00:00+08:00"}),
    Verb("resume", policies.can_work, shapes.Nothing, _plain(lifecycle.resume),
         "Engineer: go on with the step that was held; before arrival, arrival is still to come.", {}),
    Verb("resolve", policies.can_work, shapes.Resolve, _resolve,
         "Engineer: the finish sheet, signed by this account. The ward is asked to confirm.",
         {"cause": "part", "action": "replace", "release": "usable",
          "tests": [{"code": "function", "name": "Function", "value": 1, "passed": True}],
          "parts": [{"name": "Power board", "quantity": 1}]}),
    Verb("confirm", policies.can_verify, shapes.Confirm, _confirm,
         "Ward or desk: it works. Closes the ticket; `rating` is 3 (good) to 1.", {"rating": 3}),
    Verb("dispute", policies.can_verify, shapes.WithOptionalReason, _plain(lifecycle.dispute),
         "Ward or desk: still broken. Reopens it for somebody else.", {"reason": "alarms again"}),
    Verb("close", policies.can_close, shapes.WithReason, _plain(lifecycle.close),
         "Desk: close without the ward's word, with a reason.", {"reason": "ward confirmed by phone"}),
    Verb("reopen", policies.can_close, shapes.WithReason, _plain(lifecycle.reopen),
         "Desk: open a closed ticket again.", {"reason": "came back an hour later"}),
    Verb("cancel", policies.can_cancel, shapes.WithOptionalReason, _cancel,
         "Ward: withdraw before somebody accepted. Desk: withdraw with a reason.", {"reason": "reported twice"}),
    Verb("reject", policies.can_close, shapes.WithReason, _plain(lifecycle.reject),
         "Desk: not ours to repair.", {"reason": "belongs to IT"}),
    Verb("reprioritise", policies.can_triage, shapes.Reprioritise, _plain(lifecycle.reprioritise),
         "Desk: another priority, with a reason. All targets are counted anew from the report.",
         {"priority": 1, "reason": "patient depends on it"}),
)  # fmt: skip


def verb_view(verb: Verb) -> type[APIView]:
    """The endpoint of one step."""

    class VerbView(APIView):
        permission_classes = (SignedIn,)
        renderer_classes = (FastJSONRenderer,)

        @extend_schema(
            operation_id=f"tickets_{verb.name}",
            summary=f"{verb.name.capitalize()} a ticket",
            description=f"{verb.does} Not possible in the ticket's state: 409.",
            examples=[OpenApiExample(verb.name, verb.example, request_only=True)],
            request=verb.body,
            parameters=[IF_MATCH, IDEMPOTENCY],
            responses={200: shapes.TicketOut} | PROBLEMS,
        )
        @idempotent
        def post(self, request: Request, public_id: str) -> Response:
            ticket = find(request.user, public_id)
            if not verb.may(request.user, ticket):
                raise Refused(_refusal(request.user, ticket))
            given = verb.body(data=request.data or {})
            given.is_valid(raise_exception=True)
            ticket = lock(ticket)
            if not verb.may(request.user, ticket):  # given to somebody else since it was read
                raise Refused(_refusal(request.user, ticket))
            verb.step(ticket, request.user, timezone.now(), dict(given.validated_data), expected_version(request))
            return answer(queries.answer_for(request.user, public_id))

    VerbView.__name__ = f"{verb.name.title()}View"
    VerbView.__doc__ = verb.does
    return VerbView


def _refusal(user: Any, ticket: Ticket) -> str:
    if is_house_staff(user) and ticket.assignee_id and ticket.assignee_id != user.pk and policies.is_engineer(user):
        return _("这张单在%(name)s手上，不在你手上。") % {"name": ticket.assignee.short_name if ticket.assignee else ""}
    return _("你的账号不能做这件事。")


urlpatterns: list[URLPattern] = [
    path("tickets/", TicketsView.as_view(), name="api-tickets"),
    path("tickets/<str:public_id>/", TicketView.as_view(), name="api-ticket"),
    *(
        path(f"tickets/<str:public_id>/{verb.name}/", verb_view(verb).as_view(), name=f"api-ticket-{verb.name}")
        for verb in VERBS
    ),
]
