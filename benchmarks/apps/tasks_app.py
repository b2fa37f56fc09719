"""django-tasks with its database backend: the queue is a table."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.apps.settings")
if not apps.ready:
    django.setup()

from django_tasks import task

from benchmarks import records


@task()
def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    """There is nothing to make."""


def submit(index: int, submitted: float, milliseconds: int) -> None:
    job.enqueue(index, submitted, milliseconds)


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    job.using(run_after=at).enqueue(index, due, 0)
