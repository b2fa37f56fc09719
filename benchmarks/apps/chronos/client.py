"""Submits to Chronos as a Django project does: through ``run_now``, and rows in bulk."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
django.setup()

from django.db import transaction  # noqa: E402

from accounts import tokens  # noqa: E402  needs the settings
from accounts.models import Team, User  # noqa: E402
from benchmarks.apps.chronos import fill as schedules  # noqa: E402
from benchmarks.apps.chronos.functions import NAME  # noqa: E402
from benchmarks.apps.chronos.history import history  # noqa: E402
from executions import clock, scheduler  # noqa: E402
from executions.submissions import Submission, Wish  # noqa: E402
from jobs import definitions  # noqa: E402
from jobs.models import Job  # noqa: E402

OWNER = "bench@example.org"
KIND = os.environ.get("BENCH_KIND", "python")
BATCH = 1000

__all__ = ["history"]  # a verb, as all functions here that have a name for others

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
    """Start the job through the verb behind the bulk call of the API, 1 000 times a statement."""
    for begin in range(first, first + count, BATCH):
        submission = Submission(_jobs[0], now=clock.now())
        for index in range(begin, min(begin + BATCH, first + count)):
            submission.add(Wish(payload=_payload(index, time.time(), milliseconds)))
        with transaction.atomic():
            submission.store(actor=OWNER, scope=OWNER)


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


def requests() -> dict[str, Any]:
    """Requests that start the job once, and a thousand times."""
    here, body = f"/jobs/{_jobs[0].pk}", {"payload": _payload(1)}
    return {
        "one": {**_request("POST", f"{here}/execute"), "body": body},
        "many": {**_request("POST", f"{here}/executions"), "body": [body] * BATCH},
    }


def pages() -> dict[str, Any]:
    """Requests for the statistics and for lists, by the names of their figures."""
    lists = {
        "stats": "/dashboard/stats",
        "newest": "/executions?limit=100",
        "of_job": f"/jobs/{_jobs[0].pk}/executions?limit=100",
        "failed": "/executions?status=failed&limit=100",
        "rare": "/executions?status=cancelled,skipped&limit=100",
        "search": "/executions?search=nothing-is-called-so&limit=100",
        "dead": "/dead-letters?limit=100",
        "causes": "/failures",
    }
    return {name: _request("GET", path) for name, path in lists.items()}


def _request(method: str, path: str) -> dict[str, Any]:
    """A request of the owner's, who is signed in for it."""
    token = tokens.sign_in(User.objects.get(email=OWNER), clock.now()).access
    headers = {"Authorization": f"Bearer {token}"}
    return {"method": method, "path": f"/api/v1{path}", "headers": headers}


def _team() -> Team:
    found = User.objects.filter(email=OWNER).first()
    owner = found or User.objects.create_user(email=OWNER, password=None)
    team: Team = owner.personal_team
    return team


def _payload(index: int, submitted: float = 0.0, milliseconds: int = 0) -> dict[str, Any]:
    return {"function": NAME, "args": [index, submitted, milliseconds], "kwargs": {}}
