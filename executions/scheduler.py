"""From schedules to executions: fire what is due, or run a job now."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from django.db import DataError, IntegrityError, transaction

from executions import dispatch, intake, outbox
from executions.ledger import Ledger
from executions.models import Execution, Origin
from jobs import definitions
from jobs.models import Prepared, Schedule
from jobs.slots import due_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.ahead import Foreseen
    from jobs.models import Job
    from jobs.policies import Priority
    from jobs.slots import Taken

log = structlog.get_logger(__name__)

# What one row can do to its whole batch: its values do not fit, or make no instant.
UNSTORABLE = (DataError, IntegrityError, OverflowError, ValueError)
MOST_ROWS = 2_000  # a transaction; a schedule adds at most ``policies.BATCH`` and two stretches


class Batch(NamedTuple):
    """How many schedules a transaction handled, and whether these are all that it found."""

    handled: int
    is_all: bool


def fire_due(now: datetime, *, limit: int = 500) -> int:
    """Settle slots that are due by ``now``; return how many schedules were handled, 0 for none.

    Each call takes up to two bounded batches, one from either end: what has just become due, so
    that a backlog of any length delays nothing by more than a batch, and what is due for longest,
    so that it is not put off for ever. Any number of processes may call this at once: SKIP LOCKED
    deals the schedules out, and ``one_execution_per_slot`` swallows a slot that was fired before
    a crash.
    """
    newest = _fire(_newest(limit), now)
    if newest.is_all and newest.handled < limit:
        return newest.handled
    return newest.handled + _fire(_oldest(limit), now).handled


def fire_foreseen(seen: Sequence[Foreseen], now: datetime) -> int:
    """Fire those of ``seen`` that are due, in one round trip; return how many were.

    Leaves to ``fire_due`` what was changed since it was seen, what somebody else fires at this
    moment, and what is more than a punctual slot of a schedule that goes on.
    """
    ledger = Ledger()
    punctual = [one for one in seen if _is_due(one.schedule, now) and _is_plain(one, ledger, now)]
    if not punctual:
        return 0
    try:
        return ledger.fire(punctual, now)
    except UNSTORABLE:
        return fire_due(now)


def run_now(  # noqa: PLR0913  each is a choice of the caller's
    job: Job,
    *,
    now: datetime,
    actor: str,
    payload: dict[str, Any] | None = None,
    run_at: datetime | None = None,
    priority: Priority | None = None,
    reason: str = "",
    origin: Origin = Origin.MANUAL,
) -> Execution:
    """Start ``job`` at once, or at ``run_at``, apart from its schedule.

    ``payload`` replaces the job's for this execution and must be valid for its kind. Raises
    ``JobPausedError`` or ``JobArchivedError``.
    """
    definitions.check_startable(job)
    execution = Execution.of(job, now=now, due_at=run_at or now, origin=origin, payload=payload)
    if priority is not None:
        execution.priority = priority
    intake.take_in(execution, actor=actor, reason=reason, now=now)

    def start() -> None:
        dispatch.start(execution, now=now)

    transaction.on_commit(start, robust=True)
    return execution


def set_aside(schedule: Schedule, why: str, *, now: datetime) -> None:
    """Disable a schedule that cannot be handled, and say so; whoever calls this stores the row."""
    schedule.set_aside(why)
    log.warning("schedule.disabled", schedule_id=str(schedule.pk), why=why)
    body = {"why": schedule.disabled_reason}
    job = schedule.job
    outbox.tell("schedule.disabled", team=job.team_id, subject=job.pk, body=body, now=now)


def _is_due(schedule: Schedule, now: datetime) -> bool:
    return schedule.next_fire_at is not None and schedule.next_fire_at <= now


def _is_plain(seen: Foreseen, ledger: Ledger, now: datetime) -> bool:
    """Say whether nothing but punctual slots are due; then ``ledger`` has them."""
    schedule = seen.schedule
    try:
        taken = schedule.take_slots(now)
    except Exception:  # noqa: BLE001  ``fire_due`` sets it aside
        return False
    if taken.late or taken.skipped or not schedule.goes_on:
        return False
    for slot in taken.run:
        ledger.run(schedule, slot, slot + schedule.jitter)
    return True


@lru_cache
def _newest(limit: int) -> Prepared[Schedule]:
    return Prepared(lambda now: Schedule.objects.newly_due(now).lock_free(limit))


@lru_cache
def _oldest(limit: int) -> Prepared[Schedule]:
    return Prepared(lambda now: Schedule.objects.due(now).lock_free(limit))


def _fire(due: Prepared[Schedule], now: datetime) -> Batch:
    try:
        return _fire_batch(due.models, now)
    except UNSTORABLE:
        log.exception("schedules.not_stored")
    with transaction.atomic():
        suspects = [schedule.pk for schedule in due.models(now)]
    return Batch(sum(_fire_alone(pk, now) for pk in suspects), is_all=False)


def _fire_alone(pk: UUID, now: datetime) -> int:
    """Fire one schedule of a batch that could not be stored; disable it if it is to blame."""
    own = Schedule.objects.due(now).filter(pk=pk)
    try:
        return _fire_batch(lambda _now: list(own.lock_free(1)), now).handled
    except UNSTORABLE as exc:
        with transaction.atomic():
            schedules = list(own.lock_free(1))
            for schedule in schedules:
                set_aside(schedule, str(exc), now=now)
            Schedule.objects.save_progress(schedules)
        return len(schedules)


@transaction.atomic
def _fire_batch(take: Callable[[datetime], list[Schedule]], now: datetime) -> Batch:
    """Settle the due slots of what ``take`` locks, or of the first of them if they are many."""
    schedules = take(now)
    if not schedules:
        return Batch(0, is_all=True)
    ledger = Ledger()
    taken = []
    for schedule in schedules:
        _take(schedule, ledger, now)
        taken.append(schedule)
        if len(ledger) >= MOST_ROWS:
            break
    ledger.store(now)
    Schedule.objects.save_progress(taken)
    return Batch(len(taken), is_all=len(taken) == len(schedules))


def _take(schedule: Schedule, ledger: Ledger, now: datetime) -> None:
    if schedule.is_fixed_delay and Execution.objects.unfinished(schedule).exists():
        schedule.next_fire_at = None  # an edit named a slot; the end of the execution names it anew
        return
    try:
        taken = schedule.take_slots(now)
    except Exception as exc:  # noqa: BLE001  one broken row must not stop the others
        set_aside(schedule, str(exc), now=now)
        return
    for stretch in taken.skipped:
        ledger.skip(schedule, stretch)
    starts = due_at(
        taken,
        jitter=schedule.jitter,
        since=_free_from(schedule, taken, now),
        pace=schedule.catch_up_pace,
    )
    for slot, start in zip(taken.run, starts, strict=True):
        ledger.run(schedule, slot, start)


def _free_from(schedule: Schedule, taken: Taken, now: datetime) -> datetime:
    """Return when the first late slot may start: a pace after the last one of the batch before."""
    if not (taken.late and schedule.catch_up_pace):
        return now
    last = Execution.objects.before(schedule, taken.run[0])
    return max(now, last.due_at + schedule.catch_up_pace) if last else now
