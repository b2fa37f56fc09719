"""Celery in its variants; ``BENCH_MODE`` picks one.

``plain`` stores no result, ``results`` stores them with django-celery-results, ``beat`` reads its
schedules with django-celery-beat (``celery_beat_app`` stores them). ``BENCH_REUSE`` keeps database
connections between tasks, ``BENCH_BEST`` is what its documentation says against losing jobs,
``BENCH_TICK`` is the length in seconds of the schedule that beat knows from its settings.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

MODE = os.environ["BENCH_MODE"]
if MODE != "plain":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.apps.settings")
    import django

    django.setup()

from celery import Celery  # noqa: E402  its Django fixup looks for the settings

from benchmarks import records  # noqa: E402

TICK = -7  # the number of the job that recurs

app = Celery("bench", broker=os.environ["REDIS_URL"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    task_ignore_result=MODE != "results",
    timezone="UTC",
)
if MODE == "results":
    app.conf.update(result_backend="django-db", task_track_started=True, result_extended=True)
if os.environ.get("BENCH_REUSE"):  # else its Django fixup closes the connection around each task
    app.conf.CELERY_DB_REUSE_MAX = 1_000_000
if os.environ.get("BENCH_BEST"):
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={
            "visibility_timeout": 15,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
    )
if os.environ.get("BENCH_TICK"):
    length = float(os.environ["BENCH_TICK"])
    app.conf.beat_schedule = {
        "tick": {"task": "job", "schedule": length, "args": (TICK, 0.0, 0)},
    }


@app.task(name="job")
def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    """There is nothing to make."""


def submit(index: int, submitted: float, milliseconds: int) -> None:
    job.delay(index, submitted, milliseconds)


def submit_at(index: int, due: float) -> None:
    job.apply_async((index, due, 0), eta=datetime.fromtimestamp(due, UTC))
