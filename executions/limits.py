"""Limits: who would exceed one is set aside, and comes back when there is room.

``Execution.blocked_on`` says on what: ``job:<id>``, ``limit:<key>``, ``rate:<key>`` or
``overlap:<schedule id>``. A blocked row is in nobody's way, because those who look for work read
an index that does not hold it. In flight is what is queued or running.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Count

from executions.models import Execution, blocked
from jobs.models import Job, Limit, Schedule
from jobs.policies import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

JOB, LIMIT, RATE, OVERLAP = "job", "limit", "rate", "overlap"

LOCK = 0x4C494D495453  # "LIMITS"; any number that nobody else locks

# A start counts while it is in the window, and so does whoever may start at any moment: thus no
# window of that length ever sees more starts than the rate, whenever workers get to them. The
# last attempt started when its execution did, whatever its worker's clock said.
STARTED = """
SELECT asked.key,
    (SELECT count(*) FROM executions_execution
     WHERE limit_key = asked.key AND limit_key <> '' AND status = 'queued')
    +
    (SELECT count(*) FROM executions_execution AS execution
     JOIN executions_attempt AS attempt ON attempt.execution_id = execution.id
     WHERE limit_key = asked.key AND limit_key <> ''
        AND execution.started_at > %(now)s - make_interval(secs => asked.seconds)
        AND (attempt.number = execution.attempt
            OR attempt.started_at > %(now)s - make_interval(secs => asked.seconds)))
FROM unnest(%(keys)s::text[], %(seconds)s::float8[]) AS asked (key, seconds)
"""


ROOM_AT = """
SELECT min((
    SELECT started_at FROM executions_execution
    WHERE limit_key = asked.key AND limit_key <> '' AND started_at IS NOT NULL
    ORDER BY started_at DESC OFFSET asked.rate - 1 LIMIT 1
) + make_interval(secs => asked.seconds))
FROM unnest(%(keys)s::text[], %(rates)s::int[], %(seconds)s::float8[]) AS asked (key, rate, seconds)
"""

MOMENT = timedelta(seconds=0.05)  # a hint that was wrong is not followed more often,
WRONG_AFTER = timedelta(seconds=1)  # nor for longer
MOST_HINTS = 50  # keys that are asked when they have room
LARGEST_HINT = 1_000  # starts that are stepped over for one key; a larger rate has room often

_walked = ""  # the last mark that this process looked at: the next call goes on behind it


class Cap(NamedTuple):
    """So many in flight at once, or, with ``seconds``, so many starts in that time."""

    number: int
    seconds: float | None = None


class Gate:
    """Lets executions pass while their limits have room; ``marks`` says on what others wait.

    One process at a time decides about limits, for all queues: while another does, what has a
    limit neither passes nor is marked, and what has none passes. Needs a transaction.
    """

    def __init__(self, rows: Iterable[Execution], now: datetime) -> None:
        self.marks: dict[UUID, str] = {}
        caps = {mark: cap for row in rows for mark, cap in _caps(row).items()}
        self._mine = not caps or _try_lock()
        self._room = room(caps, now) if self._mine else {}

    def stops(self, row: Execution) -> bool:
        """Say whether ``row`` must wait; one that need not is counted."""
        marks = list(_caps(row))
        if not self._mine:
            return bool(marks)
        full = next((mark for mark in marks if self._room[mark] <= 0), None)
        if full is not None:
            self.marks[row.pk] = full
            return True
        for mark in marks:
            self._room[mark] -= 1
        return False


def room(caps: Mapping[str, Cap], now: datetime) -> dict[str, int]:
    """Return how many more executions may start for each mark in ``caps``; at least 0."""
    used = Counter[str]()
    for what, count in ((JOB, _busy_jobs), (LIMIT, _busy_keys)):
        keys = [mark.partition(":")[2] for mark in caps if mark.startswith(f"{what}:")]
        used.update({f"{what}:{key}": number for key, number in count(keys)})
    rates = {mark: cap.seconds for mark, cap in caps.items() if cap.seconds is not None}
    used.update(_started(rates, now))
    return {mark: max(0, cap.number - used[mark]) for mark, cap in caps.items()}


def unblock(now: datetime, limit: int = 500) -> int:
    """Free blocked executions as far as there is room, the best first; return how many.

    Whoever is freed is decided about again when it is admitted, so any number of processes may
    call this at once. Costs one look into an index while nothing is blocked; looks at up to
    ``limit`` marks, and the next call goes on behind them.
    """
    marks = _next_marks(limit)
    schedules = [mark.partition(":")[2] for mark in marks if mark.startswith(f"{OVERLAP}:")]
    rooms = _rooms_of([mark for mark in marks if not mark.startswith(f"{OVERLAP}:")], now)
    rooms |= _lifted(schedules)
    return blocked.free_first_slots(schedules) + blocked.free(rooms, now)


def next_room(now: datetime) -> datetime | None:
    """When the first of those who wait for a rate may start, as far as that is easily known.

    A hint for whoever sleeps until then: retries and what is queued are not in it, and large rates
    are left out. What should have had room for a while has none for a reason that takes longer.
    """
    marks = blocked.marks_after(f"{RATE}:", limit=MOST_HINTS)
    if not marks:
        return None
    caps = {mark: cap for mark, cap in _caps_now(marks).items() if cap.number <= LARGEST_HINT}
    values: dict[str, Any] = {
        "keys": [mark.partition(":")[2] for mark in caps],
        "rates": [cap.number for cap in caps.values()],
        "seconds": [cap.seconds for cap in caps.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(ROOM_AT, values)
        instant: datetime | None = cursor.fetchone()[0]
    return max(instant, now + MOMENT) if instant and instant > now - WRONG_AFTER else None


def describe(blocked_on: str) -> tuple[str, str]:
    """Return a stable word and a sentence for what ``blocked_on`` says; at most one query.

    Two empty strings when it says nothing.
    """
    what, _, key = blocked_on.partition(":")
    match what:
        case "job":
            number = Job.objects.filter(pk=key).values_list("current__concurrency", flat=True)
            return "job_concurrency", f"Its job runs {number.first()} at once at most."
        case "limit" | "rate":
            return _describe_limit(what, key)
        case "overlap":
            return "overlap", "An earlier slot of its schedule is unfinished."
    return "", ""


def _describe_limit(what: str, key: str) -> tuple[str, str]:
    limit = Limit.objects.filter(pk=_limit_id(key)).first()
    if limit is None:
        return f"limit_{what}", "Its limit is gone; it goes on in a moment."
    value = key[37:]
    whose = f"The limit {limit.name}" + (f" for {limit.by} {value}" if value else "")
    if what == RATE:
        return "limit_rate", f"{whose} lets {limit.rate} start in {limit.per_seconds:g} s."
    return "limit_concurrency", f"{whose} lets {limit.concurrency} run at once."


def _caps(row: Execution) -> dict[str, Cap]:
    """What holds for ``row``: the concurrency of its job as it is defined now, and its limit's."""
    caps = {}
    if row.job.current and row.job.current.concurrency:
        caps[f"{JOB}:{row.job_id}"] = Cap(row.job.current.concurrency)
    if row.limit:
        caps |= _caps_of_limit(row.limit, row.limit_key)
    return caps


