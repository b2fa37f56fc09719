"""What becomes of due slots whose earlier ones are unfinished: the rule is ``jobs.overlaps``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

from executions import transitions
from executions.models import UNFINISHED, Execution
from jobs.overlaps import AHEAD, Ruling, Slot, rule
from jobs.policies import Overlap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

ACTOR = "overlap policy"
MOST_REPLACED = 100  # cancelled for one slot at once; the next tick goes on

EARLIEST = """
SELECT asked.id, first.scheduled_for, first.created_at
FROM unnest(%(schedules)s::uuid[]) AS asked (id), LATERAL (
    SELECT scheduled_for, created_at FROM executions_execution
    WHERE schedule_id = asked.id AND status IN ('queued', 'running', 'scheduled', 'waiting')
    ORDER BY scheduled_for
    LIMIT %(ahead)s
) AS first
"""


def settle(
    rows: Sequence[Execution], *, now: datetime
) -> tuple[list[Execution], dict[UUID, str], set[UUID]]:
    """Return those of the locked, due ``rows`` that may go, what others are blocked on, who stays.

    What is skipped or cancelled for the policy is none of these. A slot stays whose predecessors
    could not all be cancelled, because somebody holds them: it is looked at again, at another
    time. A slot and those before it were committed in order, so any two beats see the same.
    """
    rulings = _rulings([row for row in rows if row.schedule_id and not row.attempt])
    skipped = [row for row in rows if rulings.get(row.pk) is Ruling.SKIP]
    if skipped:
        transitions.skip_all(skipped, now=now, reason="overlap", detail={})
    gone, stay = _replace([row for row in rows if rulings.get(row.pk) is Ruling.REPLACE], now=now)
    marks = {
        row.pk: f"overlap:{row.schedule_id}"
        for row in rows
        if rulings.get(row.pk) is Ruling.WAIT and row.pk not in gone
    }
    away = gone | stay | marks.keys() | {row.pk for row in skipped}
    return [row for row in rows if row.pk not in away], marks, stay


def earliest(schedules: Collection[UUID]) -> dict[UUID, list[Slot]]:
    """Return the first two unfinished slots of each schedule that has any."""
    found = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(EARLIEST, {"schedules": list(schedules), "ahead": AHEAD})
        for schedule, at, fired_at in cursor.fetchall():
            found[schedule].append(Slot(at, fired_at))
    return found


def _rulings(rows: Sequence[Execution]) -> dict[UUID, Ruling]:
    asking = [row for row in rows if row.schedule and row.schedule.overlap != Overlap.ALLOW]
    slots = earliest({row.schedule_id for row in asking if row.schedule_id}) if asking else {}
    return {row.pk: _ruling(row, slots) for row in asking}


def _ruling(row: Execution, unfinished: dict[UUID, list[Slot]]) -> Ruling:
    assert row.schedule is not None  # noqa: S101  as above
    assert row.scheduled_for is not None  # noqa: S101  the database checks it
    overlap = Overlap(row.schedule.overlap)
    slot = Slot(row.scheduled_for, row.created_at)
    return rule(overlap, slot, unfinished=unfinished.get(row.schedule.pk, ()))


def _replace(rows: Iterable[Execution], *, now: datetime) -> tuple[set[UUID], set[UUID]]:
    """Cancel what the newest slot of each schedule replaces; return those, and slots that stay."""
    newest: dict[UUID | None, Execution] = {}
    for row in sorted(rows, key=lambda row: row.scheduled_for or now):
        newest[row.schedule_id] = row
    gone: set[UUID] = set()
    stay: set[UUID] = set()
    for row in newest.values():
        earlier = Execution.objects.filter(
            schedule=row.schedule_id,
            status__in=UNFINISHED,
            scheduled_for__lt=row.scheduled_for,
        ).order_by("scheduled_for")
        for one in earlier.lock_free(MOST_REPLACED):
            transitions.cancel(one, now=now, actor=ACTOR)
            gone.add(one.pk)
        if earlier.exists():
            stay.add(row.pk)
    return gone, stay
