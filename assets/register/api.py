"""Devices over REST: the register as far as the caller may see it."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assets.policies import visible_devices
from assets.register.models import Criticality, Device, DeviceStatus
from config.kernel.rest import FastJSONRenderer, KeysetPagination, SignedIn

_ANSWERS = {
    401: OpenApiResponse(description="problem+json: sign in"),
    404: OpenApiResponse(description="problem+json: not there, or not yours"),
    429: OpenApiResponse(description="problem+json: too many requests"),
}


class DeviceOut(serializers.Serializer[Device]):
    public_id = serializers.CharField()
    asset_no = serializers.CharField()
    short_code = serializers.CharField(allow_null=True)
    name = serializers.CharField(source="label")
    model = serializers.CharField()
    manufacturer = serializers.CharField()
    serial_no = serializers.CharField()
    udi_di = serializers.CharField()
    group = serializers.CharField(source="type.group.code")
    criticality = serializers.ChoiceField(Criticality.choices)
    life_support = serializers.BooleanField(source="type.life_support")
    status = serializers.ChoiceField(DeviceStatus.choices)
    status_reason = serializers.CharField()
    department = serializers.CharField(source="department.code")
    location = serializers.CharField(source="location.path")
    warranty_ends_on = serializers.DateField(allow_null=True)


class SymptomOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField(source="flat_label")
    default_impact = serializers.CharField()


class DeviceDetailOut(DeviceOut):
    symptoms = SymptomOut(many=True, source="type.group.presets.all")


class DeviceFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=DeviceStatus.choices)
    group = django_filters.CharFilter("type__group__code")
    department = django_filters.CharFilter("department__code")
    asset_no = django_filters.CharFilter("asset_no", "iexact")
    short_code = django_filters.CharFilter("short_code", "iexact")

    class Meta:
        model = Device
        fields: ClassVar[list[str]] = []


class DevicesView(ListAPIView[Device]):
    """Devices this account may see."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)
    pagination_class = KeysetPagination
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    filterset_class = DeviceFilter
    serializer_class = DeviceOut

    def get_queryset(self) -> QuerySet[Device]:
        return visible_devices(self.request.user, Device.objects.for_display())

    @extend_schema(responses={200: DeviceOut(many=True), 400: OpenApiResponse(description="problem+json")} | _ANSWERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class DeviceView(APIView):
    """One device with the symptoms a report may name."""

    permission_classes = (SignedIn,)
    renderer_classes = (FastJSONRenderer,)

    @extend_schema(responses={200: DeviceDetailOut} | _ANSWERS)
    def get(self, request: Request, public_id: str) -> Response:
        rows = visible_devices(request.user, Device.objects.for_display().prefetch_related("type__group__presets"))
        device = rows.filter(public_id=public_id).first()
        if device is None:
            raise Http404
        return Response(DeviceDetailOut(device).data)


urlpatterns: list[URLPattern] = [
    path("devices/", DevicesView.as_view(), name="api-devices"),
    path("devices/<str:public_id>/", DeviceView.as_view(), name="api-device"),
]
