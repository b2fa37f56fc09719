"""Every setting of Chronos; the environment decides. `.env.example` mirrors this file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ

from chronos_project import logs, openapi_settings
from chronos_project.database.connection import PatientConnection
from chronos_project.unfold import UNFOLD  # noqa: F401  the theme of the admin

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# --- Where this runs --------------------------------------------------------------------------
PRODUCTION = env.str("CHRONOS_ENV", default="production") == "production"
DEBUG = env.bool("CHRONOS_DEBUG", default=False)
SECRET_KEY = env.str("CHRONOS_SECRET_KEY")  # no default: a missing secret must stop the start
ALLOWED_HOSTS = env.list("CHRONOS_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CHRONOS_TRUSTED_ORIGINS", default=[])
CHRONOS_VERSION = "0.1.0"

LOGGING = logs.settings(env.str("CHRONOS_LOG_LEVEL", default="INFO"))

# --- What Chronos does ------------------------------------------------------------------------
CHRONOS_LEASE_SECONDS = env.int("CHRONOS_LEASE_SECONDS", default=30)
CHRONOS_HTTP_ALLOW_PRIVATE = env.list("CHRONOS_HTTP_ALLOW_PRIVATE", default=[])
CHRONOS_REGISTRATION = env.str("CHRONOS_REGISTRATION", default="closed" if PRODUCTION else "open")
CHRONOS_ANONYMOUS_RUN = env.bool("CHRONOS_ANONYMOUS_RUN", default=False)
CHRONOS_APPS = env.list("CHRONOS_APPS", default=[])  # apps with job functions and Celery tasks
CHRONOS_ADOPT_TASKS = env.list("CHRONOS_ADOPT_TASKS", default=[])  # Celery tasks that jobs may name
CHRONOS_METRICS_TOKEN = env.str("CHRONOS_METRICS_TOKEN", default="")  # empty: for staff only
CHRONOS_FLOWER_URL = env.str("CHRONOS_FLOWER_URL", default="")
CHRONOS_SWEEP_SECONDS = env.int("CHRONOS_SWEEP_SECONDS", default=3)
CHRONOS_KEEP_DAYS = env.int("CHRONOS_KEEP_DAYS", default=30)  # 0 keeps for ever, here and below
CHRONOS_KEEP_FAILED_DAYS = env.int("CHRONOS_KEEP_FAILED_DAYS", default=90)
CHRONOS_KEEP_LAST = env.int("CHRONOS_KEEP_LAST", default=10)  # executions of each job, however old
CHRONOS_KEEP_MOST = env.int("CHRONOS_KEEP_MOST", default=0)  # executions in all, about
CHRONOS_KEEP_RESULTS_DAYS = env.int("CHRONOS_KEEP_RESULTS_DAYS", default=3)
CHRONOS_SHUTDOWN_GRACE_SECONDS = env.int("CHRONOS_SHUTDOWN_GRACE_SECONDS", default=20)

# --- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_celery_results",
    "accounts",
    "jobs",
    "executions",
    "chronos_project",
    *CHRONOS_APPS,
]
MIDDLEWARE = [
    "chronos_project.problems.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "chronos_project.urls"
ASGI_APPLICATION = "chronos_project.asgi.application"
WSGI_APPLICATION = "chronos_project.wsgi.application"
APPEND_SLASH = False  # both spellings are routed; a redirect would drop the body of a POST
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
            ],
        },
    },
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; security.md S10
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i:s"
USE_TZ = True
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # found at the start: no collectstatic, here or in production
WHITENOISE_AUTOREFRESH = False

# --- Database ---------------------------------------------------------------------------------
# Threads share a pool; a forked pool child keeps one connection (celery-facts: a psycopg pool in a
# prefork child is created and destroyed for every task).
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"]["ENGINE"] = "chronos_project.database"
DB_POOL_SIZE = env.int("CHRONOS_DB_POOL_SIZE", default=0)
# Seconds that one answer is waited for, 0: for ever. A worker must hear of a silence in time to try
# again before its leases end; `asgi.py` and `manage.py` have values of their own.
DB_PATIENCE_SECONDS = env.float(
    "CHRONOS_DB_PATIENCE_SECONDS", default=min(10.0, max(2.0, CHRONOS_LEASE_SECONDS / 3))
)
# Whoever freezes in a transaction must not keep its locks; a job may have reasons to think longer,
# and a command that waits for ever as well.
DB_IDLE_SECONDS = 600 if env.str("CHRONOS_FLEET", default="") == "compute" else 10
if not DB_PATIENCE_SECONDS:
    DB_IDLE_SECONDS = 0
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 3,
    # Only cursors that are made for it prepare at all. A pooler that gives each transaction another
    # session must know of prepared statements.
    "prepare_threshold": 5 if env.bool("CHRONOS_DB_PREPARE", default=True) else None,
    "application_name": env.str("CHRONOS_PROCESS", default="chronos"),
    "options": " ".join(
        f"-c {option}"
        for option in (
            "timezone=UTC",
            # Who renews leases must not wait for a lock, and who is in a hurry gets told of it.
            f"lock_timeout={min(3000, DB_PATIENCE_SECONDS * 800 or 3000):.0f}",
            f"idle_in_transaction_session_timeout={DB_IDLE_SECONDS}s",
            "client_connection_check_interval=1s",  # nobody waits any more: stop the statement
        )
    ),
    "tcp_user_timeout": 5000,  # milliseconds until a silent network counts as gone
    "keepalives_idle": 15,  # seconds; so the kernel knows of a lost server before a statement does
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
if DB_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "connection_class": PatientConnection,
        "min_size": 1,
        "max_size": DB_POOL_SIZE,
        "timeout": min(1.2, DB_PATIENCE_SECONDS or 1.2),  # seconds to wait for a connection
        "reconnect_timeout": 0.2,  # then on demand: its pauses would grow with an outage
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 300  # seconds
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_SSL_REDIRECT = env.bool("CHRONOS_SSL_REDIRECT", default=PRODUCTION)
SECURE_REDIRECT_EXEMPT = [
    r"^(actuator/)?health",
    r"^metrics",
    r"^actuator/prometheus",
]  # probes come from inside, without TLS
if env.bool("CHRONOS_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "chronos_project.problems.csrf_failure"

# --- REST -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.RolePermission"],
    "DEFAULT_PARSER_CLASSES": ["lib.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "lib.browsable.PageRenderer",
    ],
    "DEFAULT_PAGINATION_CLASS": "lib.pagination.PagePagination",
    "DEFAULT_FILTER_BACKENDS": ["lib.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "VIEW_DESCRIPTION_FUNCTION": "lib.browsable.description",
    "EXCEPTION_HANDLER": "chronos_project.api_errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=24),
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.str("CHRONOS_JWT_KEY", default=SECRET_KEY),
    "ISSUER": "chronos",
    "AUDIENCE": "chronos-api",
    "USER_ID_CLAIM": "sub",
    "AUTH_HEADER_TYPES": ("Bearer",),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Chronos",
    "DESCRIPTION": "Background work you can trust: it runs, or you know why it did not.",
    "VERSION": CHRONOS_VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    **openapi_settings.SETTINGS,
}

# --- Redis and Celery -------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "chronos_project.transport:Transport"  # drops what is no message
# Seconds that one answer of Redis is waited for; `asgi.py` has a value of its own.
BROKER_PATIENCE_SECONDS = env.float("CHRONOS_BROKER_PATIENCE_SECONDS", default=10)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "ack_emulation": False,  # 2 Redis commands a task, not 10; lost work comes back by its lease
    "socket_timeout": BROKER_PATIENCE_SECONDS,
    "socket_connect_timeout": min(3.0, BROKER_PATIENCE_SECONDS),
    "socket_keepalive": True,
    "health_check_interval": 10,
    "max_retries": 1,  # who publishes does not wait for a broker that is away; the sweep does
    "interval_start": 0,
    "interval_step": 0.1,
    "connect_retries_timeout": 1,
    "priority_steps": [0, 1, 2, 3, 4],  # jobs.policies.Priority
    "queue_order_strategy": "priority",
    "global_keyprefix": env.str("CHRONOS_REDIS_PREFIX", default="chronos:"),
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker never gives up on its broker
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # nor on one that answers but refuses to serve
CELERY_WORKER_CONSUMER = "chronos_project.consumer:Consumer"
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 2
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True  # a busy worker holds no work that it cannot start
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.5}
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SEND_TASK_EVENTS = True  # Flower listens
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_TASK_TRACK_STARTED = False
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = (
    None  # else beat adds a clean-up task of its own that deletes in one statement
)
CELERY_WORKER_LOST_WAIT = 2
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "executions.beat:ChronosScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_BEAT_SCHEDULE = {
    "chronos: full sweep": {"task": "executions.sweep", "schedule": timedelta(minutes=5)},
    "chronos: prune": {"task": "executions.prune", "schedule": timedelta(minutes=1)},
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
DJANGO_CELERY_BEAT_TZ_AWARE = True
DJANGO_CELERY_RESULTS = {"ALLOW_EDITS": False}
