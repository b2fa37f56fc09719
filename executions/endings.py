"""How an attempt ends, whoever finds out: its worker, the parent of its process, or a sweep."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import structlog
from django.db import transaction
from django.db.models import F

from executions import bell, dispatch, logs, transitions
from executions.models import Attempt, Execution, ExecutionEvent, Status
from executions.reports import Ending, Report
from executions.stops import Stop
from executions.transitions import StaleExecutionError
from jobs import policies
from jobs.kinds.base import Failed, Outcome, Succeeded, Waiting
from jobs.policies import OnLost

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.logs import Chunk

log = structlog.get_logger(__name__)

MAX_LOSSES = 3  # an execution that takes three workers with it is not given a fourth
REASONS = {Stop.WORKER: "worker_stopped"}  # any other stop: the lease was not kept


def record(
    execution: Execution, outcome: Outcome, *, now: datetime, output: Sequence[Chunk] = ()
) -> None:
    """Turn the outcome of the running attempt into the execution's next state.

    Raises ``StaleExecutionError`` when the attempt is no longer the running one.
    """
    if isinstance(outcome, Waiting):
        _wait(execution, outcome.until, now=now, output=output)
    else:
        transitions.end(ending_of(execution, outcome, now=now, output=output), now=now)


def ending_of(
    execution: Execution, outcome: Succeeded | Failed, *, now: datetime, output: Sequence[Chunk]
) -> Ending:
    """Return how the attempt ends with ``outcome``: done, failed for good, or to be tried again."""
    if isinstance(outcome, Succeeded):
        report = Report(result=outcome.result, output=output)
        return Ending(execution, Status.SUCCEEDED, Attempt.Outcome.SUCCEEDED, report)
    report = Report(
        reason=outcome.reason,
        message=outcome.message,
        trace=outcome.trace,
        result=outcome.result,
        output=output,
    )
    again = _retry_at(execution, outcome, now)
    to = Status.FAILED if again is None else Status.SCHEDULED
    return Ending(execution, to, Attempt.Outcome.FAILED, report, again)


def give_back(
    execution: Execution,
    *,
    now: datetime,
    output: Sequence[Chunk] = (),
    stop: Stop = Stop.LEASE,
) -> None:
    """This worker stopped the work, so another one starts it again at once.

    The job did nothing wrong, so nothing is counted; one that must not start twice fails.
    """
    reason = REASONS.get(stop, "lease_not_kept")
    _hand_back(execution, Report(reason=reason, message=stop.words, output=output), now=now)


def lose(execution: Execution, *, now: datetime, reason: str, message: str) -> None:
    """What ran the attempt is gone: start it again at once, or fail if it may not be.

    The third loss ends it: what takes three workers with it would take the next one, too.
    """
    log.warning("execution.lost", execution_id=str(execution.pk), why=message)
    report = Report(reason=reason, message=message)
    if execution.version.on_lost == OnLost.FAIL:
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    elif execution.losses + 1 >= MAX_LOSSES:
        report = Report(reason="quarantined", message=f"{message} It was loss {MAX_LOSSES}.")
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    else:
        transitions.lose(execution, now=now, report=report)
        transaction.on_commit(bell.ring, robust=True)


def crashed(execution_id: UUID, *, worker: str, pid: int, how: str, now: datetime) -> None:
    """Process ``pid`` of ``worker``, which was at the execution or about to be, died of ``how``.

    Settles the attempt of that process and no other. If it died before the claim, the message died
    with it and is sent again.
    """
    execution = _left_by(execution_id, worker=worker, pid=pid)
    if execution is not None:
        message = f"The process that ran it ended with {how}."
        _unless_stale(lose, execution, now=now, reason="worker_crashed", message=message)


def interrupted(execution_id: UUID, *, worker: str, pid: int, how: str, now: datetime) -> None:
    """As ``crashed``, but the process had claimed it together with the one that it was at.

    It may have run, and its outcome died with the process; it is not to blame, so nothing is
    counted.
    """
    execution = _left_by(execution_id, worker=worker, pid=pid)
    if execution is not None:
        message = f"The process that had claimed it ended with {how} while it ran another one."
        report = Report(reason="worker_crashed", message=message)
        _unless_stale(_hand_back, execution, report, now=now)


def not_begun(execution: Execution, *, now: datetime) -> None:
    """Its worker claimed it together with others, and was held up by one of those."""
    message = "The worker was held up by another execution before it began this one."
    report = Report(reason="held_up", message=message)
    _unless_stale(transitions.hand_back, execution, now=now, report=report)
    transaction.on_commit(bell.ring, robust=True)


def forced(execution_id: UUID, attempt: int, *, stop: Stop, now: datetime) -> None:
    """The attempt was ended by force: it did not stop when asked to, or at its time limit."""
    running = Execution.objects.filter(pk=execution_id, status=Status.RUNNING, attempt=attempt)
    execution = running.select_related("version").first()
    if execution is None:
        return
    if stop:
        _unless_stale(give_back, execution, now=now, stop=stop)
        return
    limit = execution.version.timeout_seconds
    outcome = Failed("timeout", f"ran longer than {limit:g} s and would not stop")
    _unless_stale(record, execution, outcome, now=now)


def keep_late(
    execution: Execution, outcome: Outcome, *, now: datetime, output: Sequence[Chunk]
) -> None:
    """Keep what an attempt reports that is no longer the running one: evidence, no status."""
    if _is_settled_by_itself(execution, now):
        return
    detail = {"attempt": execution.attempt, **_as_detail(outcome)}
    with transaction.atomic():
        kept = Execution.objects.select_for_update(no_key=True).filter(pk=execution.pk)
        if not kept.values_list("pk").first():
            log.warning("execution.late_outcome_not_kept", execution_id=str(execution.pk))
            return
        logs.store(execution.pk, execution.attempt, output)
        if not (isinstance(outcome, Failed) and outcome.reason == "stopped"):
            ExecutionEvent.objects.create(
                execution=execution, at=now, what="late_outcome", detail=detail
            )


def _is_settled_by_itself(execution: Execution, now: datetime) -> bool:
    """Say whether it was this very report that ended the attempt, and only the answer was lost."""
    return Attempt.objects.filter(
        execution=execution, number=execution.attempt, finished_at=now
    ).exists()


def _as_detail(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Succeeded(result):
            return {"outcome": "succeeded", "result": result}
        case Failed():
            return {"outcome": "failed", "reason": outcome.reason, "message": outcome.message}
        case Waiting(until):
            return {"outcome": "waiting", "until": until.isoformat()}


def _wait(execution: Execution, until: datetime, *, now: datetime, output: Sequence[Chunk]) -> None:
    """Of a copy: what is undone with the transaction is tried again from where it was."""
    with transaction.atomic():
        transitions.wait(copy(execution), now=now, until=until)
        logs.store(execution.pk, execution.attempt, output)


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


def _hand_back(execution: Execution, report: Report, *, now: datetime) -> None:
    if execution.version.on_lost == OnLost.FAIL:
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    else:
        transitions.hand_back(execution, now=now, report=report)
        transaction.on_commit(bell.ring, robust=True)


def _left_by(execution_id: UUID, *, worker: str, pid: int) -> Execution | None:
    """Return the execution if the dead process had claimed it; if it had not yet, send it again."""
    execution = Execution.objects.filter(pk=execution_id).select_related("version").first()
    if execution is None:
        return None
    if execution.status == Status.QUEUED:
        dispatch.publish([execution])
    return execution if _runs_in(execution, worker=worker, pid=pid) else None


def _runs_in(execution: Execution, *, worker: str, pid: int) -> bool:
    if execution.status != Status.RUNNING or execution.worker != worker[:200]:
        return False
    return Attempt.objects.filter(
        execution=execution, number=F("execution__attempt"), pid=pid
    ).exists()


def _unless_stale(verb: Any, *args: Any, **kwargs: Any) -> None:
    try:
        verb(*args, **kwargs)
    except StaleExecutionError:
        log.info("execution.settled_meanwhile", execution_id=str(args[0].pk))
