"""Enums and pure rules: how a job treats its slots, and when a failed attempt is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

from lib import backoff

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

GRACE = timedelta(seconds=60)
"""A slot noticed later than this is late.

Longer than a beat takes to be replaced, a deploy, or a restart of PostgreSQL, so that none of
them makes a punctual slot count as missed; short enough that a machine that was down is noticed.
"""

BATCH = 500
"""How many slots of one schedule run at once; more than the punctual ones can ever be."""

CATCH_UP = 10_000
"""How many slots ``Misfire.ALL`` makes up for; older ones are skipped."""


class Misfire(StrEnum):
    """What becomes of late slots, those that are noticed more than ``GRACE`` after they were due.

    ``SKIP``: they do not run, the punctual ones do. ``LATEST``: as soon as one is late, only the
    newest of all due slots runs, so that a pause of any length ends with one run. ``ALL``: they
    run, oldest first, and so do the punctual ones; beyond a cap the oldest are skipped. With each
    of them, slots of which none is late all run.
    """

    SKIP = "skip"
    LATEST = "latest"
    ALL = "all"


class Overlap(StrEnum):
    """What becomes of a slot that is due while an earlier one of its schedule is unfinished.

    ``SKIP``: it does not run. ``QUEUE``: one waits for the earlier one to finish, further ones are
    skipped. ``QUEUE_ALL``: all wait, and run one after the other. ``CANCEL_PREVIOUS``: the earlier
    one is cancelled. ``ALLOW``: they run side by side. Late slots, and those that come while late
    ones are made up for, wait their turn unless all may run; ``jobs.overlaps`` has the rule.
    """

    SKIP = "skip"
    QUEUE = "queue"
    QUEUE_ALL = "queue_all"
    CANCEL_PREVIOUS = "cancel_previous"
    ALLOW = "allow"


class IntervalMode(StrEnum):
    """What an interval counts from: the slot before (and its anchor), or the end of the execution.

    With ``FIXED_DELAY`` the next slot is known only when the execution of the last one is finished.
    """

    FIXED_RATE = "fixed_rate"
    FIXED_DELAY = "fixed_delay"


class OnLost(StrEnum):
    """What becomes of an execution whose worker died: try again, or fail (at most one start)."""

    RETRY = "retry"
    FAIL = "fail"


class Priority(IntEnum):
    """Which of the waiting executions go first: the lower number. Stored as it is, spelt out."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    BULK = 4

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Priority:
        """Return the class spelt ``word``. Raises ``ValueError`` for an unknown one."""
        for priority in cls:
            if priority.word == word:
                return priority
        raise ValueError(f"{word!r} is not one of {', '.join(p.word for p in cls)}")


class RetryStrategy(StrEnum):
    """How the delay grows from one failed attempt to the next; a ladder names each delay."""

    NONE = "none"
    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"
    LADDER = "ladder"


class Jitter(StrEnum):
    """How a delay is spread: anywhere between nothing and the whole of it, or not at all."""

    FULL = "full"
    NONE = "none"


LADDER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""The delays of a ladder that names none."""

_DELAYS = {
    RetryStrategy.NONE: backoff.fixed,  # for a kind that asks for a retry the job did not plan
    RetryStrategy.FIXED: backoff.fixed,
    RetryStrategy.LINEAR: backoff.linear,
    RetryStrategy.EXPONENTIAL: backoff.exponential,
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How hard a job tries, and after what. ``max_attempts`` counts the first try.

    ``cap`` bounds each delay; a ladder has ``delays`` instead of ``base`` and ``cap``.
    ``retry_on`` and ``give_up_on`` hold words for failures, see ``Failed.words``.
    """

    max_attempts: int
    strategy: RetryStrategy
    base: timedelta = timedelta(minutes=1)
    cap: timedelta = timedelta(hours=1)
    delays: tuple[timedelta, ...] = LADDER
    jitter: Jitter = Jitter.FULL
    retry_on: frozenset[str] = frozenset()
    give_up_on: frozenset[str] = frozenset()

    def covers(self, words: Collection[str], *, retryable: bool) -> bool:
        """Whether a failure that has these ``words`` may be tried again, if the budget allows.

        ``retryable`` is what the kind thinks of it; it decides only where the job names nothing.
        """
        if not self.give_up_on.isdisjoint(words):
            return False
        return not self.retry_on.isdisjoint(words) if self.retry_on else retryable

    def delay(self, failures: int) -> timedelta:
        """Return how long to wait after the failure of that number, counted from 1."""
        if self.strategy is RetryStrategy.LADDER:
            delay = backoff.ladder(failures, delays=self.delays)
        else:
            delay = _DELAYS[self.strategy](failures, base=self.base, cap=self.cap)
        return backoff.spread(delay) if self.jitter is Jitter.FULL else delay


def retry_at(
    failures: int,
    *,
    policy: RetryPolicy,
    now: datetime,
    retry_in: timedelta | None = None,
    max_attempts: int | None = None,
) -> datetime | None:
    """Return when to try again after the attempt that made it ``failures``, or None: give up.

    ``failures`` counts from 1. What the kind asks for goes first: ``retry_in`` (a target's
    ``Retry-After``, for example) replaces the policy's delay as it is, without jitter, and is
    bounded by a year only, and ``max_attempts`` replaces its budget, also that of the strategy
    ``none``, which is one attempt. Whether the failure is one to try again after, the policy's
    ``covers`` says.

    Raises ``ValueError`` if ``failures`` is below 1.
    """
    planned = 1 if policy.strategy is RetryStrategy.NONE else policy.max_attempts
    delay = policy.delay(failures)
    if failures >= (planned if max_attempts is None else max_attempts):
        return None
    if retry_in is not None:
        delay = max(backoff.NO_DELAY, min(retry_in, backoff.LONGEST))
    return now + delay


def jitter(job_id: UUID, longest: timedelta) -> timedelta:
    """Return how long after its slots a job starts: from nothing up to ``longest``.

    It is the same at each slot, so the job keeps its pace, and another one for another job, so
    that those of one hour do not start in one second. The slot itself stays where it is.
    """
    number = int.from_bytes(blake2b(job_id.bytes, digest_size=6).digest())
    return longest * (number / (1 << 48))
