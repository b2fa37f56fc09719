"""How full queues are: what waits, what is in flight, since when, and who serves them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.heartbeats import SILENT_AFTER
from executions.models import Worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from executions.models import Queue

MOST = 10_000  # counted in a queue; whoever has more does not need the number

# Each count walks an index of what waits or is in flight, and stops at MOST.
COUNT = """
SELECT asked.name, waiting.number, busy.queued, busy.running, least(waiting.oldest, busy.oldest)
FROM unnest(%(names)s::text[]) AS asked (name),
    LATERAL (
        SELECT count(*) AS number, min(due_at) AS oldest FROM (
            SELECT due_at FROM executions_execution
            WHERE status = 'scheduled' AND blocked_on = '' AND queue = asked.name
                AND due_at <= %(now)s
            ORDER BY due_at LIMIT %(most)s
        ) AS counted
    ) AS waiting,
    LATERAL (
        SELECT count(*) FILTER (WHERE status = 'queued') AS queued,
            count(*) FILTER (WHERE status = 'running') AS running,
            min(due_at) FILTER (WHERE status = 'queued') AS oldest
        FROM executions_execution
        WHERE status IN ('queued', 'running') AND queue = asked.name
    ) AS busy
"""


@dataclass(frozen=True, slots=True)
class Depth:
    """``waiting`` is due and not yet queued, held back by no limit, and counted up to ``MOST``."""

    waiting: int
    queued: int
    running: int
    oldest_due_at: datetime | None
    workers: int
    as_of: datetime

    @property
    def depth(self) -> int:
        return self.waiting + self.queued

    @property
    def depth_capped(self) -> bool:
        return self.waiting >= MOST

    @property
    def in_flight(self) -> int:
        return self.queued + self.running

    @property
    def oldest_age_seconds(self) -> float | None:
        """How late the oldest of those that wait or are queued is."""
        if self.oldest_due_at is None:
            return None
        return round((self.as_of - self.oldest_due_at).total_seconds(), 3)


def depths(queues: Sequence[Queue], *, now: datetime) -> dict[str, Depth]:
    """Return how full each of ``queues`` is, in two queries."""
    workers = _workers(queues, now)
    values: dict[str, Any] = {"names": [queue.name for queue in queues], "now": now, "most": MOST}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        return {
            name: Depth(waiting, queued, running, oldest, workers[name], as_of=now)
            for name, waiting, queued, running, oldest in cursor.fetchall()
        }


def _workers(queues: Sequence[Queue], now: datetime) -> Counter[str]:
    """Count the living workers of each queue; those follow queues that were made after them."""
    found = Counter[str]()
    for worker in Worker.objects.fresh(now - SILENT_AFTER):
        served = {name.rpartition(".")[0] for name in worker.queues}
        found.update(
            queue.name
            for queue in queues
            if queue.name in served or queue.created_at > worker.started_at
        )
    return found
