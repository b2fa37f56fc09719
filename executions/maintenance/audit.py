"""The proof that nothing vanished: due = executed + skipped.

Slots are counted twice, by the trigger, which is arithmetic, and by the rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import connection, transaction

from executions.models import AuditFinding
from jobs.models import Schedule
from jobs.triggers import TriggerError
from jobs.triggers.base import HORIZON

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from uuid import UUID

log = structlog.get_logger(__name__)

What = AuditFinding.What

_MOMENT = timedelta.resolution

# A stretch counts as its slots. A row is doubled that begins before the row before it has ended.
COUNT = """
SELECT schedule_id, sum(slots)::bigint, coalesce(sum(slots) FILTER (WHERE doubled), 0)::bigint
FROM (
    SELECT schedule_id, slots,
        scheduled_for <= max(last) OVER (PARTITION BY schedule_id ORDER BY scheduled_for, id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS doubled
    FROM (
        SELECT execution.schedule_id, execution.scheduled_for, execution.id,
            CASE WHEN stretch THEN (result->>'count')::bigint ELSE 1 END AS slots,
            CASE WHEN stretch THEN (result->>'last')::timestamptz ELSE scheduled_for END AS last
        FROM json_to_recordset(%s) AS book (schedule uuid, since timestamptz, until timestamptz)
        JOIN executions_execution AS execution ON execution.schedule_id = book.schedule
            AND execution.scheduled_for >= book.since AND execution.scheduled_for < book.until,
        LATERAL (
            SELECT status = 'skipped' AND jsonb_exists_all(result, '{count,last}')
        ) AS kind (stretch)
    ) AS counted
) AS compared
GROUP BY schedule_id
"""

# Whoever moves the schedule on at this moment leaves the range to the next pass.
CLOSE = """
WITH free AS (
    SELECT schedule.id
    FROM json_to_recordset(%s) AS book (schedule uuid, since timestamptz, cursor timestamptz)
    JOIN jobs_schedule AS schedule ON schedule.id = book.schedule
        AND audited_until = book.since AND next_fire_at IS NOT DISTINCT FROM book.cursor
    FOR NO KEY UPDATE OF schedule SKIP LOCKED
)
UPDATE jobs_schedule SET audited_until = next_fire_at
FROM free WHERE jobs_schedule.id = free.id
RETURNING free.id
"""


@dataclass(frozen=True, slots=True)
class Book:
    """The slots of a schedule with ``since <= slot < until``, and how many there must be.

    ``expected`` is None where no trigger knows: after a fixed delay, or when it is broken.
    ``cursor`` is where the schedule stood.
    """

    schedule: UUID
    since: datetime
    until: datetime
    cursor: datetime | None
    expected: int | None


def audit_slots(now: datetime, limit: int = 100) -> int:
    """Prove that each slot decided since the last audit has its row; return for how many schedules.

    What does not add up becomes a finding. Nothing is locked while it is counted: rows of decided
    slots are committed with the cursor, so they are all there. A schedule that somebody holds is
    left to the next audit.
    """
    books = [_book(schedule) for schedule in Schedule.objects.unaudited(now)[:limit]]
    findings = list(_compare(books, now))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLOSE, [_as_json(books)])
        closed = {pk for (pk,) in cursor.fetchall()}
        report([finding for finding in findings if finding.schedule in closed])
    return len(closed)


def close_books(schedule: Schedule, now: datetime) -> None:
    """Audit a schedule at once, before its trigger is replaced by another one."""
    if schedule.audited_until is not None:
        report(list(_compare([_book(schedule)], now)))


def _book(schedule: Schedule) -> Book:
    assert schedule.audited_until is not None  # noqa: S101  only those that have books
    since, cursor = schedule.audited_until.astimezone(UTC), schedule.next_fire_at
    until = cursor.astimezone(UTC) if cursor else HORIZON
    expected = _expected(schedule, since, until)
    return Book(schedule.pk, since, until, cursor, expected)


def _expected(schedule: Schedule, since: datetime, until: datetime) -> int | None:
    """Count by the trigger; a first slot that it no longer names was promised, and counts."""
    if until <= since:  # nothing was decided since the last audit
        return 0
    if schedule.is_fixed_delay:
        return None
    try:
        trigger = schedule.trigger
    except TriggerError as exc:
        log.warning("audit.not_countable", schedule_id=str(schedule.pk), why=str(exc))
        return None
    if schedule.left == 0 and schedule.last_fired_at:  # decided up to the end, and no further
        until = min(until, schedule.last_fired_at.astimezone(UTC) + _MOMENT)
    return 1 + trigger.count(since, until - _MOMENT) if since < until else 0


def _compare(books: Collection[Book], now: datetime) -> Iterator[AuditFinding]:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [_as_json(books)])
        counted = {pk: (found, doubled) for pk, found, doubled in cursor.fetchall()}
    for book in books:
        found, doubled = counted.get(book.schedule, (0, 0))
        distinct = found - doubled
        expected = distinct if book.expected is None else book.expected
        if distinct < expected:
            yield _finding(What.SLOT_LOST, book, expected, found, now)
        if doubled or distinct > expected:
            yield _finding(What.SLOT_DOUBLED, book, expected, found, now)


def _finding(
    what: AuditFinding.What, book: Book, expected: int, found: int, now: datetime
) -> AuditFinding:
    until = f"before {book.until:%Y-%m-%d %H:%M:%S}" if book.cursor else "on"
    return AuditFinding(
        at=now,
        what=what,
        schedule=book.schedule,
        since=book.since,
        until=book.cursor,
        expected=expected,
        found=found,
        message=f"Of {expected} slots from {book.since:%Y-%m-%d %H:%M:%S} {until} UTC,"
        f" {found} have a row.",
    )


def report(findings: Collection[AuditFinding]) -> None:
    """Log and keep what was found."""
    for one in findings:
        subject = one.schedule or one.execution
        log.error("audit.mismatch", what=one.what, subject=str(subject), message=one.message)
    AuditFinding.objects.bulk_create(findings)


def _as_json(books: Collection[Book]) -> str:
    names = ("schedule", "since", "until", "cursor")
    return json.dumps(
        [{name: getattr(book, name) for name in names} for book in books], default=str
    )
