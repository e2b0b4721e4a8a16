"""Django's settings, from the environment (see `revoir_web.environment`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from revoir_web import database, environment
from revoir_web.settings.logs import logging_configuration

database.use_sound_sqlite()

ENVIRONMENT = environment.read()
PACKAGE = Path(__file__).parents[1]

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
BASE_URL = ENVIRONMENT.base_url
DATA = ENVIRONMENT.data
LAKE = ENVIRONMENT.lake
PROXIES = ENVIRONMENT.proxies
PRIVATE_NETWORKS = ENVIRONMENT.private_networks
SOURCE_FOLDERS = ENVIRONMENT.source_folders
SOURCE_SETTLE_SECONDS = 60
"""A file of a source that was changed more recently may still be being written."""
CSRF_TRUSTED_ORIGINS = [BASE_URL]

DATABASES = {"default": database.configuration(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "axes",
    "revoir_web.common",
    "revoir_web.accounts",
    "revoir_web.customers",
    "revoir_web.consents",
    "revoir_web.messaging",
    "revoir_web.ingest",
    "revoir_web.insights",
    "revoir_web.alerts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "revoir_web.ingest.middleware.Events",
    "revoir_web.common.middleware.Observed",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "revoir_web.accounts.middleware.Seen",
    "django_htmx.middleware.HtmxMiddleware",
    "revoir_web.common.middleware.Preferences",
    "revoir_web.common.middleware.Declared",
    "revoir_web.common.middleware.Overtaken",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "revoir_web.urls"
WSGI_APPLICATION = "revoir_web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["revoir_web.common.templatetags.revoir", "django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "revoir_web.common.navigation.context",
            ],
        },
    }
]

CACHES: dict[str, Any] = {
    # Limits of sign-in are counted here: every process must see the same count.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "revoir_cache",
    },
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# -- Languages ---------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- Static files ------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS = [PACKAGE / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "revoir_web.common.storage.HashedFiles"},
}
MEDIA_ROOT = DATA / "files"
WHITENOISE_USE_FINDERS = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
FILE_UPLOAD_TEMP_DIR = environment.uploads(DATA)
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700

# -- People ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "revoir_web.accounts.adapter.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
# Above the five of the lock-out, which is told on its own page; it holds for codes too.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,10/300s/key"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if ENVIRONMENT.tls else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Revoir"
USERSESSIONS_TRACK_ACTIVITY = True
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
"""Hours."""
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_USERNAME_CALLABLE = "revoir_web.accounts.adapter.typed_address"
AXES_CLIENT_IP_CALLABLE = "revoir_web.common.web.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS: list[str] = []

# -- What the browser is told ------------------------------------------------------------------
SECURE_SSL_REDIRECT = ENVIRONMENT.tls
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^prometheus$"]
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.tls
SECURE_HSTS_PRELOAD = ENVIRONMENT.tls
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = ENVIRONMENT.tls
SESSION_COOKIE_NAME = "__Host-session" if ENVIRONMENT.tls else "session"
SESSION_COOKIE_AGE = 14 * 86_400
CSRF_COOKIE_SECURE = ENVIRONMENT.tls
CSRF_COOKIE_NAME = "__Host-csrf" if ENVIRONMENT.tls else "csrf"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SECURE = ENVIRONMENT.tls
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "revoir_web.common.pages.bad_token"

# -- E-mail, logs ------------------------------------------------------------------------------
vars().update(environment.email(ENVIRONMENT.email_url))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email_from
LOGGING = logging_configuration(debug=DEBUG)
LOGGING_CONFIG = "revoir_web.settings.logs.configure"

APPLICATION_NAME = _("Revoir")