def _caps_of_limit(limit: Limit, key: str) -> dict[str, Cap]:
    caps = {}
    if limit.concurrency:
        caps[f"{LIMIT}:{key}"] = Cap(limit.concurrency)
    if limit.rate:
        caps[f"{RATE}:{key}"] = Cap(limit.rate, limit.per_seconds)
    return caps


def _next_marks(limit: int) -> list[str]:
    global _walked  # noqa: PLW0603  where the walk of this process is; it may start anywhere
    marks = blocked.marks_after(_walked, limit=limit)
    _walked = marks[-1] if len(marks) == limit else ""
    return marks


def _lifted(schedules: Sequence[str]) -> dict[str, int]:
    """The marks of ``schedules`` whose slots may overlap by now: there is room for all."""
    if not schedules:
        return {}
    lifted = Schedule.objects.filter(pk__in=schedules, overlap=Overlap.ALLOW)
    return {f"{OVERLAP}:{pk}": blocked.MOST_FREED for pk in lifted.values_list("pk", flat=True)}


def _rooms_of(marks: Sequence[str], now: datetime) -> dict[str, int]:
    """Return the room of each of ``marks`` that has any; a limit that was lifted has enough."""
    caps = _caps_now(marks)
    rooms = room(caps, now)
    found = {mark: rooms.get(mark, blocked.MOST_FREED) for mark in marks}
    return {mark: number for mark, number in found.items() if number}


def _caps_now(marks: Sequence[str]) -> dict[str, Cap]:
    keys = {mark: mark.partition(":")[2] for mark in marks}
    jobs = [key for mark, key in keys.items() if mark.startswith(f"{JOB}:")]
    kept = Job.objects.kept().filter(pk__in=jobs, current__concurrency__isnull=False)
    found = kept.values_list("pk", "current__concurrency") if jobs else []
    caps = {f"{JOB}:{pk}": Cap(number) for pk, number in found if number}
    limited = [key for mark, key in keys.items() if mark.startswith((LIMIT, RATE))]
    limits = Limit.objects.in_bulk({_limit_id(key) for key in limited}) if limited else {}
    for key in limited:
        if limit := limits.get(_limit_id(key)):
            caps |= _caps_of_limit(limit, key)
    return {mark: cap for mark, cap in caps.items() if mark in keys}


def _limit_id(key: str) -> UUID:
    """A key begins with the id of its limit."""
    return UUID(key[:36])


def _busy_jobs(ids: Sequence[str]) -> Iterator[tuple[str, int]]:
    if ids:
        rows = Execution.objects.in_flight().filter(job__in=map(UUID, ids)).order_by()
        for job, number in rows.values_list("job").annotate(Count("pk")):
            yield str(job), number


def _busy_keys(keys: Sequence[str]) -> Iterator[tuple[str, int]]:
    if keys:
        rows = Execution.objects.in_flight().exclude(limit_key="").filter(limit_key__in=keys)
        yield from rows.order_by().values_list("limit_key").annotate(Count("pk"))


def _started(rates: Mapping[str, float], now: datetime) -> dict[str, int]:
    if not rates:
        return {}
    keys = [mark.partition(":")[2] for mark in rates]
    with connection.cursor() as cursor:
        cursor.execute(STARTED, {"keys": keys, "seconds": list(rates.values()), "now": now})
        return {f"{RATE}:{key}": number for key, number in cursor.fetchall()}


def _try_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])
