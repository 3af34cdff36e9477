"""Tests: cheap passwords, mail in memory, nothing shared between runs. Jobs are called by the tests themselves."""

from config import env

from .base import *  # noqa: F403

DEBUG = False
SECRET_KEY = "tests-only-not-a-secret-tests-only-not-a-secret"  # noqa: S105 - guards nothing
QR_KEYS = {"t2": "tests-only-qr-key-two-tests-only-qr-key", "t1": "tests-only-qr-key-one-tests-only-qr-key"}
FIELD_KEYS = ["tests-only-field-key-tests-only-field-key"]
QR_ACTIVE_KID = "t2"
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL", "http://testserver")
WEBSOCKET_ORIGINS = [PUBLIC_BASE_URL]
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
AXES_ENABLED = env.flag("AXES_ENABLED", False)  # `client.force_login` has no request to judge
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
