"""How queues stand: what runs in each, what waits, what is late; counted up to a bound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.models import Queue
from jobs import kinds
from jobs.policies import Priority

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

MOST = 10_000  # counted of what waits in one line; whoever has more does not need the number
LATE_AFTER = timedelta(seconds=30)  # due for longer and not started: an operator should look

# What is due and held back by nothing, from the index of those who look for work.
_DUE_OF_ALL = """
    SELECT asked.name AS queue, due_at FROM unnest(%(names)s::text[]) AS asked (name), LATERAL (
        SELECT due_at FROM executions_execution
        WHERE status = 'scheduled' AND blocked_on = '' AND queue = asked.name
            AND due_at <= %(now)s
        ORDER BY due_at LIMIT %(most)s
    ) AS first
"""
_DUE_OF_TEAMS = """
    SELECT asked.name AS queue, due_at
    FROM unnest(%(names)s::text[]) AS asked (name), unnest(%(kinds)s::text[]) AS of (kind),
        unnest(%(teams)s::uuid[]) AS team (id), unnest(%(classes)s::int[]) AS class (priority),
        LATERAL (
            SELECT due_at FROM executions_execution
            WHERE status = 'scheduled' AND blocked_on = '' AND queue = asked.name
                AND kind = of.kind AND team_id = team.id AND priority = class.priority
                AND due_at <= %(now)s
            ORDER BY due_at LIMIT %(most)s
        ) AS first
"""

# What is in flight is bounded by the windows. What a limit holds back, and what waits for a
# report, is read up to the bound, whosever it is.
_LINES = """
WITH unfinished AS (
    SELECT queue, 'scheduled' AS status, due_at FROM ({due}) AS due
    UNION ALL
    SELECT queue, status, due_at FROM executions_execution
    WHERE status IN ('queued', 'running') AND {mine}
    UNION ALL
    SELECT queue, status, due_at FROM (
        SELECT queue, team_id, status, due_at FROM executions_execution
        WHERE status = 'scheduled' AND blocked_on <> '' LIMIT %(most)s
    ) AS blocked WHERE due_at <= %(now)s AND {mine}
    UNION ALL
    SELECT queue, status, due_at FROM (
        SELECT queue, team_id, status, due_at FROM executions_execution
        WHERE status = 'waiting' LIMIT %(most)s
    ) AS reporting WHERE {mine}
)
SELECT queue,
    count(*) FILTER (WHERE status = 'running'),
    count(*) FILTER (WHERE status <> 'running'),
    count(*) FILTER (WHERE status IN ('scheduled', 'queued') AND due_at < %(late)s),
    min(due_at) FILTER (WHERE status IN ('scheduled', 'queued'))
FROM unfinished GROUP BY queue
"""
OF_ALL = _LINES.format(due=_DUE_OF_ALL, mine="true")
OF_TEAMS = _LINES.format(due=_DUE_OF_TEAMS, mine="team_id = ANY(%(teams)s)")


@dataclass(frozen=True, slots=True)
class Line:
    """A queue as it stands: ``waiting`` counts what is due, ``late`` what is due for too long."""

    name: str
    paused: bool
    active: int
    waiting: int
    late: int
    oldest_due_at: datetime | None


def lines(now: datetime, *, teams: Collection[UUID] | None = None) -> list[Line]:
    """Return the queues in which anything of ``teams`` runs or waits, and the paused ones, by name.

    Without ``teams`` that is everybody's. Of what waits up to ``MOST`` are counted for each queue
    (of teams: for each kind and priority in it), so that a backlog of millions costs no more.
    """
    paused = dict(Queue.objects.values_list("name", "paused_at"))
    values: dict[str, Any] = {
        "names": list(paused),
        "kinds": list(kinds.all_kinds()),
        "teams": list(teams or ()),
        "classes": [priority.value for priority in Priority],
        "now": now,
        "late": now - LATE_AFTER,
        "most": MOST,
    }
    with connection.cursor() as cursor:
        cursor.execute(OF_ALL if teams is None else OF_TEAMS, values)
        found = {name: numbers for name, *numbers in cursor.fetchall()}
    resting = [name for name, since in paused.items() if since]
    return [
        Line(name, name in resting, *found.get(name, (0, 0, 0, None)))
        for name in sorted({*resting, *found})
    ]
