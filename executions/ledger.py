"""What became of slots, on its way into the table: many rows of many schedules in one statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection

from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jobs.models import Schedule
    from jobs.slots import Stretch

# Says of a slot what ``Execution.of`` says of a manual start; a test compares the two.
INSERT = """
WITH stored AS (
    INSERT INTO executions_execution
        (id, team_id, job_id, version_id, schedule_id, scheduled_for, origin, kind, queue,
         priority, limit_id, limit_key, status, reason, result, message, worker, due_at, start_by,
         created_at, finished_at, attempt, failures, losses, publishes)
    SELECT slot.id, job.team_id, job.id, version.id, slot.schedule, slot.at, 'schedule',
        version.kind, version.queue, version.priority, version.limit_id,
        CASE
            WHEN version.limit_id IS NULL THEN ''
            WHEN shared.by <> '' AND jsonb_typeof(version.payload -> shared.by)
                IN ('string', 'number', 'boolean')
            THEN left(shared.id || ':' || (version.payload ->> shared.by), 200)
            ELSE shared.id::text
        END,
        CASE slot.reason WHEN '' THEN 'scheduled' ELSE 'skipped' END, slot.reason, slot.result,
        '', '', slot.due_at,
        slot.due_at + make_interval(secs => version.start_deadline_seconds), %(now)s,
        CASE slot.reason WHEN '' THEN NULL ELSE %(now)s END, 0, 0, 0, 0
    FROM json_to_recordset(%(slots)s) AS slot (id uuid, schedule uuid, job uuid, at timestamptz,
        due_at timestamptz, reason text, result jsonb)
    JOIN jobs_job AS job ON job.id = slot.job
    JOIN jobs_jobversion AS version ON version.id = job.current_id
    LEFT JOIN jobs_limit AS shared ON shared.id = version.limit_id
    ON CONFLICT (schedule_id, scheduled_for) WHERE schedule_id IS NOT NULL DO NOTHING
    RETURNING id, team_id, job_id, status, reason, result
)
INSERT INTO executions_outboxevent (team_id, at, topic, subject, body)
SELECT team_id, %(now)s, 'execution.skipped', id,
    jsonb_build_object('job', job_id, 'reason', reason, 'slots', result)
FROM stored
WHERE status = 'skipped'
"""


class Ledger:
    """Collects rows for slots of any number of schedules and stores them at once.

    A slot that has a row already keeps it: it was fired before a crash.
    """

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def run(self, schedule: Schedule, slot: datetime, due_at: datetime) -> None:
        """The slot becomes an execution of the job as it is defined now."""
        self._add(schedule, slot, due_at=due_at, reason="", result=None)

    def skip(self, schedule: Schedule, stretch: Stretch, **detail: Any) -> None:
        """One row stands for the whole stretch: its first slot, its last, their number, and why."""
        first, last = stretch.first.isoformat(), stretch.last.isoformat()
        told = {"first": first, "last": last, "count": stretch.count, **detail}
        reason = stretch.why.value
        self._add(schedule, stretch.first, due_at=stretch.first, reason=reason, result=told)

    def store(self, now: datetime) -> None:
        """Write what was collected. Raises ``django.db.Error`` when one of the rows is broken."""
        if not self._rows:
            return
        with connection.cursor() as cursor:
            cursor.execute(INSERT, {"slots": json.dumps(self._rows), "now": now})
        self._rows.clear()

    def _add(
        self,
        schedule: Schedule,
        slot: datetime,
        *,
        due_at: datetime,
        reason: str,
        result: dict[str, Any] | None,
    ) -> None:
        self._rows.append(
            {
                "id": str(new_id()),
                "schedule": str(schedule.pk),
                "job": str(schedule.job_id),
                "at": slot.isoformat(),
                "due_at": due_at.isoformat(),
                "reason": reason,
                "result": result,
            }
        )


def record_skipped(
    schedule: Schedule, stretch: Stretch, now: datetime, detail: Mapping[str, Any]
) -> None:
    """Write one stretch; what ``jobs.host`` lends to those who move a schedule by hand."""
    ledger = Ledger()
    ledger.skip(schedule, stretch, **detail)
    ledger.store(now)
