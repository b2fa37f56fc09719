"""Recording how attempts ended.

A database that is away is tried again for many leases: without it nobody can start the work again,
either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from executions import clock, endings, leases, logs, transitions
from executions.transitions import StaleExecutionError
from jobs.kinds.base import Failed, Outcome, Succeeded
from lib.text import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from executions.leases import Lease
    from executions.logs import Chunk, Output
    from executions.models import Execution

log = structlog.get_logger(__name__)

T = TypeVar("T")

DATABASE_AWAY = (OperationalError, InterfaceError)
PATIENCE_LEASES = 20  # how long an outcome waits for a database that is away


class Done(NamedTuple):
    """An attempt whose outcome is known and not stored yet."""

    execution: Execution
    outcome: Succeeded | Failed
    output: Sequence[Chunk]


def settle(execution: Execution, outcome: Outcome, lease: Lease, output: Output) -> None:
    """Record ``outcome``; of one that was stopped, that its work was given back."""
    with output.storing:
        chunks = output.rest()
    now = clock.now()  # one instant for all tries: a lost answer is recognised by it
    if lease.stop and isinstance(outcome, Failed):  # what is done need not be redone

        def store() -> None:
            endings.give_back(execution, now=now, output=chunks, stop=lease.stop)

    else:

        def store() -> None:
            endings.record(execution, outcome, now=now, output=chunks)

    _settle(execution, outcome, chunks, now=now, store=store)
    if output.snapshot.rows:
        _until_stored(lambda: logs.drop_snapshot(output))


def settle_all(done: Sequence[Done]) -> None:
    """Record the outcomes in one statement; if that cannot be, each for itself."""
    if not done:
        return
    now = clock.now()
    try:
        _until_stored(lambda: _record_all(done, now=now))
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("executions.outcomes_not_stored", executions=len(done))
        for one in done:
            _settle_alone(one, now=now)


def patiently(verb: Callable[[], T], *, until: Callable[..., bool]) -> T:
    """Call ``verb``, again and again while the database is away, as long as ``until`` allows."""
    attempts = Retrying(
        retry=retry_if_exception_type(DATABASE_AWAY),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=until,
        before_sleep=lambda _: connection.close(),
        reraise=True,
    )
    return attempts(verb)


def _record_all(done: Sequence[Done], *, now: datetime) -> None:
    ends = [
        endings.ending_of(one.execution, one.outcome, now=now, output=one.output) for one in done
    ]
    stale = {execution.pk for execution in transitions.end_all(ends, now=now)}
    for execution, outcome, output in done:
        if execution.pk in stale:
            endings.keep_late(execution, outcome, now=now, output=output)


def _settle_alone(one: Done, *, now: datetime) -> None:
    def store() -> None:
        endings.record(one.execution, one.outcome, now=now, output=one.output)

    _settle(one.execution, one.outcome, one.output, now=now, store=store)


def _settle(
    execution: Execution,
    outcome: Outcome,
    output: Sequence[Chunk],
    *,
    now: datetime,
    store: Callable[[], None],
) -> None:
    try:
        _until_stored(store)
    except StaleExecutionError:
        log.warning("execution.superseded", outcome=type(outcome).__name__)
        _until_stored(lambda: endings.keep_late(execution, outcome, now=now, output=output))
    except DATABASE_AWAY:
        raise
    except Exception as exc:  # an outcome that cannot be stored is an outcome, too
        log.exception("execution.outcome_not_stored")
        failed = Failed("bad_outcome", in_one_line(exc), retryable=False)
        _until_stored(lambda: endings.record(execution, failed, now=now))


def _until_stored(store: Callable[[], None]) -> None:
    patiently(store, until=stop_after_delay(leases.length() * PATIENCE_LEASES))
