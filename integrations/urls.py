"""Addresses of integrations: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver, path

from config.kernel.handbook import Description, Handbook
from integrations.audit.api import EventsView
from integrations.identity.api import RevokeView, TokenView
from integrations.notifications import views as notifications

urlpatterns: list[URLPattern | URLResolver] = [*notifications.urlpatterns]
api: list[URLPattern | URLResolver] = [
    path("auth/token/", TokenView.as_view(), name="api-token"),
    path("auth/token/revoke/", RevokeView.as_view(), name="api-token-revoke"),
    path("events/", EventsView.as_view(), name="api-events"),
    path("schema/", Description.as_view(), name="api-schema"),
    path("docs/", Handbook.as_view(url_name="api-schema"), name="api-docs"),
]
sockets: list[URLPattern] = []
