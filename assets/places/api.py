"""Places and departments over REST."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request

from assets.places.models import Department, Location
from config.kernel.rest import FastJSONRenderer, KeysetPagination, SignedIn

_ANSWERS = {
    401: OpenApiResponse(description="problem+json: sign in"),
    404: OpenApiResponse(description="problem+json: no such page"),
    429: OpenApiResponse(description="problem+json: too many requests"),
}


class LocationOut(serializers.Serializer[Location]):
    code = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField(source="label")
    path = serializers.CharField()
    parent = serializers.CharField(source="parent.code", default=None, allow_null=True)
    floor = serializers.IntegerField()


class DepartmentOut(serializers.Serializer[Department]):
    code = serializers.CharField()
    name = serializers.CharField(source="label")
    extension = serializers.CharField()
    location = serializers.CharField(source="location.path", default=None, allow_null=True)


class PlacesView(ListAPIView[Location]):
    """The tree of buildings, floors, rooms and beds."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    serializer_class = LocationOut

    def get_queryset(self) -> QuerySet[Location]:
        return Location.objects.select_related("parent")

    @extend_schema(responses={200: LocationOut(many=True)} | _ANSWERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class DepartmentsView(ListAPIView[Department]):
    """Departments and the number to call."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    serializer_class = DepartmentOut

    def get_queryset(self) -> QuerySet[Department]:
        return Department.objects.select_related("location")

    @extend_schema(responses={200: DepartmentOut(many=True)} | _ANSWERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


urlpatterns: list[URLPattern] = [
    path("places/", PlacesView.as_view(), name="api-places"),
    path("departments/", DepartmentsView.as_view(), name="api-departments"),
]
