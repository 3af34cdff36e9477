"""How the sign-in libraries are bent to this hospital: accounts are made by administrators only."""

import unicodedata
from collections.abc import Mapping

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccounts(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def attempted_username(request: HttpRequest | None, credentials: Mapping[str, str] | None) -> str:
    """The name a guess counts against. Accents of width or case must not buy more guesses."""
    given = credentials or {}
    posted = request.POST if request is not None else {}
    name = given.get("username") or given.get("login") or posted.get("username") or posted.get("login") or ""
    return unicodedata.normalize("NFKC", name).casefold()
