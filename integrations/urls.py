"""Addresses of integrations: `urlpatterns` are pages from the root, `api` lives below /api/v1/, `sockets` are websockets."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
api: list[URLPattern | URLResolver] = []
sockets: list[URLPattern] = []
