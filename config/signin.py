"""How the sign-in libraries are bent to this hospital: accounts are made by administrators only."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
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


class AdminNeedsSecondFactor:
    """Where the setting says so, /admin/ opens only to accounts with a second factor; others are led to setting one up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from allauth.mfa.utils import is_mfa_enabled  # a model, and settings name this module's neighbours

        if settings.ADMIN_NEEDS_SECOND_FACTOR and request.path_info.startswith("/admin/"):
            user = request.user
            if user.is_authenticated and not is_mfa_enabled(user):
                messages.info(request, _("管理后台要两步验证，先在这里开通"))
                return redirect("mfa_activate_totp")
        return self.get_response(request)
