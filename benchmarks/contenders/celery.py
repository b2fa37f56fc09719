"""Celery: with and without results in SQL, and with its schedules in the database."""

from __future__ import annotations

from dataclasses import replace

from psycopg import sql

from benchmarks.contenders.contender import Command, Contender

APP = "benchmarks.apps.celery_app"
BEAT_APP = "benchmarks.apps.celery_beat_app"
CELERY = ("{bin}/celery", "-A", APP)
SETTINGS = {"DJANGO_SETTINGS_MODULE": "benchmarks.apps.settings"}
MIGRATE = Command(("{bin}/django-admin", "migrate", "--no-input", "-v", "0"))
ONCE_A_SECOND = {"BENCH_TICK": "1"}

PLAIN = Contender(
    name="celery",
    title="raw Celery",
    layout="1 worker, prefork 2, ignore_result",
    group="celery",
    client=Command(("{bin}/python", "-m", "benchmarks.apps.client", APP)),
    worker=Command((*CELERY, "worker", "-c", "{slots}", "-n", "{node}@%h", "-l", "WARNING")),
    ticker=Command((*CELERY, "beat", "-l", "WARNING", "-s", "{run}/beat"), ONCE_A_SECOND),
    env={"BENCH_MODE": "plain"},
    best={"BENCH_BEST": "1"},
)
RESULTS = replace(
    PLAIN,
    name="celery-results",
    title="Celery + django-celery-results",
    layout="1 worker, prefork 2, track_started, result_extended",
    ticker=None,
    prepare=(MIGRATE,),
    schema="celery-results",
    settled=sql.SQL(
        "SELECT count(*) FROM django_celery_results_taskresult WHERE status = 'SUCCESS'"
    ),
    left_running=sql.SQL(
        "SELECT count(*) FROM django_celery_results_taskresult WHERE status = 'STARTED'"
    ),
    history="one row: insert, update",
    env={"BENCH_MODE": "results", "BENCH_APPS": "django_celery_results", **SETTINGS},
)
REUSE = replace(
    RESULTS,
    name="celery-results-reuse",
    title="Celery + django-celery-results, connections reused",
    layout="as before, with CELERY_DB_REUSE_MAX",
    env={**RESULTS.env, "BENCH_REUSE": "1"},
)
BEAT = replace(
    PLAIN,
    name="celery-beat",
    title="django-celery-beat",
    layout="DatabaseScheduler, 1 worker, prefork 2, ignore_result",
    ticker=Command((*CELERY, "beat", "-l", "WARNING", "-S", "django"), ONCE_A_SECOND),
    scaler=Command((*CELERY, "beat", "-l", "WARNING", "-S", "django")),
    client=Command(("{bin}/python", "-m", "benchmarks.apps.client", BEAT_APP)),
    prepare=(MIGRATE,),
    schema="celery-beat",
    env={"BENCH_MODE": "beat", "BENCH_APPS": "django_celery_beat", **SETTINGS},
)
