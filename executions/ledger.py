"""What became of slots, on its way into the table: many rows of many schedules in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.models.execution import limit_key
from jobs.models import Job
from lib.ids import new_id
from lib.text import storable_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from jobs.models import Schedule
    from jobs.slots import Stretch

# Says of a slot what ``Execution.of`` says of a manual start; a test compares the two.
INSERT = """
WITH stored AS (
INSERT INTO executions_execution
    (id, team_id, job_id, version_id, schedule_id, scheduled_for, origin, kind, queue, priority,
     limit_id, limit_key, status, reason, result, message, worker, due_at, start_by, created_at,
     finished_at, attempt, failures, losses, publishes)
SELECT slot.id, job.team_id, job.id, version.id, schedule.id, slot.at, 'schedule', version.kind,
    version.queue, version.priority, version.limit_id, coalesce(slot.limit_key, ''),
    CASE slot.reason WHEN '' THEN 'scheduled' ELSE 'skipped' END, slot.reason, slot.result,
    '', '', slot.due_at,
    slot.due_at + make_interval(secs => version.start_deadline_seconds), %(now)s,
    CASE slot.reason WHEN '' THEN NULL ELSE %(now)s END, 0, 0, 0, 0
FROM json_to_recordset(%(slots)s) AS slot (id uuid, schedule uuid, at timestamptz,
    due_at timestamptz, limit_key text, reason text, result jsonb)
JOIN jobs_schedule AS schedule ON schedule.id = slot.schedule
JOIN jobs_job AS job ON job.id = schedule.job_id
JOIN jobs_jobversion AS version ON version.id = job.current_id
ON CONFLICT (schedule_id, scheduled_for) DO NOTHING
RETURNING id, team_id, job_id, status, reason, result
)
INSERT INTO executions_outboxevent (team_id, at, topic, subject, body)
SELECT team_id, %(now)s, 'execution.skipped', id,
    jsonb_build_object('job', job_id, 'reason', reason, 'slots', result)
FROM stored
WHERE status = 'skipped'
"""


class Ledger:
    """Collects rows for the slots of some schedules and stores them at once.

    A slot that has a row already keeps it: it was fired before a crash.
    """

    def __init__(self, schedules: Collection[Schedule] = ()) -> None:
        self._limit_keys = _limit_keys(schedules)
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def run(self, schedule: Schedule, slot: datetime, due_at: datetime) -> None:
        """The slot becomes an execution of the job as it is defined now."""
        key = self._limit_keys.get(schedule.job_id, "")
        self._add(schedule, slot, due_at=due_at.isoformat(), limit_key=key, reason="")

    def skip(self, schedule: Schedule, stretch: Stretch, **detail: Any) -> None:
        """One row stands for the whole stretch: its first slot, its last, their number, and why."""
        first, last = stretch.first.isoformat(), stretch.last.isoformat()
        told = {"first": first, "last": last, "count": stretch.count, **detail}
        self._add(schedule, stretch.first, due_at=first, reason=stretch.why.value, result=told)

    def store(self, now: datetime) -> None:
        """Write what was collected. Raises ``django.db.Error`` when one of the rows is broken."""
        if not self._rows:
            return
        with connection.cursor() as cursor:
            cursor.execute(INSERT, {"slots": storable_json(self._rows), "now": now})
        self._rows.clear()

    def _add(self, schedule: Schedule, slot: datetime, **fields: Any) -> None:
        at = slot.isoformat()
        self._rows.append({"id": str(new_id()), "schedule": str(schedule.pk), "at": at, **fields})


def record_skipped(
    schedule: Schedule, stretch: Stretch, now: datetime, detail: Mapping[str, Any]
) -> None:
    """Write one stretch; what ``jobs.host`` lends to those who move a schedule by hand."""
    ledger = Ledger()
    ledger.skip(schedule, stretch, **detail)
    ledger.store(now)


def _limit_keys(schedules: Collection[Schedule]) -> dict[UUID, str]:
    """Return by job what its executions share a limit under; most jobs have no limit."""
    limited = [row.job_id for row in schedules if getattr(row, "limit_id", None)]
    if not limited:
        return {}
    jobs = Job.objects.limited().filter(pk__in=limited)
    versions = [job.current for job in jobs if job.current]
    return {version.job_id: limit_key(version.limit, version.payload) for version in versions}
