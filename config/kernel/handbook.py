"""The API's description, and its page for people: a browser that may not see it gets pages, a program problem+json."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response


class Handbook(SpectacularSwaggerSplitView):
    """Swagger's page. Its only renderer is a template, which a refusal has no words for."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, exceptions.NotAuthenticated) and "text/html" in self.request.headers.get("Accept", ""):
            answer: HttpResponse = redirect_to_login(self.request.get_full_path())
            return answer  # type: ignore[return-value]  # finalize_response passes plain answers through
        return _in_json(self.request, super().handle_exception(exc))


class Description(SpectacularAPIView):
    """The one version there is: the library would write any `?version=`, line breaks included, into a header."""

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal calls itself JSON: it must not be written as the YAML that the description is."""
        return _in_json(self.request, super().handle_exception(exc))

    def _get_version_parameter(self, request: Request) -> None:
        return None


def _in_json(request: Request, refusal: Response) -> Response:
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = JSONRenderer.media_type
    return refusal
