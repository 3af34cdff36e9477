"""Engineers and shifts over REST, for the equipment department."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from config.kernel.moments import MomentFilter
from config.kernel.openapi import PROBLEMS
from config.kernel.rest import FastJSONRenderer, KeysetPagination
from dispatch import policies
from dispatch.engineers.models import Engineer
from dispatch.roster.models import Shift

_ANSWERS = {k: PROBLEMS[k] for k in (400, 401, 403, 429)}


class SeesRoster(BasePermission):
    """The equipment department; wards see the surname on their own ticket and nothing else."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and policies.can_see_roster(request.user))


class SkillOut(serializers.Serializer[Any]):
    code = serializers.CharField(source="skill.code")
    level = serializers.IntegerField()


class CardOut(serializers.Serializer[Any]):
    code = serializers.CharField(source="qualification.code")
    valid_until = serializers.DateField()


class EngineerOut(serializers.Serializer[Engineer]):
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.label")
    max_open = serializers.IntegerField()
    is_lead = serializers.BooleanField()
    active = serializers.BooleanField()
    skills = SkillOut(many=True)
    qualifications = CardOut(many=True)


class ShiftOut(serializers.Serializer[Shift]):
    engineer = serializers.CharField(source="engineer.user.username")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    role = serializers.CharField()
    presence = serializers.CharField()
    name = serializers.CharField()


class EngineersView(ListAPIView[Engineer]):
    """Engineers with skills and cards."""

    permission_classes = (SeesRoster,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    serializer_class = EngineerOut

    def get_queryset(self) -> QuerySet[Engineer]:
        return Engineer.objects.select_related("user").prefetch_related(
            "skills__skill", "qualifications__qualification"
        )

    @extend_schema(responses={200: EngineerOut(many=True)} | _ANSWERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class ShiftFilter(django_filters.FilterSet):
    engineer = django_filters.CharFilter("engineer__user__username")
    at = MomentFilter(method="covering", label=_("此刻在班"))

    def covering(self, rows: QuerySet[Shift], name: str, moment: Any) -> QuerySet[Shift]:
        return rows.filter(starts_at__lte=moment, ends_at__gt=moment)


class ShiftsView(ListAPIView[Shift]):
    """Shifts, newest first; `at` picks those covering a moment."""

    permission_classes = (SeesRoster,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    filterset_class = ShiftFilter
    serializer_class = ShiftOut

    def get_queryset(self) -> QuerySet[Shift]:
        return Shift.objects.select_related("engineer__user")

    @extend_schema(responses={200: ShiftOut(many=True)} | _ANSWERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


urlpatterns: list[URLPattern] = [
    path("engineers/", EngineersView.as_view(), name="api-engineers"),
    path("shifts/", ShiftsView.as_view(), name="api-shifts"),
]
