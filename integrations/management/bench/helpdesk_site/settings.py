"""django-helpdesk as its manual sets it up; runs in the peer's own environment and imports nothing of Wardline."""

import os
from urllib.parse import urlsplit

SECRET_KEY = "peer"  # noqa: S105 - guards made-up rows on this machine
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
ROOT_URLCONF = "helpdesk_site.urls"
SITE_ID = 1
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
STATIC_URL = "/static/"
MEDIA_ROOT = os.environ["PEER_FOLDER"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.admin",
    "rest_framework",
    "helpdesk",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
given = urlsplit(os.environ["PEER_DATABASE"])
DATABASES: dict[str, dict[str, object]]
if given.scheme == "sqlite":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": given.path,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": given.path.lstrip("/"),
            "HOST": given.hostname,
            "PORT": given.port,
            "USER": given.username,
            "PASSWORD": given.password or "",
            "OPTIONS": {"pool": {"min_size": 2, "max_size": 16}},
        }
    }
HELPDESK_PUBLIC_TICKET_QUEUE = "ward-0"
HELPDESK_PUBLIC_TICKET_PRIORITY = 3
HELPDESK_PUBLIC_TICKET_DUE_DATE = ""
HELPDESK_KB_ENABLED = True  # its urls cannot do without
# Without its optional teams, as its manual says.
HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_TEAMS_MODEL = "auth.User"
HELPDESK_TEAMS_MIGRATION_DEPENDENCIES: list[tuple[str, str]] = []
HELPDESK_KBITEM_TEAM_GETTER = lambda item: None  # noqa: E731
