"""A few telling jobs for a fresh installation: one that works, one that heals, one that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from executions import scheduler
from jobs import definitions
from jobs.kinds.functions import functions
from jobs.models import Job

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User

TAG = "demo"

JOBS: list[dict[str, Any]] = [
    {
        "name": "Pulse",
        "description": "Does nothing, every ten seconds: when it stops, the platform has stopped.",
        "kind": "noop",
        "payload": {"message": "still here"},
        "schedule": {"type": "interval", "every_seconds": 10},
    },
    {
        "name": "Newsletter digest",
        "description": "A Python function that works, with a log to look at.",
        "kind": "python",
        "payload": {"function": "newsletter.digest", "args": [7], "kwargs": {}},
        "schedule": {"type": "cron", "cron": "*/5 * * * *", "timezone": "UTC"},
    },
    {
        "name": "Flaky mail server",
        "description": "Fails on its first attempt and heals on the second.",
        "kind": "python",
        "payload": {"function": "newsletter.flaky", "args": [], "kwargs": {}},
        "schedule": {"type": "cron", "cron": "*/15 * * * *", "timezone": "Europe/Berlin"},
        "retry": {"max_attempts": 3, "strategy": "fixed", "base_seconds": 5, "max_seconds": 5},
    },
    {
        "name": "Broken import",
        "description": "Fails for good, so that there is a dead letter to resolve or to redrive.",
        "kind": "python",
        "payload": {"function": "newsletter.broken", "args": [], "kwargs": {}},
        "schedule": {"type": "cron", "cron": "0 0 6 ? * MON-FRI", "timezone": "America/New_York"},
        "retry": {"max_attempts": 2, "strategy": "fixed", "base_seconds": 3, "max_seconds": 3},
    },
    {
        "name": "Report to a partner",
        "description": "An HTTP call. Paused: put your own address in, then resume it.",
        "kind": "http",
        "payload": {"url": "https://example.org/report", "method": "POST", "body": {"n": 1}},
        "schedule": {"type": "cron", "cron": "0 12 * * *", "timezone": "UTC"},
        "status": "paused",
    },
]


@transaction.atomic
def seed(user: User, *, now: datetime) -> int:
    """Make the demo jobs in the personal team of ``user`` and start each once; return how many.

    Does nothing when there are some already. Jobs whose function is not installed are left out.
    """
    team = user.personal_team
    if Job.objects.of_team(team).filter(tags__contains=[TAG]).exists():
        return 0
    wanted = [body for body in JOBS if body["payload"].get("function", "") in {"", *functions()}]
    for body in wanted:
        job = definitions.create(team, body | {"tags": [TAG]}, actor=user, now=now)
        if not job.paused_at:
            scheduler.run_now(job, now=now, actor="demo", reason="the first look")
    return len(wanted)
