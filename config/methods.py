"""Which HTTP methods this house speaks, and what no address may hold; refused before a session or a view sees it."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from config.kernel.views import refusal

# Django's and allauth's form views take a PUT for a POST, and plain views take any word for a GET.
SPOKEN: Final = ("GET", "HEAD", "POST")


class SpokenMethods:
    """405 with `Allow` to the rest. The door that first needs PATCH adds it to SPOKEN, and the matrix asks for its row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            # PostgreSQL takes no NUL in any text: a name that holds one names nothing.
            return refusal(request, 404)
        if request.method in SPOKEN:
            return self.get_response(request)
        answer = refusal(request, 405)
        answer.headers["Allow"] = ", ".join(SPOKEN)
        return answer
