"""Every switch of manyeyes: an environment variable `MANYEYES_…` with a working default; secrets have `_FILE` twins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured


def env(name: str, default: str = "") -> str:
    """The switch `MANYEYES_<name>`, or the content of the file that `MANYEYES_<name>_FILE` names."""
    path = os.environ.get(f"MANYEYES_{name}_FILE")
    if path and name in SECRETS:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(
                f"MANYEYES_{name}_FILE: {path} cannot be read ({type(error).__name__})."
            ) from None
    return os.environ.get(f"MANYEYES_{name}", default)


def flag(name: str, default: bool = False) -> bool:
    """A switch that is on or off. Raises ImproperlyConfigured for another word: a slip must not switch a guard off."""
    given = env(name, "1" if default else "0").strip().lower()
    if given not in ON | OFF:
        raise ImproperlyConfigured(f"MANYEYES_{name}: {given[:40]!r} is neither on nor off; give 1 or 0.")
    return given in ON


def number(name: str, default: int) -> int:
    """A switch that is a whole number. Raises ImproperlyConfigured naming it."""
    given = env(name, str(default))
    if not given.isdecimal():
        raise ImproperlyConfigured(f"MANYEYES_{name}: {given[:40]!r} is no whole number; give one such as {default}.")
    return int(given)


ON, OFF = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
SECRETS = {"SECRET_KEY", "DATABASE_URL", "EMAIL_PASSWORD", "OIDC_CLIENT_SECRET"}
PACKAGE = Path(__file__).resolve().parent

# Where things are kept. The master key never lies inside the data directory: a backup of the data must not open itself.
MANYEYES_DATA_DIR = Path(env("DATA_DIR", "manyeyes-data")).resolve()
MANYEYES_MASTER_KEY_FILE = Path(
    os.environ.get("MANYEYES_MASTER_KEY_FILE")
    or Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "manyeyes" / "master.key"
).expanduser()
MANYEYES_BASE_URL = env("BASE_URL", "http://localhost:8000").rstrip("/")
MANYEYES_TRUSTED_PROXIES = number("TRUSTED_PROXIES", 0)  # how many stand before us and name the caller
MANYEYES_ALLOW_PRIVATE_TARGETS = flag("ALLOW_PRIVATE_TARGETS")
MANYEYES_REPLAY_CONCURRENCY = number("REPLAY_CONCURRENCY", 8)
MANYEYES_RETRY_SECONDS = float(env("RETRY_SECONDS", "30"))  # how long a silent target is tried before the pause
MANYEYES_LEASE_SECONDS = float(env("LEASE_SECONDS", "20"))  # how long a silent worker keeps its replay
MANYEYES_REPORTS_PER_HOUR = number("REPORTS_PER_HOUR", 30)  # of one source; more wait in the tray of deferred ones
MANYEYES_PROGRAM_REPORTS_PER_HOUR = number("PROGRAM_REPORTS_PER_HOUR", 120)  # of one program, likewise
MANYEYES_TRIES_PER_HOUR = number("TRIES_PER_HOUR", 30)  # of one network: receipts, draft codes; links twice as often
MANYEYES_API_CALLS_PER_HOUR = number("API_CALLS_PER_HOUR", 3600)  # of one token, or of one network without one
MANYEYES_ARGON2_MEMORY_KIB = number("ARGON2_MEMORY_KIB", 65536)
MANYEYES_OPEN_SIGNUP = flag("OPEN_SIGNUP", default=True)
MANYEYES_UPLOAD_MAX_BYTES = number("UPLOAD_MAX_BYTES", 25 * 1024 * 1024)
MANYEYES_OIDC_ISSUER = env("OIDC_ISSUER")  # the organisation's own sign-in, for people on a team; off while empty
MANYEYES_OIDC_CLIENT_ID = env("OIDC_CLIENT_ID")
MANYEYES_OIDC_CLIENT_SECRET = env("OIDC_CLIENT_SECRET")
MANYEYES_REQUIRE_MFA = flag("REQUIRE_MFA", default=True)


def secret_key() -> str:
    """The signing key: from the environment, else derived from the master key; there is no built-in default to leak."""
    given = env("SECRET_KEY")
    if given:
        return given
    if MANYEYES_MASTER_KEY_FILE.is_file():
        import hashlib

        master = MANYEYES_MASTER_KEY_FILE.read_bytes().strip()
        return hashlib.sha256(b"manyeyes:django-secret-key:1:" + master).hexdigest()
    return "not-initialised:" + os.urandom(16).hex()  # before `manyeyes init`: sessions of this process only


SECRET_KEY = secret_key()
DEBUG = False
# The site's own name is always served: whoever sets the address of the mails need not say it twice.
OWN_HOST = urlsplit(MANYEYES_BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = [*filter(None, env("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")), OWN_HOST]
CSRF_TRUSTED_ORIGINS = [origin for origin in env("TRUSTED_ORIGINS").split(",") if origin]

INSTALLED_APPS = [
    "manyeyes.vault",
    "manyeyes.events",
    "manyeyes.accounts",
    "manyeyes.programs",
    "manyeyes.replays",
    "manyeyes.cases",
    "manyeyes.publications",
    "manyeyes.portal",
    "manyeyes.console",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "manyeyes.accounts.sessions.ReaderMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "manyeyes.http.RefusalMiddleware",
]

ROOT_URLCONF = "manyeyes.urls"
WSGI_APPLICATION = "manyeyes.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "manyeyes.http.page_context",
            ],
            "libraries": {
                "manyeyes": "manyeyes.templatetags.manyeyes",
                "evidence": "manyeyes.templatetags.evidence",
                "prose": "manyeyes.templatetags.prose",
                "policies": "manyeyes.templatetags.policies",
            },
        },
    }
]

# SQLite: IMMEDIATE takes the write lock at BEGIN (deferred ones fail under two writers); FULL survives power loss.
SQLITE: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
}
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(env("DATABASE_URL") or f"sqlite:///{MANYEYES_DATA_DIR / 'db.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE
else:
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 12}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sign-in.
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/start/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "manyeyes.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "manyeyes.accounts.signing_up.SignupForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
# A code is mailed again to whoever closed the page that waits for it, but to no address without end.
ACCOUNT_RATE_LIMITS = {"confirm_email": "4/10m/key"}
SOCIALACCOUNT_ADAPTER = "manyeyes.accounts.oidc.SignInAdapter"
MFA_ADAPTER = "manyeyes.accounts.adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = MANYEYES_BASE_URL.startswith("http://localhost")

# Counters of the limits only, each in the serving process; the default of 300 entries would forget them under load.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}

# Cookies and headers.
SECURE = MANYEYES_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_SERIALIZER = "manyeyes.vault.sessions.SealedSerializer"  # codes and secrets of half-done sign-ins lie there
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "manyeyes_session"
CSRF_COOKIE_NAME = "manyeyes_csrf"
CSRF_FAILURE_VIEW = "manyeyes.http.csrf_failure"
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The form that begins a sign-in is answered with a redirect to the provider, which browsers count as its action.
FORMS_LEAD_TO = ["/".join(MANYEYES_OIDC_ISSUER.split("/")[:3])] if MANYEYES_OIDC_ISSUER else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *FORMS_LEAD_TO],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# What people type is held in memory or encrypted while it streams, never in a plain temporary file.
FILE_UPLOAD_HANDLERS = ["manyeyes.vault.uploads.EncryptingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 6_000_000  # a too long answer still reaches its form
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400

# Mail: files in the data directory unless a server is named.
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", "manyeyes@localhost")
if env("EMAIL_HOST"):
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = env("EMAIL_HOST")
    EMAIL_PORT = number("EMAIL_PORT", 587)
    EMAIL_HOST_USER = env("EMAIL_USER")
    EMAIL_HOST_PASSWORD = env("EMAIL_PASSWORD")
    EMAIL_USE_TLS = True
    EMAIL_TIMEOUT = 30  # a mail server that hangs must not stop the other mails
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MANYEYES_DATA_DIR / "mail")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [PACKAGE / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Logs name a path and a status, never a query, a body or an address; exceptions are logged by type and place only.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_content": {"()": "manyeyes.logs.NoContent"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_content"]}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "WARNING")},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
