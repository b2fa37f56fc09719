"""Submits to Chronos as a Django project does: through ``run_now``, and rows in bulk."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
django.setup()

from accounts.models import Team, User  # noqa: E402  needs the settings
from benchmarks.apps.chronos import fill as schedules  # noqa: E402
from benchmarks.apps.chronos.functions import NAME  # noqa: E402
from executions import bell, clock, scheduler  # noqa: E402
from executions.models import Execution, Origin  # noqa: E402
from jobs import definitions  # noqa: E402
from jobs.models import Job  # noqa: E402

OWNER = "bench@example.org"
KIND = os.environ.get("BENCH_KIND", "python")
BATCH = 1000

_jobs: list[Job] = []


def start() -> None:
    """Make the owner and the job that is started by hand."""
    body = {"name": "Bench", "kind": KIND, "payload": _payload(0)}
    _jobs.append(definitions.create(_team(), body, actor=None, now=clock.now()))


def submit(index: int, submitted: float, milliseconds: int) -> None:
    """Start the job through the verb that the API and the admin call."""
    payload = _payload(index, submitted, milliseconds)
    scheduler.run_now(_jobs[0], now=clock.now(), actor=OWNER, payload=payload)


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    payload = _payload(index, due)
    scheduler.run_now(_jobs[0], now=clock.now(), actor=OWNER, payload=payload, run_at=at)


def submit_many(count: int, first: int = 0, milliseconds: int = 0) -> None:
    """Add executions with one statement for each 1 000 of them, and wake the beats."""
    job, now = _jobs[0], clock.now()
    for begin in range(first, first + count, BATCH):
        end = min(begin + BATCH, first + count)
        Execution.objects.bulk_create(
            Execution.of(
                job,
                now=now,
                due_at=now,
                origin=Origin.MANUAL,
                payload=_payload(index, time.time(), milliseconds),
            )
            for index in range(begin, end)
        )
        bell.ring()


def tick(seconds: int) -> None:
    """Let a job of number -7 recur."""
    body = {
        "name": "Bench tick",
        "kind": "python",
        "payload": _payload(-7),
        "schedule": {"type": "interval", "every_seconds": seconds},
        "policy": {"overlap": "allow"},
    }
    definitions.create(_team(), body, actor=None, now=clock.now())


def fill(count: int, every: int, first: float, rate: float) -> None:
    """Make ``count`` schedules, the n-th due first at ``first + n / rate``, then ``every`` s."""
    schedules.fill(_team(), count, every=every, first=first, gap=1 / rate if rate else 0.0)


def add(index: int, due: float, every: int) -> None:
    """Add a schedule as users do, due first at the whole second ``due``."""
    body = {
        "name": f"Bench {index}",
        "kind": "python",
        "payload": _payload(index),
        "schedule": {
            "type": "interval",
            "every_seconds": every,
            "starts_at": datetime.fromtimestamp(due, UTC),
        },
    }
    definitions.create(_team(), body, actor=None, now=clock.now())


def _team() -> Team:
    found = User.objects.filter(email=OWNER).first()
    owner = found or User.objects.create_user(email=OWNER, password=None)
    team: Team = owner.personal_team
    return team


def _payload(index: int, submitted: float = 0.0, milliseconds: int = 0) -> dict[str, Any]:
    return {"function": NAME, "args": [index, submitted, milliseconds], "kwargs": {}}
