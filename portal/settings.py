"""Every setting of Gatehouse, and the only place that reads the environment.

Without any setting it is the embedded installation: SQLite, Valkey and AWS's stand-in, all in `var/` and on loopback.
With `DEBUG=off` it is a real one, and a setting that has no safe default stops the start with a sentence.
"""

import logging
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from portal.conf import hub, made_once, sealing
from portal.conf.celery import BROKER_TRANSPORT_OPTIONS, TASK_QUEUES, beat_schedule
from portal.conf.logs import LOGGING as LOGGING
from portal.conf.policies import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
DEBUG = env.bool("DEBUG", default=True)
EMBEDDED = DEBUG


def needed(name: str, embedded: str) -> str:
    """The environment's value; the embedded installation has a default, a real one has none."""
    if not EMBEDDED and not env.str(name, default=""):
        raise ImproperlyConfigured(f"Set {name}: a real installation has no default for it.")
    return env.str(name, default=embedded)


# Where the portal is

PORT = env.int("PORT", default=8000)
PORTAL_URL = needed("PORTAL_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = needed("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
SECRET_KEY = needed("SECRET_KEY", made_once.secret_key(VAR_DIR / "secret_key") if EMBEDDED else "")
SEALING_KEYS = sealing.parse(
    needed("SEALING_KEYS", made_once.sealing_keys(VAR_DIR / "sealing_keys") if EMBEDDED else "")
)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
# Whoever shows it as a bearer token may read /metrics; without one only whoever comes from this machine.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

INSTALLED_APPS = [
    "portal.conf.apps.RecordsRoomConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "portal.conf.apps.PortalConfig",
    "portal.ledger.apps.LedgerConfig",
    "portal.secrets.apps.SecretsConfig",
    "accounts.apps.AccountsConfig",
    "federation.apps.FederationConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Above whitenoise, so that static files carry them too.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.views.organization.CurrentOrganizationMiddleware",
    "accounts.views.missing.MissingMiddleware",
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
                "accounts.views.organization.shell",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DJANGO_TABLES2_TEMPLATE = "components/table.html"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The database

DATABASES = {"default": env.db_url_config(needed("DATABASE_URL", f"sqlite:///{VAR_DIR / 'gatehouse.sqlite3'}"))}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # FULL and not NORMAL: a decision that a person saw accepted survives a power cut too.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=2000; "
        "PRAGMA journal_size_limit=27103364;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# The broker and the cache, shared by all processes: rate limits and TOTP replay live in the cache

VALKEY_SOCKET = VAR_DIR / "valkey.sock"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": needed("CACHE_URL", f"unix://{VALKEY_SOCKET}?db=1"),
    }
}
CELERY_BROKER_URL = needed("CELERY_BROKER_URL", f"redis+socket://{VALKEY_SOCKET}?virtual_host=0")
CELERY_BROKER_TRANSPORT_OPTIONS = BROKER_TRANSPORT_OPTIONS if "redis" in CELERY_BROKER_URL else {}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 110
CELERY_TASK_QUEUES = TASK_QUEUES
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=10.0)
CELERY_BEAT_SCHEDULE = beat_schedule(SWEEP_SECONDS)
CELERY_TIMEZONE = "UTC"
DELIVERY_LEASE_SECONDS = env.int("DELIVERY_LEASE_SECONDS", default=60)
# How long a secret waits for its recipient.
SECRET_HOURS = env.int("SECRET_HOURS", default=24)
IMPORT_EVERY_MINUTES = env.int("IMPORT_EVERY_MINUTES", default=30)
# For how long an offboarding can be undone, before what it disabled is deleted; 0 deletes at once.
OFFBOARDING_DAYS = env.int("OFFBOARDING_DAYS", default=7)
if OFFBOARDING_DAYS < 0:
    raise ImproperlyConfigured("OFFBOARDING_DAYS is 0 or more days.")
# For how long an old access key stays inactive, to be made active again where it is missed, before it is deleted.
ROTATION_WATCH_DAYS = env.int("ROTATION_WATCH_DAYS", default=7)
if ROTATION_WATCH_DAYS < 0:
    raise ImproperlyConfigured("ROTATION_WATCH_DAYS is 0 or more days.")
# How long a request waits for somebody, and its approval for its delivery.
REQUEST_DAYS = env.int("REQUEST_DAYS", default=7)

# AWS. Without an endpoint it is AWS itself, entered with the credentials of botocore's default chain.

AWS_REGION = env.str("AWS_REGION", default="us-east-1")
AWS_PORT = env.int("AWS_PORT", default=PORT + 1)
AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default=f"http://127.0.0.1:{AWS_PORT}" if EMBEDDED else "") or None
AWS_IS_EMBEDDED = EMBEDDED and not env.str("AWS_ENDPOINT_URL", default="")
AWS_SIGNIN_URL = env.str("AWS_SIGNIN_URL", default=f"{AWS_ENDPOINT_URL}/federation" if AWS_IS_EMBEDDED else "") or None
# The pace of each account that has none of its own. AWS does not publish its own limit for IAM.
AWS_CALLS_PER_SECOND = env.float("AWS_CALLS_PER_SECOND", default=10.0)
AWS_CALLS_BURST = env.int("AWS_CALLS_BURST", default=20)
# The embedded AWS knows one key and no other; it opens nothing anywhere else.
HUB_ACCESS_KEY_ID = "AKIAGATEHOUSEHUB0000" if AWS_IS_EMBEDDED else None
HUB_SECRET_ACCESS_KEY = "gatehouse-demo-hub-secret" if AWS_IS_EMBEDDED else None
# Whom the roles in connected accounts trust: the portal's own role or user in AWS, in the partition of all of them.
HUB_PRINCIPAL_ARN = hub.parse(
    env.str("HUB_PRINCIPAL_ARN", default="arn:aws:iam::123456789012:user/gatehouse-hub" if AWS_IS_EMBEDDED else "")
)

# Mail

EMAIL_URL = needed("EMAIL_URL", f"filemail:///{VAR_DIR / 'mail'}")
vars().update(env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"Gatehouse <gatehouse@{urlsplit(PORTAL_URL).hostname}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Who signs in, and how

AUTH_USER_MODEL = "accounts.Person"
# Only allauth's backend: with Django's beside it an unknown e-mail answers faster than a known one.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# How long the link in an invitation's mail may be followed.
INVITATION_DAYS = env.int("INVITATION_DAYS", default=7)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "federation.adapters.account.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = str
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PORTAL_URL).scheme
# Whoever takes a sign-in over cannot do it silently: the address that it had is told.
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Gatehouse: "
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Beside allauth's own limits.
ACCOUNT_RATE_LIMITS = {"invitation": "60/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_ADAPTER = "federation.adapters.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Gatehouse"
# Phones drift: one step of 30 seconds before and after counts too (RFC 6238, 5.2). A used code is refused all the same.
MFA_TOTP_TOLERANCE = 1
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG

# The browser

SECURE = urlsplit(PORTAL_URL).scheme == "https"
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# botocore at DEBUG writes access keys and passwords into the log: never, whatever the log's settings say.
for _name in ("boto3", "botocore", "s3transfer", "urllib3"):
    logging.getLogger(_name).setLevel(logging.INFO)
