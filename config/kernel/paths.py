"""The shape of a public id in an address, so that `/field/me/` is never taken for a ticket."""

from __future__ import annotations

from django.urls import register_converter


class PublicId:
    """22 base64url characters: 128 random bits."""

    regex = "[A-Za-z0-9_-]{22}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "public_id")
