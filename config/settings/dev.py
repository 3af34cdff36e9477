"""One person's machine: SQLite, demo logins, mail into files, keys that are worth nothing elsewhere."""

from config import env

from .base import *  # noqa: F403
from .base import DATA_DIR, LOGGING, PORT, PUBLIC_BASE_URL

DEBUG = env.flag("DEBUG", True)
SECRET_KEY = env.text("SECRET_KEY", "dev-only-not-a-secret-dev-only-not-a-secret-dev-only")
QR_KEYS = env.keyring("QR_KEYS", "d1:dev-only-not-a-secret-dev-only-qr-key")
QR_ACTIVE_KID = env.text("QR_ACTIVE_KID", next(iter(QR_KEYS)))
FIELD_KEYS = env.listing("FIELD_KEYS", ["dev-only-not-a-secret-dev-only-field-key"])

ALLOWED_HOSTS = ["*"]
WEBSOCKET_ORIGINS = [PUBLIC_BASE_URL, f"http://127.0.0.1:{PORT}", f"http://localhost:{PORT}"]
CSRF_TRUSTED_ORIGINS = WEBSOCKET_ORIGINS

WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"

LOGGING["formatters"]["line"] = {"format": "{asctime} {levelname:.1} {name}: {message}", "style": "{"}
