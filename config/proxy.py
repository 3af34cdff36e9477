"""What changes when a proxy stands in front: who is calling (only here is X-Forwarded-For read), and how we part."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.kernel.leaving import is_leaving


class ClientAddress:
    """Sets REMOTE_ADDR to the caller as the outermost trusted proxy saw it; what a caller claims further left is ignored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if settings.TRUSTED_PROXIES and chain:
            request.META["REMOTE_ADDR"] = chain[-min(settings.TRUSTED_PROXIES, len(chain))]
        return self.get_response(request)


class Farewell:
    """While this process leaves, each answer is the last one on its connection: a kept one would be cut under a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_leaving():
            response.headers["Connection"] = "close"
        return response


def client_ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
