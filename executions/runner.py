"""One claimed execution from its kind to its outcome."""

from __future__ import annotations

import contextlib
import io
import traceback
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from executions import children, claims, clock, leases, settling
from executions.connections import kept_whole
from executions.interrupts import StoppedError, TimeLimitError, interruptible
from executions.logs import Output
from jobs import kinds
from jobs.kinds.base import Context, Failed, Fleet, Outcome, class_names
from lib.patience import FOR_EVER, patience
from lib.text import in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from executions.claims import Claimed
    from executions.leases import Lease
    from executions.models import Execution

log = structlog.get_logger(__name__)


def run(execution_id: UUID, *, worker: str) -> Outcome | None:
    """Run one attempt of a queued execution and record how it ended.

    Returns ``None`` when there was nothing to run: the message came twice, too late, or after the
    worker was told to stop. A database that is away before the claim is waited for.
    """
    for claimed in claims.claim([execution_id], worker=worker):
        return work(claimed, settling.settle)
    log.info("execution.not_claimed", execution_id=str(execution_id))
    return None


def work(claimed: Claimed, store: Callable[[Execution, Outcome, Lease, Output], Any]) -> Outcome:
    """Run what was claimed to its outcome, and have that stored before its lease is let go."""
    execution, since = claimed
    with structlog.contextvars.bound_contextvars(
        execution_id=str(execution.pk), attempt=execution.attempt
    ):
        output = Output(clock.now)
        context = _context(execution, output)
        with leases.hold(execution, context, output, since=since) as lease:
            outcome = _run_kind(execution, context, lease)
            lease.finish()
            store(execution, outcome, lease, output)
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


def _run_kind(execution: Execution, context: Context, lease: Lease) -> Outcome:
    """Run the job to its outcome; when this returns nothing that it started runs any more."""
    payload = execution.version.payload if execution.payload is None else execution.payload
    try:
        kind = kinds.get(execution.version.kind)
        with (
            kept_whole(),  # what a job did to the connection must not take its outcome with it
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
        return Failed("raised", in_one_line(exc), trace=trace, labels=labels)


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
