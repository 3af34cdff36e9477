"""Addresses of dispatch: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver, include, path

from dispatch.engineers import views as engineers
from dispatch.matching import api as matching
from dispatch.matching import views as matching_pages
from dispatch.roster import api as roster
from dispatch.roster import views as roster_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((engineers.urlpatterns, "engineers"))),
    *roster_pages.urlpatterns,
    *matching_pages.urlpatterns,
]
api: list[URLPattern | URLResolver] = [*matching.urlpatterns, *roster.urlpatterns]
sockets: list[URLPattern] = []
