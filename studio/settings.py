"""Every setting of the studio, from the environment; `.env.example` explains each variable."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

django_stubs_ext.monkeypatch()

PACKAGE = Path(__file__).resolve().parent
IN_CHECKOUT = (PACKAGE.parent / "templates").is_dir()
ASSETS = PACKAGE.parent if IN_CHECKOUT else PACKAGE / "assets"
"""Where templates and the built front end are: the checkout, or inside the installed package."""
BASE_DIR = PACKAGE.parent if IN_CHECKOUT else Path.cwd()


def envstr(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; the default when it is missing or empty."""
    return os.environ.get(name, "").strip() or default


def envint(name: str, default: int) -> int:
    """The variable as a whole number."""
    text = envstr(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is “{text}”; it has to be a whole number.") from None


def envbool(name: str, default: bool) -> bool:
    """The variable as yes or no."""
    text = envstr(name, str(default)).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} is “{text}”; say true or false.")


def envlist(name: str, default: str = "") -> list[str]:
    """The variable as a list; commas separate."""
    return [part.strip() for part in envstr(name, default).split(",") if part.strip()]


def envjson(name: str, default: Any) -> Any:
    """The variable as JSON."""
    try:
        return json.loads(envstr(name, json.dumps(default)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is no JSON: {error}.") from None


def read_dotenv(path: Path) -> None:
    """Take `NAME=value` lines of a file into the environment; what is set already stays."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("'\""))


def database(url: str) -> dict[str, Any]:
    """Django's settings for a `sqlite:///path` or `postgres://user:password@host:port/name`."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(parts.path[1:]),
            "OPTIONS": {
                # WAL lets readers and one writer work at once; IMMEDIATE takes the write lock at
                # the start, where SQLite waits for it, instead of failing in mid-transaction.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "OPTIONS": {"connect_timeout": "5", **dict(parse_qsl(parts.query))},
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ImproperlyConfigured(
        f"DATABASE_URL starts with “{parts.scheme}”; it has to be sqlite:///… or postgres://…"
    )


def development_secret(path: Path) -> str:
    """A secret that is made once and kept in a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    secret = secrets.token_urlsafe(50)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret)
    return secret


# ── Where things are ────────────────────────────────────────────────────────────────────────────

read_dotenv(BASE_DIR / ".env")

STUDIO_ENV = envstr("STUDIO_ENV", "development")
if STUDIO_ENV not in {"development", "production"}:
    raise ImproperlyConfigured(f"STUDIO_ENV is “{STUDIO_ENV}”; say development or production.")
PRODUCTION = STUDIO_ENV == "production"
STUDIO_DATA_DIR = (BASE_DIR / envstr("STUDIO_DATA_DIR", "data")).resolve()
STUDIO_HOST = envstr("STUDIO_HOST", "127.0.0.1")
STUDIO_PORT = envint("STUDIO_PORT", 8000)
STUDIO_MAX_UPLOAD_MB = envint("STUDIO_MAX_UPLOAD_MB", 1024)
STUDIO_INLINE_IMPORT_MB = envint("STUDIO_INLINE_IMPORT_MB", 5)
EMBEDDED_LM_URL = envstr("EMBEDDED_LM_URL")
"""Address of the embedded LM's server; empty: the one that `quickstart` wrote to lm.json."""
EMBEDDED_LM_DIR = STUDIO_DATA_DIR / "models"
RUN_LEASE_SECONDS = envint("STUDIO_RUN_LEASE_SECONDS", 30)
STUDIO_TOOLS = envjson("STUDIO_TOOLS", [])
"""Tools that agents may use besides the studio's own; see docs/tools.md."""
SERVE_CALLS_PER_MINUTE = envint("STUDIO_CALLS_PER_MINUTE", 600)

STUDIO_DATA_DIR.mkdir(parents=True, exist_ok=True)

# ── Security ────────────────────────────────────────────────────────────────────────────────────

DEBUG = envbool("STUDIO_DEBUG", False)
SECRET_KEY = envstr("STUDIO_SECRET_KEY")
if not SECRET_KEY:
    if PRODUCTION:
        raise ImproperlyConfigured(
            "STUDIO_SECRET_KEY is not set. In production it is required: make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` and keep it."
        )
    SECRET_KEY = development_secret(STUDIO_DATA_DIR / "secret-key")
STUDIO_ENCRYPTION_KEYS = envlist("STUDIO_ENCRYPTION_KEYS")
"""Secrets that keys of LMs are encrypted with, the newest first; then SECRET_KEY."""
STUDIO_ALLOW_PRIVATE_LMS = envbool("STUDIO_ALLOW_PRIVATE_LMS", not PRODUCTION)
ALLOWED_HOSTS = envlist(
    "STUDIO_ALLOWED_HOSTS", "" if PRODUCTION else f"localhost,127.0.0.1,[::1],{STUDIO_HOST}"
)
CSRF_TRUSTED_ORIGINS = envlist("STUDIO_CSRF_ORIGINS")
BEHIND_HTTPS = envbool("STUDIO_HTTPS", PRODUCTION)
"""Cookies only over HTTPS, HTTP redirected, browsers told to remember."""
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = BEHIND_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_HTTPS
if envbool("STUDIO_BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    # The canvas places nodes with style attributes; styles cannot run anything.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "accounts:home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

# ── The site ────────────────────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "studio.accounts",
    "studio.lms",
    "studio.datasets",
    "studio.metrics",
    "studio.pipelines",
    "studio.runs",
    "studio.reviews",
    "studio.serving",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    # Before staticfiles, so that runserver serves static files the way production does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "studio.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "studio.middleware.ProblemPages",
]
ROOT_URLCONF = "studio.urls"
ASGI_APPLICATION = "studio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ASSETS / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
FRONTEND_DIST = ASSETS / "frontend" / "dist"
STATIC_URL = "/static/"
STATIC_ROOT = STUDIO_DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.is_dir() else []
# The bundler has put content hashes into its names already; in development files are served from
# where they lie, so that nothing has to be collected.
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = STUDIO_DATA_DIR / "uploads"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── Database and broker ─────────────────────────────────────────────────────────────────────────

DATABASES = {
    "default": database(
        envstr("DATABASE_URL", f"sqlite:///{STUDIO_DATA_DIR / 'database.sqlite3'}")
    )
}
ANSWERS_URL = envstr("STUDIO_ANSWERS_URL", str(STUDIO_DATA_DIR / "answers.sqlite3"))
"""Where LMs' answers are kept: a file, redis:// or postgres://."""
BROKER_URL = envstr("BROKER_URL", f"sqlite3broker:///{STUDIO_DATA_DIR / 'broker.sqlite3'}")
RATES_URL = (
    BROKER_URL
    if BROKER_URL.startswith(("redis:", "rediss:"))
    else str(STUDIO_DATA_DIR / "rates.sqlite3")
)
"""Where workers share the rate limits of language models."""

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Rows are the truth; a message is only a kick, and nobody reads results from the broker.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
if BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Leases are not renewed on Redis: longer than the longest run. What a dead worker held
        # comes back through the run's row long before this.
        "visibility_timeout": 12 * 3600,
        # Look for expired leases about every two seconds, not every hundred.
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    }

# ── API ─────────────────────────────────────────────────────────────────────────────────────────

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["studio.http.SessionSignIn"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "studio.api.answer_problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Compile Studio",
    "DESCRIPTION": "Draw a pipeline of language model steps, compile it, call what was approved.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "ENUM_NAME_OVERRIDES": {
        "SplitEnum": "studio.datasets.models.Split.values",
        "JudgedSplitEnum": "studio.runs.evaluations.asked.SPLIT_NAMES",
    },
}

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": envstr("STUDIO_LOG_LEVEL", "INFO")},
}
