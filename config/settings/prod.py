"""A hospital: every secret comes from the environment, and a missing one stops the start."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env

from .base import *  # noqa: F403
from .base import REST_FRAMEWORK

if env.flag("DEBUG", False):
    raise ImproperlyConfigured("DEBUG is set: Wardline does not start in production with DEBUG.")

# --- Required ----------------------------------------------------------------
env.require("SECRET_KEY", "FIELD_KEYS", "QR_KEYS", "DATABASE_URL", "HOSPITAL_PHONE", "PUBLIC_BASE_URL", "ALLOWED_HOSTS")
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.listing("SECRET_KEY_FALLBACKS", [])
FIELD_KEYS = env.listing("FIELD_KEYS")  # the first encrypts, all decrypt
QR_KEYS = env.keyring("QR_KEYS")
QR_ACTIVE_KID = env.text("QR_ACTIVE_KID", next(iter(QR_KEYS)))
if QR_ACTIVE_KID not in QR_KEYS:
    raise ImproperlyConfigured(f"QR_ACTIVE_KID={QR_ACTIVE_KID!r} is not one of the keys in QR_KEYS.")
HOSPITAL_PHONE = env.text("HOSPITAL_PHONE")
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL").rstrip("/")
if urlsplit(PUBLIC_BASE_URL).scheme != "https":
    raise ImproperlyConfigured("PUBLIC_BASE_URL must start with https://.")
ALLOWED_HOSTS = env.listing("ALLOWED_HOSTS")
if any("*" in host or host.startswith(".") for host in ALLOWED_HOSTS):
    raise ImproperlyConfigured("ALLOWED_HOSTS must name exact hosts, without wildcards.")
CSRF_TRUSTED_ORIGINS = WEBSOCKET_ORIGINS = [PUBLIC_BASE_URL]

# --- Behind a proxy that speaks TLS and overwrites the forwarded headers ------
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
REST_FRAMEWORK = REST_FRAMEWORK | {"NUM_PROXIES": TRUSTED_PROXIES}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXIES
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True

# --- Second factor, cookies and passwords ---------------------------------------------------
ADMIN_NEEDS_SECOND_FACTOR = env.flag("ADMIN_NEEDS_SECOND_FACTOR", True)
ADMIN_IDLE = timedelta(minutes=env.number("ADMIN_IDLE_MINUTES", 15))
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = "__Host-sid", "__Host-csrf", "__Host-lang"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Files and mail ----------------------------------------------------------
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "config.files.HashedStatic",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},  # the proxy reads them too
    },
}
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25, at_least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", bool(EMAIL_HOST_USER))
