"""How the sign-in libraries are bent to this hospital: accounts are made by administrators only."""

import unicodedata
from collections.abc import Mapping
from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class ClosedAccounts(DefaultAccountAdapter):
    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("账号或密码不对"),
        "incorrect_password": _("密码不对"),
        "too_many_login_attempts": _("试得太多，先等一下"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def attempted_username(request: HttpRequest | None, credentials: Mapping[str, str] | None) -> str:
    """The name a guess counts against. Accents of width or case must not buy more guesses."""
    given = credentials or {}
    posted = request.POST if request is not None else {}
    name = given.get("username") or given.get("login") or posted.get("username") or posted.get("login") or ""
    return unicodedata.normalize("NFKC", name).casefold()
