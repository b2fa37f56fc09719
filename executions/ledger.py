"""What became of slots, on its way into the table: many rows of many schedules in one statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jobs.models import prepared_cursor
from jobs.models.due import SAVE_PLAIN, plain_progress
from lib.ids import new_id
from lib.text import array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.ahead import Foreseen
    from jobs.models import Schedule
    from jobs.slots import Stretch

# Says of a slot what ``Execution.of`` says of a manual start; a test compares the two.
_STORED = """stored AS (
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
    FROM {slots}
    JOIN jobs_job AS job ON job.id = slot.job
    JOIN jobs_jobversion AS version ON version.id = job.current_id
    LEFT JOIN jobs_limit AS shared ON shared.id = version.limit_id
    ON CONFLICT (schedule_id, scheduled_for) WHERE schedule_id IS NOT NULL DO NOTHING
    RETURNING id, team_id, job_id, status, reason, result
)"""
_INSERT = f"""
WITH {_STORED}
INSERT INTO executions_outboxevent (team_id, at, topic, subject, body)
SELECT team_id, %(now)s, 'execution.skipped', id,
    jsonb_build_object('job', job_id, 'reason', reason, 'slots', result)
FROM stored
WHERE status = 'skipped'
"""  # noqa: S608  the pieces are constants of this module

_RUNS = """(
        SELECT *, ''::text AS reason, NULL::jsonb AS result FROM unnest(%(ids)s::uuid[],
            %(schedules)s::uuid[], %(jobs)s::uuid[], %(slots)s::timestamptz[],
            %(due)s::timestamptz[]) AS run (id, schedule, job, at, due_at)
    ) AS slot"""
_SKIPS = """json_to_recordset(%(slots)s) AS slot (id uuid, schedule uuid, job uuid,
        at timestamptz, due_at timestamptz, reason text, result jsonb)"""
INSERT_RUNS, INSERT_SKIPS = _INSERT.format(slots=_RUNS), _INSERT.format(slots=_SKIPS)

# A row that was changed since it was read has another ``xmin``, also if that was committed after
# this statement began: a lock looks at a row anew.
FIRE = f"""
WITH unchanged AS (
    SELECT schedule.id FROM jobs_schedule AS schedule
    JOIN unnest(%(id)s::uuid[], %(versions)s::xid[]) AS known (id, version)
        ON schedule.id = known.id AND schedule.xmin = known.version
    FOR NO KEY UPDATE OF schedule SKIP LOCKED
), fired AS (
    {SAVE_PLAIN} AND jobs_schedule.id IN (SELECT id FROM unchanged)
    RETURNING jobs_schedule.id
), {_STORED.format(slots=f"{_RUNS} JOIN fired ON fired.id = slot.schedule")}
SELECT count(*) FROM fired
"""  # noqa: S608  the pieces are constants


class Ledger:
    """Collects rows for slots of any number of schedules and stores them at once.

    A slot that has a row already keeps it: it was fired before a crash.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[UUID, UUID, UUID, datetime, datetime]] = []
        self._skips: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._runs) + len(self._skips)

    def run(self, schedule: Schedule, slot: datetime, due_at: datetime) -> None:
        """The slot becomes an execution of the job as it is defined now."""
        self._runs.append((new_id(), schedule.pk, schedule.job_id, slot, due_at))

    def skip(self, schedule: Schedule, stretch: Stretch, **detail: Any) -> None:
        """One row stands for the whole stretch: its first slot, its last, their number, and why."""
        first, last = stretch.first.isoformat(), stretch.last.isoformat()
        told = {"first": first, "last": last, "count": stretch.count, **detail}
        self._skips.append(
            {
                "id": str(new_id()),
                "schedule": str(schedule.pk),
                "job": str(schedule.job_id),
                "at": first,
                "due_at": first,
                "reason": stretch.why.value,
                "result": told,
            }
        )

    def store(self, now: datetime) -> None:
        """Write what was collected. Raises ``django.db.Error`` when one of the rows is broken."""
        with prepared_cursor() as cursor:
            if self._runs:
                cursor.execute(INSERT_RUNS, {**self._run_values(), "now": now})
            if self._skips:
                cursor.execute(INSERT_SKIPS, {"slots": json.dumps(self._skips), "now": now})
        self._runs.clear()
        self._skips.clear()

    def fire(self, seen: Sequence[Foreseen], now: datetime) -> int:
        """Write the runs of schedules that were ``seen``, and how far these are, in one statement.

        Leaves out schedules that somebody changed since or holds at this moment; returns how many
        are left. For those that go on and skip nothing. Raises as ``store`` does.
        """
        values = plain_progress([one.schedule for one in seen]) | self._run_values()
        versions = array(one.version for one in seen)
        with prepared_cursor() as cursor:
            cursor.execute(FIRE, {**values, "versions": versions, "now": now})
            (fired,) = cursor.fetchone()
        return int(fired)

    def _run_values(self) -> dict[str, str]:
        columns = map(array, zip(*self._runs, strict=True))
        return dict(zip(("ids", "schedules", "jobs", "slots", "due"), columns, strict=True))


def record_skipped(
    schedule: Schedule, stretch: Stretch, now: datetime, detail: Mapping[str, Any]
) -> None:
    """Write one stretch; what ``jobs.host`` lends to those who move a schedule by hand."""
    ledger = Ledger()
    ledger.skip(schedule, stretch, **detail)
    ledger.store(now)
