"""What to do, and when: jobs, the versions of their definition, their limits and schedules."""

from __future__ import annotations

from jobs.models.due import ScheduleQuerySet
from jobs.models.job import Job, JobQuerySet, JobVersion, Limit, LimitQuerySet, choices
from jobs.models.prepared import Prepared, loaded, plan_anew, prepared_cursor
from jobs.models.schedule import Schedule

__all__ = [
    "Job",
    "JobQuerySet",
    "JobVersion",
    "Limit",
    "LimitQuerySet",
    "Prepared",
    "Schedule",
    "ScheduleQuerySet",
    "choices",
    "loaded",
    "plan_anew",
    "prepared_cursor",
]
