"""One execution from its message to its outcome: claim, run its kind, settle."""

from __future__ import annotations

import contextlib
import io
import traceback
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from executions import clock, leases, transitions
from executions.interrupts import StoppedError, TimeLimitError, interruptible
from executions.logs import Output
from executions.models import Attempt
from executions.transitions import Report, StaleExecutionError
from jobs import kinds, policies
from jobs.kinds.base import Context, Failed, Fleet, Outcome, Succeeded, Waiting, class_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.logs import Chunk
    from executions.models import Execution

log = structlog.get_logger(__name__)

DATABASE_AWAY = (OperationalError, InterfaceError)


def run(execution_id: UUID, *, worker: str) -> Outcome | None:
    """Run one attempt of a queued execution and record how it ended.

    Returns ``None`` when there was nothing to run: the message came twice, or too late. Raises
    ``OperationalError`` when the database is away before anything has begun.
    """
    since = clock.ticks()
    execution = transitions.claim(
        execution_id, worker=worker[:200], now=clock.now(), lease=leases.length()
    )
    if execution is None:
        log.info("execution.not_claimed", execution_id=str(execution_id))
        return None

    if settings.DB_POOL_SIZE:
        connection.close()  # back into the pool: a job that waits needs none
    with structlog.contextvars.bound_contextvars(
        execution_id=str(execution_id), attempt=execution.attempt
    ):
        output = Output(clock.now)
        context = _context(execution, output)
        with leases.hold(execution, context, output, since=since):
            outcome = _run_kind(execution, context)
            _settle(execution, outcome, context, output)
    return outcome


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


def _run_kind(execution: Execution, context: Context) -> Outcome:
    payload = execution.version.payload if execution.payload is None else execution.payload
    try:
        kind = kinds.get(execution.version.kind)
        with _captured(context, kind.fleet), interruptible(context):
            return kind.run(payload, context)
    except TimeLimitError as exc:
        return Failed("timeout", str(exc))
    except StoppedError as exc:
        return Failed("stopped", str(exc))
    except (Exception, SystemExit) as exc:  # noqa: BLE001  a job may raise anything; this is the boundary
        log.warning("execution.raised", error=repr(exc))
        trace, labels = traceback.format_exc(), class_names(exc)
        return Failed("raised", _in_one_line(exc), trace=trace, labels=labels)


def _settle(execution: Execution, outcome: Outcome, context: Context, output: Output) -> None:
    """Record ``outcome``. A database that is away is tried again until the lease has run out."""
    chunks = output.take()
    _leave_transaction()
    try:
        if context.stop.is_set() and isinstance(outcome, Failed):  # what is done need not be redone
            _patiently(give_back, execution, output=chunks)
        else:
            _patiently(record, execution, outcome, output=chunks)
    except StaleExecutionError:
        log.warning("execution.superseded", outcome=type(outcome).__name__)
    except DATABASE_AWAY:
        raise
    except Exception as exc:  # an outcome that cannot be stored is an outcome, too
        log.exception("execution.outcome_not_stored")
        failed = Failed("bad_outcome", _in_one_line(exc), retryable=False)
        _patiently(record, execution, failed, output=[])


def _patiently(settle: Callable[..., None], *args: Any, output: list[Chunk]) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(DATABASE_AWAY),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        stop=stop_after_delay(leases.length()),
        before_sleep=lambda _: connection.close(),
        reraise=True,
    )
    attempts(lambda: settle(*args, now=clock.now(), output=output))


def _leave_transaction() -> None:
    """What a job did to this thread's connection must not take the outcome with it."""
    if connection.connection and not (connection.autocommit or connection.in_atomic_block):
        connection.close()


def give_back(execution: Execution, *, now: datetime, output: Sequence[Chunk] = ()) -> None:
    """This worker could not keep the lease, so another one starts the work again at once.

    The job did nothing wrong, so nothing is counted; one that must not start twice fails.
    """
    message = "The worker could not keep its lease and stopped the work."
    report = Report(reason="lease_not_kept", message=message, output=output)
    if execution.version.on_lost == policies.OnLost.FAIL:
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    else:
        transitions.hand_back(execution, now=now, report=report)


def record(
    execution: Execution, outcome: Outcome, *, now: datetime, output: Sequence[Chunk] = ()
) -> None:
    """Turn the outcome of the running attempt into the execution's next state.

    Raises ``StaleExecutionError`` when the attempt is no longer the running one.
    """
    match outcome:
        case Succeeded(result):
            report = Report(result=result, output=output)
            transitions.succeed(execution, now=now, report=report)
        case Waiting(until):
            transitions.wait(execution, now=now, until=until)
        case Failed():
            report = Report(
                reason=outcome.reason,
                message=outcome.message,
                trace=outcome.trace,
                result=outcome.result,
                output=output,
            )
            again = _retry_at(execution, outcome, now)
            if again is None:
                transitions.fail(execution, now=now, report=report)
            else:
                transitions.retry(execution, now=now, report=report, due_at=again)


def _retry_at(execution: Execution, outcome: Failed, now: datetime) -> datetime | None:
    policy = execution.version.retry_policy
    if not policy.covers(outcome.words, retryable=outcome.retryable):
        return None
    return policies.retry_at(
        execution.failures + 1,
        policy=policy,
        now=now,
        retry_in=outcome.retry_in,
        max_attempts=outcome.max_attempts,
    )


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
