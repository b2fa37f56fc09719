"""One execution from its message to its outcome: claim, run its kind, settle."""

from __future__ import annotations

import contextlib
import io
import traceback
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from executions import children, clock, dispatch, endings, leases, logs, shutdown, transitions
from executions.endings import give_back, record
from executions.interrupts import StoppedError, TimeLimitError, interruptible
from executions.logs import Output
from executions.models import Attempt, Execution, Status
from executions.transitions import StaleExecutionError
from jobs import kinds
from jobs.kinds.base import Context, Failed, Fleet, Outcome, class_names
from lib.patience import FOR_EVER, patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from executions.leases import Lease

__all__ = ["give_back", "record", "run"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

DATABASE_AWAY = (OperationalError, InterfaceError)
PATIENCE_LEASES = 20  # how long an outcome waits for a database that is away


def run(execution_id: UUID, *, worker: str) -> Outcome | None:
    """Run one attempt of a queued execution and record how it ended.

    Returns ``None`` when there was nothing to run: the message came twice, too late, or after the
    worker was told to stop. A database that is away before the claim is waited for.
    """
    claimed = _claim(execution_id, worker=worker[:200])
    if claimed is None:
        log.info("execution.not_claimed", execution_id=str(execution_id))
        return None

    execution, since = claimed
    if settings.DB_POOL_SIZE:
        connection.close()  # back into the pool: a job that waits needs none
    with structlog.contextvars.bound_contextvars(
        execution_id=str(execution_id), attempt=execution.attempt
    ):
        output = Output(clock.now)
        context = _context(execution, output)
        with leases.hold(execution, context, output, since=since) as lease:
            outcome = _run_kind(execution, context, lease)
            lease.finish()
            _settle(execution, outcome, lease, output)
    return outcome


def _claim(execution_id: UUID, *, worker: str) -> tuple[Execution, float] | None:
    """Claim, and say since when in ``clock.ticks``: the lease is not older."""
    tries: dict[datetime, float] = {}

    def claim() -> tuple[Execution, float] | None:
        if shutdown.asked():
            _decline(execution_id)
            return None
        since, now = clock.ticks(), clock.now()
        before = dict(tries)
        tries[now] = since
        execution = transitions.claim(execution_id, worker=worker, now=now, lease=leases.length())
        if execution is None:
            return _claimed_before(execution_id, worker=worker, tries=before)
        return execution, since

    try:
        claimed = _patiently(claim, until=lambda _: shutdown.asked())
    except DATABASE_AWAY:
        return None
    if claimed and claimed[0].attempt > 1:
        logs.forget_old(claimed[0])
    return claimed


def _claimed_before(
    execution_id: UUID, *, worker: str, tries: dict[datetime, float]
) -> tuple[Execution, float] | None:
    """Return the execution if an earlier try did claim it and only the answer was lost."""
    mine = Attempt.objects.filter(
        execution=execution_id,
        number=F("execution__attempt"),
        execution__status=Status.RUNNING,
        worker=worker,
        started_at__in=tries,
    )
    attempt = mine.select_related("execution__version").first() if tries else None
    return (attempt.execution, tries[attempt.started_at]) if attempt else None


def _decline(execution_id: UUID) -> None:
    """This worker stops: put the message back, for others."""
    queued = Execution.objects.filter(pk=execution_id, status=Status.QUEUED)
    dispatch.publish(list(queued))


def _context(execution: Execution, output: Output) -> Context:
    scheduled_for = execution.scheduled_for
    return Context(
        execution_id=execution.pk,
        job_id=execution.job_id,
        attempt=execution.attempt,
        failures=execution.failures,
        scheduled_for=scheduled_for and scheduled_for.astimezone(UTC),
        timeout=timedelta(seconds=execution.version.timeout_seconds),
        write=output.write,
    )


def _run_kind(execution: Execution, context: Context, lease: Lease) -> Outcome:
    """Run the job to its outcome; when this returns nothing that it started runs any more."""
    payload = execution.version.payload if execution.payload is None else execution.payload
    try:
        kind = kinds.get(execution.version.kind)
        with (
            children.tidied(),
            _captured(context, kind.fleet),
            interruptible(lambda: leases.look(lease, context)),
            patience(FOR_EVER),  # a job's own queries end with its time limit
        ):
            return kind.run(payload, context)
    except TimeLimitError as exc:
        return Failed("timeout", str(exc))
    except StoppedError as exc:
        return Failed("stopped", str(exc))
    except (Exception, SystemExit) as exc:  # noqa: BLE001  a job may raise anything; this is the boundary
        log.warning("execution.raised", error=repr(exc))
        trace, labels = traceback.format_exc(), class_names(exc)
        return Failed("raised", _in_one_line(exc), trace=trace, labels=labels)


def _settle(execution: Execution, outcome: Outcome, lease: Lease, output: Output) -> None:
    """Record ``outcome``.

    A database that is away is tried again for many leases: without it nobody can start the work
    again, either.
    """
    with output.storing:
        chunks = output.rest()
    _leave_transaction()
    now = clock.now()  # one instant for all tries: a lost answer is recognised by it
    try:
        if lease.stop and isinstance(outcome, Failed):  # what is done need not be redone
            _until_stored(lambda: give_back(execution, now=now, output=chunks, stop=lease.stop))
        else:
            _until_stored(lambda: record(execution, outcome, now=now, output=chunks))
        if output.snapshot.rows:
            _until_stored(lambda: logs.drop_snapshot(output))
    except StaleExecutionError:
        log.warning("execution.superseded", outcome=type(outcome).__name__)
        _until_stored(lambda: endings.keep_late(execution, outcome, now=now, output=chunks))
    except DATABASE_AWAY:
        raise
    except Exception as exc:  # an outcome that cannot be stored is an outcome, too
        log.exception("execution.outcome_not_stored")
        failed = Failed("bad_outcome", _in_one_line(exc), retryable=False)
        _until_stored(lambda: record(execution, failed, now=now))


def _until_stored(settle: Callable[[], object]) -> None:
    _patiently(settle, until=stop_after_delay(leases.length() * PATIENCE_LEASES))


def _patiently(verb: Callable[[], T], *, until: Callable[..., bool]) -> T:
    attempts = Retrying(
        retry=retry_if_exception_type(DATABASE_AWAY),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=until,
        before_sleep=lambda _: connection.close(),
        reraise=True,
    )
    return attempts(verb)


def _leave_transaction() -> None:
    """What a job did to this thread's connection must not take the outcome with it."""
    if connection.connection and not (connection.autocommit or connection.in_atomic_block):
        connection.close()


class _Stream(io.TextIOBase):
    """What a job prints, on its way to the execution's output."""

    def __init__(self, context: Context, name: str) -> None:
        self._context = context
        self._name = name

    def write(self, text: str) -> int:
        self._context.write(self._name, text)
        return len(text)


@contextlib.contextmanager
def _captured(context: Context, fleet: Fleet) -> Iterator[None]:
    """Capture what the job prints; only where a process runs one job at a time."""
    if fleet is not Fleet.COMPUTE:
        yield
        return
    with (
        contextlib.redirect_stdout(_Stream(context, "stdout")),
        contextlib.redirect_stderr(_Stream(context, "stderr")),
    ):
        yield


def _in_one_line(exc: BaseException) -> str:
    return "".join(traceback.format_exception_only(exc)).strip()
