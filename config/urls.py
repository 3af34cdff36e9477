"""Composition: which door answers at which address. Imported by nobody."""

from django.contrib import admin
from django.urls import include, path

from assets import urls as assets
from config import health
from dispatch import urls as dispatch
from integrations import urls as integrations
from tickets import urls as tickets

_apps = (assets, tickets, dispatch, integrations)

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include([route for app in _apps for route in app.api])),
    *(route for app in _apps for route in app.urlpatterns),
]
