"""What the proofs against strangers share: a ticket in an engineer's hands, and a media folder of their own."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from assets.models import Device, FaultPreset, User
from tests.config.test_production import COMPLETE
from tests.tickets.field.conftest import brought_to
from tickets.models import Ticket

HOST = "wardline.invalid"
KEPT = {  # of the production settings, what decides about answers; the rest is the tests' own house
    "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "CONTENT_SECURITY_POLICY", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_NAME",
    "CSRF_COOKIE_SAMESITE", "CSRF_COOKIE_SECURE", "DEBUG", "LANGUAGE_COOKIE_HTTPONLY", "LANGUAGE_COOKIE_NAME",
    "LANGUAGE_COOKIE_SAMESITE", "LANGUAGE_COOKIE_SECURE", "PERMISSIONS_POLICY", "PUBLIC_BASE_URL",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER",
    "SECURE_REDIRECT_EXEMPT", "SECURE_REFERRER_POLICY", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_NAME", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_SECURE", "TRUSTED_PROXIES", "MIDDLEWARE",
}  # fmt: skip


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def ticket(ventilator: Device, stopped: FaultPreset, engineer: User) -> Ticket:
    """At work, so that ward, engineer and desk may all send files."""
    return brought_to("working", ventilator, stopped, engineer)


@pytest.fixture
def in_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Browsers behind the proxy of a hospital with the production settings."""
    with monkeypatch.context() as patch:
        patch.setattr("os.environ", {"DATA_DIR": str(tmp_path), **COMPLETE})
        patch.delitem(sys.modules, "config.settings.base")
        loaded = runpy.run_module("config.settings.prod")
    monkeypatch.setattr("tickets.ward.views.BROWSER_COOKIE", "__Host-phone")  # chosen at import
    with override_settings(**{name: value for name, value in loaded.items() if name in KEPT}):
        yield lambda **more: Client(
            SERVER_NAME=HOST,
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "Host": HOST},
            **more,
        )


@pytest.fixture
def signed_browser(in_production: Callable[..., Client]) -> Callable[..., Client]:
    def signed(user: User, **more: Any) -> Client:
        client = in_production(**more)
        client.force_login(user, backend="config.rights.RoleBackend")
        return client

    return signed
