"""Production starts only complete, and with the settings of the security reference."""

import os
import runpy
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

COMPLETE = {
    "SECRET_KEY": "s" * 64,
    "FIELD_KEYS": "f" * 48,
    "QR_KEYS": f"p1:{'q' * 40}",
    "DATABASE_URL": "postgresql://ward@db.invalid/line",
    "ALLOWED_HOSTS": "wardline.invalid",
    "PUBLIC_BASE_URL": "https://wardline.invalid",
    "HOSPITAL_PHONE": "8120",
}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Read the production settings again, with this environment and no other."""

    def read(**changes):
        given = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
        monkeypatch.setattr(os, "environ", {"DATA_DIR": str(tmp_path), **given})
        monkeypatch.delitem(sys.modules, "config.settings.base")
        return runpy.run_module("config.settings.prod")

    return read


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_a_missing_variable_stops_the_start_and_is_named(load, name):
    with pytest.raises(ImproperlyConfigured, match=f"Set the environment variable {name}"):
        load(**{name: None})


def test_all_missing_variables_are_named_in_one_sentence(load):
    with pytest.raises(ImproperlyConfigured) as stopped:
        load(**dict.fromkeys(COMPLETE) | {"HOSPITAL_PHONE": "8120"})

    assert str(stopped.value) == (
        "Set the environment variables SECRET_KEY, FIELD_KEYS, QR_KEYS, DATABASE_URL, PUBLIC_BASE_URL and ALLOWED_HOSTS: "
        "Wardline does not start without them."
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DEBUG", "1", "DEBUG"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", ".hospital.cn", "ALLOWED_HOSTS"),
        ("PUBLIC_BASE_URL", "http://wardline.invalid", "https://"),
        ("QR_ACTIVE_KID", "p9", "QR_ACTIVE_KID"),
        ("QR_KEYS", "p1:short", "QR_KEYS"),
    ],
)
def test_a_careless_value_stops_the_start(load, name, value, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        load(**{name: value})


def test_production_holds_what_the_security_reference_asks(load):
    settings = load()

    assert settings["DEBUG"] is False
    assert settings["CSRF_TRUSTED_ORIGINS"] == settings["WEBSOCKET_ORIGINS"] == ["https://wardline.invalid"]
    assert settings["USE_X_FORWARDED_HOST"] is False
    cookies = [settings[f"{kind}_COOKIE_NAME"] for kind in ("SESSION", "CSRF", "LANGUAGE")]
    assert cookies == ["__Host-sid", "__Host-csrf", "__Host-lang"]
    for kind in ("SESSION", "CSRF", "LANGUAGE"):
        assert settings[f"{kind}_COOKIE_SECURE"] is True
        assert settings[f"{kind}_COOKIE_HTTPONLY"] is True
        assert settings[f"{kind}_COOKIE_SAMESITE"] == "Lax"
    assert settings["SECURE_HSTS_SECONDS"] == 31_536_000
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True
    assert settings["SESSION_COOKIE_AGE"] == 43_200
    assert settings["SESSION_SAVE_EVERY_REQUEST"] is False
    assert settings["DATA_UPLOAD_MAX_MEMORY_SIZE"] == 2_621_440
    assert settings["DATA_UPLOAD_MAX_NUMBER_FIELDS"] == 500
    assert settings["DATA_UPLOAD_MAX_NUMBER_FILES"] == 20
    assert settings["FILE_UPLOAD_PERMISSIONS"] == 0o640
    assert settings["STORAGES"]["staticfiles"]["OPTIONS"]["file_permissions_mode"] == 0o644  # nginx reads those
    assert settings["ALLAUTH_TRUSTED_PROXY_COUNT"] == settings["AXES_IPWARE_PROXY_COUNT"] == 1
    assert settings["REST_FRAMEWORK"]["NUM_PROXIES"] == 1
    assert settings["REST_FRAMEWORK"]["DEFAULT_PERMISSION_CLASSES"] == ["config.kernel.rest.DenyByDefault"]
    assert settings["AXES_LOCKOUT_PARAMETERS"] == [["username", "ip_address"]]
    assert settings["AXES_FAILURE_LIMIT"] == 5
    assert settings["AXES_ALLOWED_CORS_ORIGINS"] == ""
    assert settings["SIMPLE_HISTORY_REVERT_DISABLED"] is True
    assert "Argon2" in settings["PASSWORD_HASHERS"][0]
    assert settings["AUTH_PASSWORD_VALIDATORS"][1]["OPTIONS"] == {"min_length": 12}
    assert settings["SPECTACULAR_SETTINGS"]["SERVE_PUBLIC"] is False


def test_only_the_web_process_pools_connections_and_bounds_statements(load):
    web = load(WARDLINE_PROCESS="web")["DATABASES"]["default"]["OPTIONS"]
    worker = load(WARDLINE_PROCESS="worker")["DATABASES"]["default"]["OPTIONS"]

    assert "pool" in web
    assert web["options"] == "-c statement_timeout=5000"
    assert "pool" not in worker
    assert worker["options"] == "-c statement_timeout=0"
