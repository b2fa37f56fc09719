"""What lies ahead of a beat: one look tells what is due, and when to look again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Value

from executions.models import OutboxEvent, PeriodicState, Redrive, lines
from jobs.models import Job, Prepared, Schedule, loaded, prepared_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

# Seconds before and after now in which slots are foreseen, at least: what is overdue for longer is
# a backlog, and the next tick comes no sooner.
LATELY, SOON = 0.1, 0.03
MOST = 50  # slots; of more at once the locks of a batch are cheap

FIELDS = [field.attname for field in Schedule._meta.concrete_fields]

# Each piece asks an index for its first entry, by an order that leaves the planner no choice: by
# its statistics, which are always old here, reading a whole table would look cheaper.
LOOK = f"""
{lines.QUEUES}, line AS (
    SELECT (
        SELECT due_at FROM executions_execution
        WHERE {lines.WAITS} AND queue = named.queue ORDER BY due_at LIMIT 1
    ) AS first, (
        SELECT due_at FROM executions_execution
        WHERE {lines.WAITS} AND queue = named.queue AND due_at > %(now)s ORDER BY due_at LIMIT 1
    ) AS coming
    FROM named
), seen AS (
    SELECT (
        SELECT next_fire_at FROM jobs_schedule
        WHERE enabled AND next_fire_at IS NOT NULL ORDER BY next_fire_at LIMIT 1
    ) AS slot, (
        SELECT next_fire_at FROM jobs_schedule
        WHERE enabled AND next_fire_at > %(now)s ORDER BY next_fire_at LIMIT 1
    ) AS coming_slot, (
        SELECT min(first) FROM line
    ) AS execution, (
        SELECT min(coming) FROM line
    ) AS coming_execution, (
        SELECT blocked_on FROM executions_execution
        WHERE status = 'scheduled' AND blocked_on <> '' ORDER BY blocked_on LIMIT 1
    ) IS NOT NULL AS is_blocked
)
SELECT seen.*, schedule.*
FROM seen LEFT JOIN LATERAL (
    SELECT xmin::text, {", ".join(FIELDS)} FROM jobs_schedule
    WHERE enabled AND missed = '' AND mode <> 'fixed_delay'
        AND next_fire_at > %(now)s - make_interval(secs => {LATELY})
        AND next_fire_at <= greatest(coming_slot, %(now)s + make_interval(secs => {SOON}))
    ORDER BY next_fire_at
    LIMIT {MOST + 1}
) AS schedule ON true
"""  # noqa: S608  the pieces are constants


class Foreseen(NamedTuple):
    """A schedule that skips nothing and goes on, as it was seen; ``version`` is its row's."""

    version: str
    schedule: Schedule


class Ahead(NamedTuple):
    """The first slot that is due or coming, the first one after now, the same of executions that
    wait, and whether a limit holds any back. None where there is none.

    ``foreseen`` are the schedules of slots about now, those of the next instant among them; none
    if they are many.
    """

    slot: datetime | None
    coming_slot: datetime | None
    execution: datetime | None
    coming_execution: datetime | None
    is_blocked: bool
    foreseen: Sequence[Foreseen] = ()

    def slot_is_due(self, now: datetime) -> bool:
        return self.slot is not None and self.slot <= now

    @property
    def is_foreseen(self) -> bool:
        """Whether the first slot is."""
        return bool(self.foreseen) and self.foreseen[0].schedule.next_fire_at == self.slot

    def execution_is_due(self, now: datetime) -> bool:
        return self.execution is not None and self.execution <= now

    def is_behind(self, now: datetime, by: timedelta) -> bool:
        """Whether a slot has been due for that long: there is more than a batch of them."""
        return self.slot_is_due(now - by)

    @property
    def next(self) -> datetime | None:
        """When the next slot or execution after now is due."""
        coming = [one for one in (self.coming_slot, self.coming_execution) if one]
        return min(coming, default=None)


def look(now: datetime) -> Ahead:
    """Look at what is due by ``now`` and what comes next: one statement, of a few index entries."""
    with prepared_cursor() as cursor:
        cursor.execute(LOOK, {"now": now})
        rows = cursor.fetchall()
    found = [_foreseen(row[5:]) for row in rows if row[5] is not None]
    return Ahead._make((*rows[0][:5], found if len(found) <= MOST else ()))


def _foreseen(row: tuple[Any, ...]) -> Foreseen:
    return Foreseen(row[0], loaded(Schedule, zip(FIELDS, row[1:], strict=True)))


def chores(now: datetime) -> set[str]:
    """Name the duties of every second that have something to do, in one statement."""
    return {name for (name,) in CHORES.tuples(now)}


def _first_of_each(now: datetime) -> QuerySet[Any, Any]:
    asked: dict[str, QuerySet[Any]] = {
        "pauses": Job.objects.resting_until(now),
        "delays": Schedule.objects.unarmed(),
        "redrives": Redrive.objects.due(now),
        "events": OutboxEvent.objects.waiting(),
        "rows": PeriodicState.objects.due(now),
    }
    first, *others = (rows.values_list(Value(name))[:1] for name, rows in asked.items())
    return first.union(*others, all=True)


CHORES: Prepared[Any] = Prepared(_first_of_each)
