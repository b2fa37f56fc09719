"""django-q2: messages through Redis, results in PostgreSQL."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.apps.settings")
if not apps.ready:
    django.setup()

from django_q.tasks import async_task, schedule

from benchmarks import records

JOB = "benchmarks.apps.q2_app.job"


def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    """There is nothing to make."""


def submit(index: int, submitted: float, milliseconds: int) -> None:
    async_task(JOB, index, submitted, milliseconds)


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    schedule(JOB, index, due, 0, schedule_type="O", next_run=at, repeats=1)
