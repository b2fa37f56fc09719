"""What a job did at an instant, or will do: its slot, what became of that, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from executions.explain import blockers
from executions.explain.explanation import Explanation, explain
from executions.explain.words import clock, in_words, trigger_of
from executions.models import Execution, Status
from executions.reasons import Said, say
from executions.stats import first_id
from jobs.models import Schedule
from jobs.triggers.bounded import unbounded
from jobs.triggers.interval import DelayTrigger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.models import Job, JobVersion
    from jobs.triggers.base import Trigger

_MOMENT = timedelta.resolution


@dataclass(frozen=True, slots=True)
class Near:
    """A slot, or a start by hand, beside the instant; ``execution`` is what is recorded of it."""

    at: datetime
    execution: Execution | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say about ``job`` ``at`` an instant.

    ``version`` is what the job said then. ``skipped`` has ``first``, ``last`` and ``count`` when
    the instant lies in a stretch of slots that did not run.
    """

    job: Job
    at: datetime
    as_of: datetime
    version: JobVersion
    words: str
    is_slot: bool
    what_happened: Said
    summary: str
    explanation: Explanation | None
    skipped: dict[str, Any] | None
    what_could_stop_it: Sequence[Said]
    before: Near | None
    after: Near | None


def explain_instant(job: Job, *, at: datetime, now: datetime) -> Answer:
    """Explain what ``job`` did ``at`` an instant, as far as it is recorded, or what it will do.

    ``at`` lies between ``triggers.base.FIRST`` and ``HORIZON``. A bounded number of queries.
    """
    version = _version_at(job, at)
    trigger = trigger_of(version)
    is_slot = _is_slot(job, trigger, at)
    row = _rows(job).filter(scheduled_for__lte=at).order_by("-scheduled_for").first()
    skipped = _stretch(row, at)
    own = row if row and (row.scheduled_for == at or (skipped and is_slot)) else None
    words = in_words(version)
    explanation = explain(own, now=now) if own else None
    happened = (
        _recorded(own, skipped)
        if own
        else blockers.unrecorded(job, at=at, now=now, no_slot=None if is_slot else words)
    )
    return Answer(
        job=job,
        at=at,
        as_of=now,
        version=version,
        words=words,
        is_slot=is_slot or own is not None,
        what_happened=happened,
        summary=_summary(happened, explanation, then=_then(job, version, words)),
        explanation=explanation,
        skipped=skipped if own else None,
        what_could_stop_it=blockers.coming(job, now=now) if happened.code == "will_fire" else [],
        before=_before(job, trigger, row, at),
        after=_after(job, trigger, at),
    )


def _version_at(job: Job, at: datetime) -> JobVersion:
    """Return what the job said at the instant; before its first word, its first word."""
    versions = job.versions.order_by("-number")
    found = versions.filter(created_at__lte=at).first() or versions.last() or job.current
    assert found is not None  # noqa: S101  definitions never leave a job without a version
    return found


def _is_slot(job: Job, trigger: Trigger | None, at: datetime) -> bool:
    return at == job.schedule.next_fire_at or bool(trigger and trigger.at_or_before(at) == at)


def _rows(job: Job) -> Any:
    rows = Execution.objects.filter(schedule__job=job, scheduled_for__isnull=False)
    return rows.select_related("job", "version", "schedule")


def _stretch(row: Execution | None, at: datetime) -> dict[str, Any] | None:
    """Return the stretch of skipped slots that ``row`` stands for, if ``at`` lies in it."""
    kept = row.result if row and row.status == Status.SKIPPED else None
    if not isinstance(kept, dict) or not {"first", "last", "count"} <= kept.keys():
        return None
    first, last = (datetime.fromisoformat(kept[name]) for name in ("first", "last"))
    if kept["count"] == 1 or not first <= at <= last:
        return None
    return {"first": first, "last": last, "count": kept["count"]}


def _recorded(row: Execution, skipped: dict[str, Any] | None) -> Said:
    if skipped:
        cause = say(row.reason).sentence.rstrip(".")
        facts = {"first": clock(skipped["first"]), "last": clock(skipped["last"])}
        return say("stretch", count=skipped["count"], cause=cause, **facts)
    return say(row.reason) if row.status == Status.SKIPPED else say("executed")


def _then(job: Job, version: JobVersion, words: str) -> str:
    """Say that the schedule was another one, if it was."""
    if job.current is None or in_words(job.current) == words:
        return ""
    return say("other_schedule", version=version.number, words=words).sentence


def _summary(happened: Said, explanation: Explanation | None, *, then: str) -> str:
    told = explanation and explanation.execution.status != Status.SKIPPED
    parts = [happened.sentence, explanation.summary if explanation and told else "", then]
    return " ".join(filter(None, parts))


def _before(job: Job, trigger: Trigger | None, row: Execution | None, at: datetime) -> Near | None:
    if job.schedule.type == Schedule.Type.MANUAL:
        made = job.executions.filter(pk__lt=first_id(at)).order_by("-pk").first()
        return Near(made.created_at, made) if made else None
    slot = trigger.at_or_before(at - _MOMENT) if trigger else None
    if row and row.scheduled_for and (slot is None or row.scheduled_for == slot):
        return Near(row.scheduled_for, row) if row.scheduled_for < at else None
    return Near(slot, None) if slot and slot >= job.created_at else None


def _after(job: Job, trigger: Trigger | None, at: datetime) -> Near | None:
    if job.schedule.type == Schedule.Type.MANUAL:
        made = job.executions.filter(pk__gte=first_id(at)).order_by("pk").first()
        return Near(made.created_at, made) if made else None
    row = _rows(job).filter(scheduled_for__gt=at).order_by("scheduled_for").first()
    slot = _slot_after(job, trigger, at)
    if row and row.scheduled_for and (slot is None or row.scheduled_for <= slot):
        return Near(row.scheduled_for, row)
    return Near(slot, None) if slot else None


def _slot_after(job: Job, trigger: Trigger | None, at: datetime) -> datetime | None:
    """Return the next slot as far as it is known: a delay counts from an end that is to come."""
    if trigger is None or isinstance(unbounded(trigger), DelayTrigger):
        cursor = job.schedule.next_fire_at
        return cursor if cursor and cursor > at else None
    return trigger.after(at)
