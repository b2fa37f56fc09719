"""Executions that a limit holds back: set aside, found again, freed.

``blocked_on`` is the mark that says what holds them back; no index of those who look for work
holds a row that has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.models.lines import AGEING
from jobs.policies import Priority

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

MOST_FREED = 5_000  # rows of all marks together that one call looks at

_MARK = """
UPDATE executions_execution SET blocked_on = mark.blocked_on
FROM unnest(%(ids)s::uuid[], %(marks)s::text[]) AS mark (id, blocked_on)
WHERE executions_execution.id = mark.id AND status = 'scheduled'
"""

_MARKS = """
WITH RECURSIVE walk AS (
    (SELECT blocked_on FROM executions_execution
     WHERE status = 'scheduled' AND blocked_on <> '' AND blocked_on > %(after)s
     ORDER BY blocked_on LIMIT 1)
    UNION ALL
    SELECT following.blocked_on
    FROM walk, LATERAL (
        SELECT blocked_on FROM executions_execution
        WHERE status = 'scheduled' AND blocked_on <> '' AND blocked_on > walk.blocked_on
        ORDER BY blocked_on LIMIT 1
    ) AS following
)
SELECT blocked_on FROM walk LIMIT %(limit)s
"""

_FREE = """
WITH ranked AS (
    SELECT first.id, asked.room, row_number() OVER (PARTITION BY asked.mark ORDER BY
        greatest(0, class.priority - floor(greatest(0, extract(
            epoch FROM %(now)s - greatest(first.due_at, first.created_at)
        )) / %(ageing)s)), class.priority, first.due_at, first.id
    ) AS place
    FROM unnest(%(marks)s::text[], %(rooms)s::int[]) AS asked (mark, room),
        unnest(%(classes)s::int[]) AS class (priority),
        LATERAL (
            SELECT id, due_at, created_at FROM executions_execution
            WHERE status = 'scheduled' AND blocked_on <> '' AND blocked_on = asked.mark
                AND priority = class.priority
            ORDER BY due_at LIMIT asked.room
        ) AS first
), free AS (
    SELECT id FROM executions_execution
    WHERE id = ANY(ARRAY(SELECT id FROM ranked WHERE place <= room))
        AND status = 'scheduled' AND blocked_on <> ''
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE executions_execution SET blocked_on = '' WHERE id = ANY(ARRAY(SELECT id FROM free))
"""

_FREE_FIRST_SLOT = """
WITH free AS (
    SELECT id FROM executions_execution
    WHERE id = ANY(ARRAY(
            SELECT first.id
            FROM unnest(%(schedules)s::uuid[]) AS asked (id), LATERAL (
                SELECT id FROM executions_execution
                WHERE schedule_id = asked.id
                    AND status IN ('queued', 'running', 'scheduled', 'waiting')
                ORDER BY scheduled_for LIMIT 1
            ) AS first
        ))
        AND status = 'scheduled' AND blocked_on = 'overlap:' || schedule_id
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE executions_execution SET blocked_on = '' WHERE id = ANY(ARRAY(SELECT id FROM free))
"""


def block(marks: Mapping[UUID, str]) -> None:
    """Set locked, waiting executions aside; ``marks`` says on what each of them waits."""
    if marks:
        _change(_MARK, ids=list(marks), marks=list(marks.values()))


def marks_after(mark: str, *, limit: int) -> list[str]:
    """Return the next ``limit`` marks on which anything waits, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, {"after": mark, "limit": limit})
        return [found for (found,) in cursor.fetchall()]


def free(rooms: Mapping[str, int], now: datetime) -> int:
    """Free as many of those that wait on each mark as it has room, the best first.

    Returns how many. A row that somebody holds is left for the next time.
    """
    if not rooms:
        return 0
    most = max(1, MOST_FREED // len(rooms))
    return _change(
        _FREE,
        now=now,
        ageing=AGEING.total_seconds(),
        marks=list(rooms),
        rooms=[min(number, most) for number in rooms.values()],
        classes=[priority.value for priority in Priority],
    )


def free_first_slots(schedules: Collection[str]) -> int:
    """Free the first unfinished slot of each schedule where it is what waits; return how many."""
    return _change(_FREE_FIRST_SLOT, schedules=list(schedules)) if schedules else 0


def _change(statement: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed
