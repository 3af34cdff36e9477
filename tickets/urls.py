"""Addresses of tickets: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver, include, path

from tickets.desk import views as desk
from tickets.desk.consumers import DeskConsumer
from tickets.desk.views import files
from tickets.desk.views import ward as ward_home
from tickets.field import views as field
from tickets.lifecycle import api as lifecycle
from tickets.record import api as record
from tickets.sla import api as sla
from tickets.ward import views as ward

urlpatterns: list[URLPattern | URLResolver] = [
    path("desk/", include((desk.urlpatterns, "desk"))),
    path("files/<str:public_id>/", files.attachment, name="file"),
    path("ward/", ward_home.mine, name="ward-home"),
    path("field/", include((field.urlpatterns, "field"))),
    path("manifest.webmanifest", field.manifest, name="manifest"),
    path("", include((ward.urlpatterns, "ward"))),
]
api: list[URLPattern | URLResolver] = [*lifecycle.urlpatterns, *record.urlpatterns, *sla.urlpatterns]
sockets: list[URLPattern] = [path("ws/desk/", DeskConsumer.as_asgi())]
