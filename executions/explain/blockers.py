"""Why a slot has no execution, and what could keep one that comes from running."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from executions import alive, retention
from executions.explain.words import because, clock, quoted, span
from executions.models import Queue
from executions.reasons import Said, say
from jobs import kinds
from jobs.models import Schedule
from jobs.policies import Overlap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jobs.models import Job


def unrecorded(job: Job, *, at: datetime, now: datetime, no_slot: str | None) -> Said:
    """Say why nothing is recorded of ``job`` ``at`` an instant: the first cause that applies.

    ``no_slot`` has the words of the schedule that was in force if that names no slot there.
    """
    if at < job.created_at:
        return say("before_job", at=clock(job.created_at))
    found = next(_of_job(job, at), None) or next(_of_schedule(job, at), None)
    if found or no_slot is not None:
        return found or say("no_slot", words=no_slot)
    if at > now:
        return say("will_fire", at=clock(at + job.schedule.jitter))
    cursor, old = job.schedule.next_fire_at, retention.cutoffs(now).latest
    if cursor and cursor <= at:
        return say("not_taken")
    return say("pruned") if old and at < old else say("not_recorded")


def coming(job: Job, *, now: datetime) -> list[Said]:
    """Say what could keep a coming slot of ``job`` from running."""
    return [*_standing_in_the_way(job, now), *_could_come(job)]


def _of_job(job: Job, at: datetime) -> Iterator[Said]:
    if job.archived_at and job.archived_at <= at:
        yield say("job_is_archived", at=clock(job.archived_at))
    if job.paused_at and job.paused_at <= at and not _resumed_by(job, at):
        yield say("job_paused", at=clock(job.paused_at), why=because(job.paused_reason))


def _resumed_by(job: Job, at: datetime) -> bool:
    return job.paused_until is not None and job.paused_until <= at


def _of_schedule(job: Job, at: datetime) -> Iterator[Said]:
    schedule = job.schedule
    if schedule.type == Schedule.Type.MANUAL:
        yield say("by_hand")
    if schedule.is_set_aside:
        yield say("set_aside", why=quoted(schedule.disabled_reason) or "it makes no sense")
    if schedule.starts_at and at < schedule.starts_at:
        yield say("not_begun", at=clock(schedule.starts_at))
    if schedule.ends_at and at >= schedule.ends_at:
        yield say("over", at=clock(schedule.ends_at))
    most = schedule.max_executions
    if most and schedule.fired >= most and schedule.last_fired_at and at > schedule.last_fired_at:
        yield say("used_up", number=most)


def _standing_in_the_way(job: Job, now: datetime) -> Iterator[Said]:
    version = job.current
    assert version is not None  # noqa: S101  definitions never leave a job without a version
    paused = Queue.objects.filter(name=version.queue, paused_at__isnull=False).first()
    if paused:
        yield say("queue_paused", queue=paused.name, why=because(paused.paused_reason))
    if not alive.beat(now):
        yield say("no_scheduler", silence=alive.SILENCE)
    kind = kinds.all_kinds().get(version.kind)
    if kind and kind.fleet not in alive.fleets(now):
        yield say("no_worker", fleet=kind.fleet, silence=alive.SILENCE)


def _could_come(job: Job) -> Iterator[Said]:
    if job.schedule.overlap == Overlap.SKIP:
        yield say("could_overlap")
    deadline = job.current.start_deadline_seconds if job.current else None
    if deadline:
        yield say("could_expire", length=span(timedelta(seconds=deadline)))
    yield say("could_change")
