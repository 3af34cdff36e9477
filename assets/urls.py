"""Addresses of assets: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver

from assets.places import api as places
from assets.register import api as register

urlpatterns: list[URLPattern | URLResolver] = []
api: list[URLPattern | URLResolver] = [*register.urlpatterns, *places.urlpatterns]
sockets: list[URLPattern] = []
