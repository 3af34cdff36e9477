"""How the sign-in libraries are bent to this hospital: accounts are made by administrators only, guesses are few."""

import base64
import secrets
import time
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from assets.places import services as people
from config.kernel.models import seal, unseal
from config.proxy import client_ip

_ADMIN_SEEN: Final = "admin_seen"
_NOTE_EVERY: Final = 60  # seconds: not every page of the admin writes its session
FRESH: Final = timedelta(minutes=5)
KNOWN_FOR: Final = timedelta(days=90)


class ClosedAccounts(DefaultAccountAdapter):
    error_messages: ClassVar = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("账号或密码不对"),
        "incorrect_password": _("密码不对"),
        "too_many_login_attempts": _("试得太多，先等一下"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """An address that cannot even be read leads nowhere."""
        try:
            return bool(super().is_safe_url(url))
        except ValueError:
            return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: wrong passwords are counted by name and address below, and by name alone anybody could lock a name
        out. The rate limit `login_failed` then counts wrong codes of the second factor only, by account.
        """

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not of somebody who signed in moments ago: whoever is led to a second factor types the password once."""
        proofs = get_authentication_records(self.request, self.request.user)
        if proofs and time.time() - max(float(proof["at"]) for proof in proofs) < FRESH.total_seconds():
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))


class SealedFactors(DefaultMFAAdapter):
    """TOTP keys and recovery seeds are no use to whoever reads the table or a backup."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """A secret that no key opens becomes one that nobody knows: the factor stays closed, never open."""
        try:
            return unseal(encrypted_text)
        except ValueError:
            return base64.b32encode(secrets.token_bytes(20)).decode()


def attempted_username(request: HttpRequest | None, credentials: Mapping[str, str] | None) -> str:
    """The name a guess counts against. Accents of width or case must not buy more guesses."""
    given = credentials or {}
    posted = request.POST if request is not None else {}
    name = given.get("username") or given.get("login") or posted.get("username") or posted.get("login") or ""
    return unicodedata.normalize("NFKC", name[:150]).casefold()[:150]


class PairAndAccount(AxesDatabaseHandler):
    """Five guesses for a name from one address; ten from everywhere, but an address where this account has signed in
    before keeps its own five: so many addresses guess no more than two, and nobody shuts the owner out of his ward.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        name = attempted_username(request, credentials)
        return _guesses(request, name) >= settings.ACCOUNT_GUESS_LIMIT and not _signed_in_from(request, name)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any
    ) -> None:
        """Counts the guess; the one that closes the door is announced."""
        closed = getattr(request, "axes_locked_out", False)
        super().user_login_failed(sender, credentials, request, **more)
        if request is None or closed:
            return
        name = attempted_username(request, credentials)
        guesses = _guesses(request, name)
        if getattr(request, "axes_locked_out", False) or guesses >= settings.ACCOUNT_GUESS_LIMIT:
            people.announce_guesses(name, guesses=guesses, at=request.axes_attempt_time)  # type: ignore[attr-defined]  # axes puts it there


def _guesses(request: HttpRequest, name: str) -> int:
    from axes.models import AccessAttempt

    recent = AccessAttempt.objects.filter(username=name, attempt_time__gte=get_cool_off_threshold(request))
    return recent.aggregate(guesses=Sum("failures_since_start"))["guesses"] or 0


def _signed_in_from(request: HttpRequest, name: str) -> bool:
    from axes.models import AccessLog

    since = get_cool_off_threshold(request) - KNOWN_FOR
    return AccessLog.objects.filter(
        username__iexact=name, ip_address=client_ip(request) or None, attempt_time__gte=since
    ).exists()


class SessionsEnd:
    """A sign-in lasts `SESSION_LONGEST` however busy it is; /admin/ asks for the password again after `ADMIN_IDLE`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        proofs = [float(proof["at"]) for proof in get_authentication_records(request, request.user)]
        now = time.time()
        if proofs and now - min(proofs) > settings.SESSION_LONGEST.total_seconds():
            logout(request)
        elif settings.ADMIN_IDLE and request.path_info.startswith("/admin/") and request.user.is_authenticated:
            last = max([*proofs, request.session.get(_ADMIN_SEEN, 0.0)])
            if last and now - last > settings.ADMIN_IDLE.total_seconds():
                return redirect_to_login(request.get_full_path(), reverse("account_reauthenticate"))
            if now - last > _NOTE_EVERY:
                request.session[_ADMIN_SEEN] = now
        return self.get_response(request)


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
