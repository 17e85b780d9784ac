"""The one settings file. Whatever an installation may choose comes from the environment; the table in
docs/operators.md lists every name, and a test compares it with this file."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _
from environs import Env

env = Env()

# The installation

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var").resolve()
DATA_DIR.mkdir(mode=0o750, parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", False)
BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
REGISTER_NAME = env.str("REGISTER_NAME", "Damage register")
SAMPLE_PASSWORD = env.str("SAMPLE_PASSWORD", "")

_site = urlsplit(BASE_URL)
if _site.scheme not in ("http", "https") or not _site.hostname or _site.path:
    raise ImproperlyConfigured(
        f"BASE_URL must be an origin like https://register.example.org, not {BASE_URL!r}"
    )
# An address that strangers reach is https, and only there is the register in production.
PRODUCTION = _site.scheme == "https"


def _kept_secret(path: Path) -> str:
    """A secret for this data folder alone, drawn once, readable by its owner only."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(get_random_secret_key())
    except FileExistsError:
        pass
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured("SECRET_KEY must be set where BASE_URL is https: 50 random characters.")
    SECRET_KEY = _kept_secret(DATA_DIR / "secret-key")

ROOT_URLCONF = "registry.urls"
WSGI_APPLICATION = "registry.wsgi.application"
INSTALLED_APPS = [
    "registry",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_filters",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "registry.views.middleware.private",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "registry.api.middleware.Programs",
    "registry.views.middleware.People",
    "registry.views.middleware.Reads",
    "registry.views.errors.Refusals",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "registry.views.context.page",
            ],
        },
    },
]
FORM_RENDERER = "registry.forms.drawing.Renderer"

# Two aliases: `default` writes, `reader` answers lists, exports, maps and figures (upkeep/replica).

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database(url: str, *, read_only: bool) -> dict:
    """A DATABASES entry for the URL, with what the register relies on in each engine."""
    database: dict = dict(dj_database_url.parse(url, conn_max_age=600))
    options = database.setdefault("OPTIONS", {})
    if database["ENGINE"] == "django.db.backends.sqlite3":
        options["timeout"] = 20
        # A writer takes the lock at BEGIN: two that read first could only deadlock. A reader never does.
        options["transaction_mode"] = "DEFERRED" if read_only else "IMMEDIATE"
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864", "cache_size=-65536"]
        if read_only:
            pragmas.append("query_only=ON")
        options["init_command"] = ";".join(f"PRAGMA {pragma}" for pragma in pragmas)
    else:
        # A server that was restarted is found again; one that is gone is not waited for.
        database["CONN_HEALTH_CHECKS"] = True
        options.setdefault("connect_timeout", 3)
        options.setdefault("tcp_user_timeout", 10_000)
        if read_only:
            # Compiling a page's statement would take longer than any page.
            options["options"] = "-c default_transaction_read_only=on -c jit=off"
    if read_only:
        database["TEST"] = {"MIRROR": "default"}
    return database


_database_url = env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'register.sqlite3'}"
DATABASE_REPLICA_URL = env.str("DATABASE_REPLICA_URL", "")
DATABASES = {
    "default": _database(_database_url, read_only=False),
    "reader": _database(DATABASE_REPLICA_URL or _database_url, read_only=True),
}
if DATABASE_REPLICA_URL and any("sqlite" in database["ENGINE"] for database in DATABASES.values()):
    raise ImproperlyConfigured("DATABASE_REPLICA_URL names a replica of PostgreSQL; SQLite has none.")
# A replica that is further behind, in seconds, is not read.
REPLICA_MAX_LAG = env.int("REPLICA_MAX_LAG", 30)
# One cache for all processes, because sign-ins are counted in it.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
DOWNLOADS_AT_ONCE = env.int("DOWNLOADS_AT_ONCE", 4)

# What the worker does on the clock

EDITION_AT = env.str("EDITION_AT", "03:00")
SEAL_MINUTES = env.int("SEAL_MINUTES", 60)
# A shorter loss of supply is momentary (IEEE 1366): it is counted, but not in SAIFI and SAIDI.
MOMENTARY_MINUTES = env.int("MOMENTARY_MINUTES", 5)

# Places

GEOCODER = env.str("GEOCODER", "")
GEOCODER_OPTIONS: Any = env.json("GEOCODER_OPTIONS", {})
GEOCODER_IS_OURS = env.bool("GEOCODER_IS_OURS", False)
TILE_URL = env.str("TILE_URL", "")
AUDIENCE_POLICY: Any = env.json("AUDIENCE_POLICY", {})

# People

AUTH_USER_MODEL = "registry.Person"
AUTHENTICATION_BACKENDS = ["registry.views.adapter.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {"user_attributes": ("email", "name")}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 60 * 60
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", not DEBUG)

ACCOUNT_ADAPTER = "registry.views.adapter.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An invitation is what proves an address.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "5/m/ip,3/h/key",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = REGISTER_NAME

# Words

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["registry.formats"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True

# Files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_MB", 20) * 1024 * 1024
MAX_IMPORT_BYTES = env.int("MAX_IMPORT_MB", 200) * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "registry.views.uploads.Limit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o640
# All of a form but its files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 20

# Mail and log

vars().update(dj_email_url.parse(env.str("EMAIL_URL", "") or "console:"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", f"register@{_site.hostname}")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    # Django's own handlers would write a second line, or mail it.
    "loggers": {"django": {"handlers": [], "propagate": True}},
}

# The API; the rest of what it is stands in its doors

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["registry.api.description.complete"],
    "SORT_OPERATION_PARAMETERS": False,
}

# The outer wall

ALLOWED_HOSTS = [_site.hostname]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "registry.views.errors.csrf_failure"
# How many proxies of ours stand before gunicorn; nobody else's X-Forwarded headers are believed.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 0)
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
# Has no effect until the owner of the domain asks to be listed.
SECURE_HSTS_PRELOAD = PRODUCTION
X_FRAME_OPTIONS = "DENY"

_tiles = urlsplit(TILE_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "base-uri": [NONE],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF, "data:", "blob:", *([f"{_tiles.scheme}://{_tiles.netloc}"] if TILE_URL else [])],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}
