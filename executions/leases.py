"""Leases of the attempts that a worker runs: renewed while they work, given up in time.

The main process renews for its pool children, so code that holds the interpreter cannot lose its
lease, and a child whose main process is frozen stops itself. What does not stop is forced to.
"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error, connection

from executions import board, clock, interrupts, logs
from executions.rounds import Rounds
from executions.stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from executions.models import Execution
    from jobs.kinds.base import Context

log = structlog.get_logger(__name__)

MARGIN = 0.2  # of a lease: an attempt that could not renew stops this long before its lease ends
LAST_MOMENT = MARGIN / 4  # of a lease: what still works this long before the end is forced
NOTICE_SECONDS = 0.5  # what a frozen process finds overdue has this long to stop by itself
GRACE_SECONDS = 5.0  # between asking a job to stop, or its time limit, and forcing it
ROUND_SECONDS = 1.0  # a cancel is noticed in this time
YOUNG_SECONDS = 0.5  # attempts that are over by then cost no query

OURS = """
SELECT execution.id, execution.attempt
FROM executions_execution AS execution
JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt)
    ON execution.id = held.id AND execution.attempt = held.attempt
WHERE status = 'running'
"""

# The end is counted from the database's own clock, later than the worker looked at its own. Rows
# that are being settled or cancelled at this moment are left alone: they must not hold up the rest.
RENEW = """
WITH free AS (
    SELECT execution.id, execution.attempt
    FROM executions_execution AS execution
    JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt)
        ON execution.id = held.id AND execution.attempt = held.attempt
    WHERE status = 'running'
    FOR NO KEY UPDATE OF execution SKIP LOCKED
)
UPDATE executions_execution AS execution
SET lease_expires_at = greatest(clock_timestamp(), %(now)s) + make_interval(secs => %(seconds)s)
FROM free
WHERE execution.id = free.id
RETURNING execution.id, execution.attempt
"""


def length() -> timedelta:
    return timedelta(seconds=settings.CHRONOS_LEASE_SECONDS)


def seconds() -> float:
    return length().total_seconds()


class Lease(Protocol):
    """What the runner knows of its own attempt; instants are in ``clock.ticks``."""

    @property
    def until(self) -> float: ...
    @property
    def deadline(self) -> float: ...
    @property
    def stop(self) -> Stop: ...
    def give_up(self, why: Stop) -> None: ...
    def finish(self) -> None: ...


class Kept(Protocol):
    """An attempt that this process answers for: its own, or that of a pool child."""

    execution_id: UUID
    attempt: int
    until: float
    deadline: float
    stop: Stop
    asked: float

    @property
    def settling(self) -> bool: ...
    def keep_until(self, until: float) -> None: ...
    def give_up(self, why: Stop) -> None: ...


@dataclass(slots=True, eq=False)
class Held:
    """An attempt that this process runs itself. ``until`` is in ``clock.ticks``."""

    execution_id: UUID
    attempt: int
    context: Context
    output: logs.Output
    until: float
    deadline: float = math.inf
    stop: Stop = Stop.NO
    asked: float = math.inf
    settling: bool = False
    over: bool = False

    def __post_init__(self) -> None:
        self.context.stop = _Sign(self)

    def keep_until(self, until: float) -> None:
        self.until = until

    def give_up(self, why: Stop) -> None:
        """Stop the work: its outcome no longer counts."""
        if self.stop or self.settling:
            return
        log.warning("lease.given_up", execution_id=str(self.execution_id), why=why.words)
        self.stop, self.asked = why, clock.ticks()
        self.context.stop.set()
        interrupts.interrupt()

    def finish(self) -> None:
        """The job is over; its outcome is being recorded, which nobody may interrupt."""
        self.settling = True


class _Sign(threading.Event):
    """Tells a job to stop also when its lease is found late by whoever asks.

    In a process that was frozen the job may be the first to run on: ahead of the rounds.
    """

    def __init__(self, held: Held) -> None:
        super().__init__()
        self._held = held

    def is_set(self) -> bool:
        give_up_late([self._held])
        return super().is_set()


def tend(held: Sequence[Kept]) -> None:
    """Give up what is no longer ours, and renew leases before the next round finds a third spent.

    A database that is away is waited for until ``MARGIN`` before the end of each lease.
    """
    started = clock.ticks()
    grown = [one for one in held if one.until <= started + seconds() - YOUNG_SECONDS]
    spent = [one for one in grown if one.until <= started + seconds() * 2 / 3 + ROUND_SECONDS]
    if not grown:
        return
    try:
        ours = _rows(OURS, grown)
        renewed = _rows(RENEW, spent) if spent else set()
    except Error as exc:
        log.warning("lease.database_away", error=repr(exc))
        connection.close()
        give_up_late(held)
        return
    for one in grown:
        if (one.execution_id, one.attempt) not in ours:
            one.give_up(Stop.GONE)
        elif (one.execution_id, one.attempt) in renewed:
            one.keep_until(started + seconds())


def too_old(since: float) -> bool:
    """Say whether a lease that began at ``since`` is too near its end to begin work with."""
    return clock.ticks() > since + seconds() * (1 - MARGIN)


def give_up_late(held: Iterable[Kept | Lease]) -> None:
    """Ask those to stop whose lease is about to end."""
    for one in held:
        if clock.ticks() > one.until - seconds() * MARGIN:
            one.give_up(Stop.LEASE)


def overdue(one: Kept, now: float) -> bool:
    """Say whether ``one`` should have ended by now, so that it must be forced to."""
    if one.settling:
        return False
    last = max(one.until - seconds() * LAST_MOMENT, one.asked + NOTICE_SECONDS)
    return now > min(one.deadline, one.asked) + GRACE_SECONDS or now > last


def look(lease: Lease, context: Context) -> float:
    """Return for how many seconds the job may work on before this must be asked again.

    Raises ``StoppedError`` or ``TimeLimitError`` when it may not.
    """
    give_up_late([lease])
    now = clock.ticks()
    if lease.stop:
        context.stop.set()
        raise interrupts.StoppedError(lease.stop.words)
    if now >= lease.deadline:
        raise interrupts.TimeLimitError(f"ran longer than {context.timeout.total_seconds():g} s")
    return min(lease.deadline, lease.until - seconds() * MARGIN) - now


@contextmanager
def hold(
    execution: Execution, context: Context, output: logs.Output, *, since: float
) -> Iterator[Lease]:
    """Keep the lease of ``execution``, claimed no earlier than ``since``, while the block runs."""
    until = since + seconds()
    deadline = clock.ticks() + context.timeout.total_seconds()
    with logs.flushed(execution, output):
        if board.mine is not None:
            board.mine.take(execution.pk, execution.attempt, until=until, deadline=deadline)
            try:
                yield board.mine
            finally:
                board.mine.leave()
            return
        held = Held(execution.pk, execution.attempt, context, output, until, deadline)
        keeper.add(held)
        watcher.add(held)
        try:
            yield held
        finally:
            held.over = True
            keeper.remove(held)
            watcher.remove(held)


def held() -> list[Kept]:
    """All attempts that this process answers for."""
    return watcher.held()


def _rows(statement: str, held: Sequence[Kept]) -> set[tuple[UUID, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "ids": [one.execution_id for one in held],
                "attempts": [one.attempt for one in held],
                "now": clock.now(),
                "seconds": seconds(),
            },
        )
        return set(cursor.fetchall())


def _tend(held: Sequence[Kept]) -> None:
    tend(held)
    if settings.DB_POOL_SIZE or not held:
        connection.close()


def _watch(held: Sequence[Kept]) -> None:
    """Needs no database: one that hangs must not let a job outlive its lease or its limit."""
    give_up_late(held)
    now = clock.ticks()
    for one in held:
        if overdue(one, now):
            force(one)


def _nothing(_: Kept) -> None:
    """Until a worker says how it forces an attempt."""


force: Callable[[Kept], None] = _nothing
keeper: Rounds[Kept] = Rounds("leases", _tend, seconds=ROUND_SECONDS)
watcher: Rounds[Kept] = Rounds("watch", _watch, seconds=0.25)
