"""What a browser may do with our pages: the policy, its one exception under /admin/, and what may be cached."""

from collections.abc import Callable
from typing import Final

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponse

Respond = Callable[[HttpRequest], HttpResponse]

DIRECTIVES: Final[dict[str, list[str]]] = {
    "default-src": [SELF],
    "img-src": [SELF, "data:", "blob:"],
    "connect-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
# Unfold's Alpine compiles expressions and its charts and editors set style attributes.
_ADMIN_POLICY: Final[dict[str, list[str]]] = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class AdminAllowsEval:
    """Loosens the policy under /admin/ and nowhere else. Stands directly inside CSPMiddleware, which reads the hook."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/admin/"):
            response._csp_update = _ADMIN_POLICY  # type: ignore[attr-defined]  # django-csp's own hook
        return response


class PrivateByDefault:
    """No page is kept by a cache unless its view says so; device rights are few and named."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        response.headers.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        return response
