"""Pauses that are over: jobs go on by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from jobs import definitions
from jobs.models import Job

if TYPE_CHECKING:
    from datetime import datetime

ACTOR = "the end of the pause"


@transaction.atomic
def wake_paused(now: datetime, limit: int = 200) -> int:
    """Resume the jobs whose pause was to end by ``now``; return how many.

    Of the slots that a job missed, the newest runs. The job goes on from the end of its pause:
    what is due since then is late, not missed. Any number of processes may call this at once: a
    row that another one holds is left to it.
    """
    jobs = list(Job.objects.resting_until(now).lock_free(limit))
    for job in jobs:
        definitions.resume(job, now=job.paused_until or now, actor=ACTOR, missed="latest")
    return len(jobs)
