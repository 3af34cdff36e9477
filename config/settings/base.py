"""Everything that holds in every place Wardline runs. Values come from the environment; the other modules state differences."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext

from config import csp, env, logs
from config.about_api import ABOUT
from config.unfold import UNFOLD  # noqa: F401 - a setting

django_stubs_ext.monkeypatch()  # lets classes be written as QuerySet[Ticket] at run time too

# --- Places ------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / ".data")
DATA_DIR.mkdir(parents=True, exist_ok=True)
PROCESS = env.text("WARDLINE_PROCESS", "command")  # "web" pools connections; forking workers must not

# --- Who we are --------------------------------------------------------------
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, at_least=1)
PUBLIC_BASE_URL = env.text("PUBLIC_BASE_URL", f"http://{HOST}:{PORT}").rstrip("/")
HOSPITAL_PHONE = env.text("HOSPITAL_PHONE", "8120")
DEBUG = False
WEBSOCKET_ORIGINS = [PUBLIC_BASE_URL]
TRUSTED_PROXIES = 0  # how many write X-Forwarded-For in front of us
LEAVE_NOTICE = env.number("LEAVE_NOTICE", 0)  # seconds between the 503 of /readyz and the end of listening
LEAVE_WITHIN = env.number("LEAVE_WITHIN", 10, at_least=1)  # seconds to finish what is under way then
USE_X_FORWARDED_HOST = False  # links come from PUBLIC_BASE_URL, never from a header

# --- Applications ------------------------------------------------------------
INSTALLED_APPS = [
    "config.kernel",
    "assets",
    "tickets",
    "dispatch",
    "integrations",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # the page of security keys needs it
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "channels",
    "csp",
    "django_filters",
    "django_fsm",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "rest_framework",
    "simple_history",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "config.proxy.Farewell",
    "config.proxy.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "config.csp.PrivateByDefault",
    "csp.middleware.CSPMiddleware",
    "config.csp.AdminAllowsEval",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # inside the policies: static files carry them too
    "config.methods.SpokenMethods",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.slashes.NoWriteIsSentOn",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.signin.SessionsEnd",
    "config.signin.AdminNeedsSecondFactor",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a lock-out into an answer
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "config.kernel.context.page_frame",
            ],
        },
    },
]

# --- Database ----------------------------------------------------------------
DATABASE = env.database("DATABASE_URL", f"sqlite:///{DATA_DIR / 'wardline.sqlite3'}")
ON_SQLITE = DATABASE["ENGINE"].endswith("sqlite3")
if ON_SQLITE:
    DATABASE["OPTIONS"] = {
        # Whoever waits at a phone hears 503, and when to come back, before the phone gives up; the others have time.
        "timeout": 8 if PROCESS == "web" else 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
    }
else:
    # Only web answers have a deadline of their own; jobs are bounded by the queue, migrations by nothing.
    statement_ms = env.number("DATABASE_STATEMENT_TIMEOUT_MS", 5000 if PROCESS == "web" else 0)
    DATABASE["OPTIONS"] |= {"options": f"-c statement_timeout={statement_ms}", "connect_timeout": 5}
    DATABASE["CONN_HEALTH_CHECKS"] = True
    if PROCESS in {"worker", "clock"}:
        DATABASE["CONN_MAX_AGE"] = 60  # a job, and each look of the clock, must not pay for a new connection
    if PROCESS == "web":
        # Under ASGI every request is a new thread: without a pool no connection is ever used twice.
        DATABASE["OPTIONS"]["pool"] = {
            "min_size": 2,
            "max_size": env.number("DATABASE_POOL_SIZE", 16, at_least=2),
            "timeout": 4,  # who waits longer for a connection hears 503 and when to come back
        }
DATABASES = {"default": DATABASE}

# --- Redis: live updates across processes, shared counters -------------------
REDIS_URL = env.text("REDIS_URL", "")
if REDIS_URL:
    CHANNEL_LAYERS: dict[str, Any] = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    }
    CACHES: dict[str, Any] = {
        "default": {
            "BACKEND": "config.kernel.counters.SteadyCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "wl",
            "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 0.5},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

LIVE_POLL_SECONDS = 0.1  # at most: without Redis the hub of each web process follows the log itself

# --- Jobs and time -----------------------------------------------------------
JOB_POLL_SECONDS = 0.25  # at most: a committed job rings before that
JOB_TIMEOUT_SECONDS = env.number("JOB_TIMEOUT_SECONDS", 300, at_least=5)
Q_CLUSTER = {
    "name": "wardline",
    "orm": "default",
    "workers": env.number("WORKERS", 2, at_least=1),
    "poll": 0,  # our broker waits by itself, for JOB_POLL_SECONDS at most
    "timeout": JOB_TIMEOUT_SECONDS,
    # A killed worker's job runs again; above the timeout, or it would run beside itself.
    "retry": JOB_TIMEOUT_SECONDS * 6 // 5,
    "max_attempts": 5,
    "queue_limit": 2,  # few wait inside a worker: it stops soon, and its twin gets the rest
    "ack_failures": True,
    "scheduler": False,  # 10 to 23 seconds late: config.schedules and kernel timers keep time instead
    "catch_up": False,
    "save_limit": 0,  # its own limit locks and reads all kept results for each job; kernel.jobs.forget_results keeps it
    "broker_class": "config.kernel.jobs.GuardedBroker",
    "label": "任务",
    "log_level": "WARNING",
}
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- Languages ---------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]

# --- Files -------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = env.folder("MEDIA_ROOT", DATA_DIR / "media")
MEDIA_URL = ""  # uploads are served by views that check a policy, never as static files
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_PERMISSIONS = 0o640

# --- How long we know people (security reference, section 4) -----------------
KEEP_CONTACTS = timedelta(days=env.number("KEEP_CONTACTS_DAYS", 90, at_least=1))  # after the ticket ended
KEEP_PHOTOS = timedelta(days=env.number("KEEP_PHOTOS_DAYS", 180, at_least=1))
KEEP_VOICE = timedelta(days=env.number("KEEP_VOICE_DAYS", 30, at_least=1))
KEEP_SIGN_INS = timedelta(days=env.number("KEEP_SIGN_INS_DAYS", 365, at_least=180))
LEGAL_HOLD = env.listing("LEGAL_HOLD", [])  # numbers of tickets of which nothing may be forgotten

# --- Signing in --------------------------------------------------------------
AUTH_USER_MODEL = "assets.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "config.rights.RoleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "config.signin.ClosedAccounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "5/15m/key",  # codes of the second factor only: see ClosedAccounts.pre_authenticate
    "reauthenticate": "5/15m/user",
    "change_password": "5/15m/user",
}
ACCOUNT_GUESS_LIMIT = 10  # from all addresses together that this account never signed in from
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ADAPTER = "config.signin.SealedFactors"
MFA_TOTP_ISSUER = "Wardline"
ADMIN_NEEDS_SECOND_FACTOR = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a ward shares one address: it must not be locked out as one
AXES_HANDLER = "config.signin.PairAndAccount"
AXES_FAILURE_LIMIT = 5
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_ALLOWED_CORS_ORIGINS = ""
AXES_CLIENT_IP_CALLABLE = "config.proxy.client_ip"
AXES_USERNAME_CALLABLE = "config.signin.attempted_username"
AXES_LOCKOUT_CALLABLE = "config.kernel.views.too_many_guesses"
SIMPLE_HISTORY_REVERT_DISABLED = True
SESSION_COOKIE_AGE = 43_200
SESSION_LONGEST = timedelta(hours=12)
ADMIN_IDLE = timedelta(0)  # production asks again for the password
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"

# --- What a browser may do with our pages ------------------------------------
CSRF_FAILURE_VIEW = "config.kernel.views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
PERMISSIONS_POLICY = "geolocation=(), microphone=(self), camera=(self), payment=(), usb=()"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.DIRECTIVES}

# --- REST API ----------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_PERMISSION_CLASSES": ["config.kernel.rest.DenyByDefault"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "integrations.identity.authentication.HashedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["config.kernel.rest.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.kernel.openapi.Described",
    "EXCEPTION_HANDLER": "config.kernel.rest.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "1200/min", "anon": "60/min", "token": "10/min", "report": "60/min"},
    "NUM_PROXIES": 0,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Wardline API",
    "VERSION": "1",
    "DESCRIPTION": ABOUT,
    "SERVE_PUBLIC": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # With deep links its bars hold a link inside a button, which no keyboard can tell apart.
    "SWAGGER_UI_SETTINGS": {"deepLinking": False, "persistAuthorization": False, "displayOperationId": False},
}

# --- Mail and log ------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Wardline <wardline@localhost>")
LOGGING = logs.to_stderr(level=env.text("LOG_LEVEL", "INFO"), quiet=("axes", "django-q", "httpx", "uvicorn"))
