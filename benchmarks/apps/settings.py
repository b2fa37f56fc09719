"""Django settings of every peer that needs Django; ``BENCH_APPS`` names its apps."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

_database = urlsplit(os.environ["DATABASE_URL"])
_broker = urlsplit(os.environ["REDIS_URL"])

SECRET_KEY = "benchmarks"  # noqa: S105  nothing here is worth one
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE: list[str] = []
LOGGING_CONFIG = None
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    *filter(None, os.environ.get("BENCH_APPS", "").split(",")),
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "USER": _database.username,
        "PASSWORD": _database.password,
        "HOST": _database.hostname,
        "PORT": _database.port,
        "CONN_MAX_AGE": None,
    }
}
if os.environ.get("BENCH_POOL"):  # threads that share connections, as Chronos's web process does
    _pool = {"min_size": 1, "max_size": int(os.environ["BENCH_POOL"])}
    DATABASES["default"] |= {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": _pool}}
Q_CLUSTER = {
    "name": "bench",
    "workers": int(os.environ.get("BENCH_SLOTS", "2")),
    "timeout": 60,  # seconds
    "retry": 120,  # seconds
    "save_limit": 0,
    "catch_up": False,
    "log_level": "WARNING",
    "redis": {
        "host": _broker.hostname,
        "port": _broker.port,
        "password": _broker.password,
        "db": 0,
    },
}
if os.environ.get("BENCH_VIEW"):
    ROOT_URLCONF = "benchmarks.apps.bare"
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
