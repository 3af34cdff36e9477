"""Who may open the desk's pages: everybody else gets the sign-in page or a plain refusal."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from assets.policies import is_house_staff
from tickets.policies import is_desk

View = Callable[..., HttpResponse]


def only(may: Callable[[Any], bool]) -> Callable[[View], View]:
    """Signed in and allowed; the answer is never kept by anything between."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return never_cache(login_required(guarded))

    return decorate


desk = only(is_desk)
house = only(is_house_staff)
