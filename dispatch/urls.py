"""Addresses of dispatch: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver

from dispatch.matching import api as matching
from dispatch.roster import api as roster

urlpatterns: list[URLPattern | URLResolver] = []
api: list[URLPattern | URLResolver] = [*matching.urlpatterns, *roster.urlpatterns]
sockets: list[URLPattern] = []
