"""Create, change, pause, resume, archive and restore a job: the rules, and the rows they move."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import structlog
from django.db import IntegrityError, transaction

from jobs import bodies, cursors, host, slugs
from jobs.models import Job, JobVersion, Limit, Schedule
from jobs.policies import Misfire
from jobs.refusals import (
    DefinitionError,
    JobArchivedError,
    JobPausedError,
    LimitUnknownError,
    RestoreExpiredError,
    SlugTakenError,
    allowed_actions,
    check_kept,
    check_startable,
)
from jobs.slots import Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from accounts.models import Team, User

__all__ = [
    "DefinitionError",
    "JobArchivedError",
    "JobPausedError",
    "LimitUnknownError",
    "RestoreExpiredError",
    "SlugTakenError",
    "allowed_actions",
    "archive",
    "change",
    "check_startable",
    "create",
    "lock",
    "made",
    "pause",
    "restore",
    "resume",
]

log = structlog.get_logger(__name__)

Missed: TypeAlias = Literal["skip", "latest", "all"]

RESTORABLE = timedelta(days=30)
MAX_SLUGS_TRIED = 100
PAUSE = ("paused_at", "paused_until", "paused_reason", "paused_by", "updated_at")
SLUG_IS_UNIQUE = "one_kept_job_per_team_and_slug"


def create(team: Team, body: Mapping[str, Any], *, actor: User | None, now: datetime) -> Job:
    """Create a job from a validated canonical body; what the body leaves out has its default.

    Without a slug the job gets one made from its name, with -2, -3, … if that is taken. An
    interval counts from now, so that its first slot is one interval away. Raises
    ``SlugTakenError`` for a given slug that is taken.
    """
    body = bodies.merged(bodies.DEFAULTS, body)
    for slug in _slugs_to_try(team, body):
        with suppress(SlugTakenError), _slug_kept_unique(slug):
            job = _insert(team, body | {"slug": slug}, actor=actor, now=now)
            log.info("job.created", job_id=str(job.pk), actor=str(actor))
            return job
    raise SlugTakenError(f"The slug {slug} belongs to another job.")


@transaction.atomic
def change(job: Job, body: Mapping[str, Any], *, actor: User | None, now: datetime) -> None:
    """Replace what a validated canonical ``body`` names, in whole objects, and keep the rest.

    A change adds a version; executions in flight keep theirs, and the next slot of a changed
    schedule is strictly after ``now``: slots that were due by then are recorded as skipped. A
    schedule that was set aside fires again. A body that changes nothing adds nothing. Raises
    ``JobArchivedError`` and ``SlugTakenError``.
    """
    lock(job)
    check_kept(job)
    current = bodies.of(job)
    wanted = {**current, **body}
    same_type = wanted["schedule"]["type"] == job.schedule.type
    anchor = job.schedule.anchor if same_type else None
    wanted["schedule"] = bodies.settled(wanted["schedule"], now=now, anchor=anchor)
    mended = "schedule" in body and job.schedule.is_set_aside
    if mended or wanted != current | {"status": wanted["status"]}:
        _store(job, wanted, actor=actor, now=now)
    if wanted["status"] != current["status"]:
        verb = pause if wanted["status"] == "paused" else resume
        verb(job, now=now, actor=actor)


@transaction.atomic
def pause(
    job: Job,
    *,
    now: datetime,
    actor: User | None,
    reason: str = "",
    until: datetime | None = None,
) -> None:
    """Let neither the schedule nor anybody by hand start ``job``; repeating it changes nothing.

    With ``until`` the pause ends by itself then. Raises ``JobArchivedError``.
    """
    lock(job)
    check_kept(job)
    if job.paused_at:
        return
    job.paused_at, job.paused_until = now, until
    job.paused_reason, job.paused_by = reason, str(actor or "")
    job.save(update_fields=PAUSE)
    cursors.stop(job, Why.PAUSED)
    log.info("job.paused", job_id=str(job.pk), actor=str(actor), reason=reason)
    host.tell("job.paused", job, actor=actor, now=now)


@transaction.atomic
def resume(job: Job, *, now: datetime, actor: User | str | None, missed: Missed = "skip") -> None:
    """Let ``job`` start again; repeating it changes nothing.

    ``missed`` decides about the slots that passed meanwhile, whatever the misfire policy is:
    ``skip`` records them as skipped, ``latest`` runs the newest of them, ``all`` every one, up to
    the schedule's cap. Raises ``JobArchivedError``.
    """
    lock(job)
    check_kept(job)
    if not job.paused_at:
        return
    if missed == "skip":
        detail = {"by": job.paused_by, "because": job.paused_reason}
        cursors.pass_over(job, Why.PAUSED, now=now, detail=detail)
    else:
        job.schedule.owe(Misfire(missed), until=now)
    job.paused_at = job.paused_until = None
    job.paused_reason = job.paused_by = ""
    job.save(update_fields=PAUSE)
    cursors.go_on(job)
    log.info("job.resumed", job_id=str(job.pk), actor=str(actor), missed=missed)
    host.tell("job.resumed", job, actor=actor, now=now)


@transaction.atomic
def archive(job: Job, *, now: datetime, actor: User | None) -> None:
    """Take ``job`` out of use and free its slug; its history stays. Repeating it is harmless.

    Slots that were due and not fired yet are recorded as skipped: it may never be restored.
    """
    lock(job)
    if job.archived_at:
        return
    job.archived_at = now
    job.save(update_fields=["archived_at", "updated_at"])
    cursors.pass_over(job, Why.ARCHIVED, now=now, detail={"by": str(actor or "")})
    cursors.stop(job, Why.ARCHIVED)
    log.info("job.archived", job_id=str(job.pk), actor=str(actor))
    host.tell("job.archived", job, actor=actor, now=now)


@transaction.atomic
def restore(job: Job, *, now: datetime, actor: User | None) -> None:
    """Bring an archived job back, paused if it was; slots that passed meanwhile are skipped.

    Raises ``RestoreExpiredError`` 30 days after it was archived, and ``SlugTakenError`` when
    another job has its slug by now.
    """
    lock(job)
    if not job.archived_at:
        return
    if now - job.archived_at > RESTORABLE:
        raise RestoreExpiredError("A job can be restored for 30 days.", job=job)
    job.archived_at = None
    with _slug_kept_unique(job.slug):
        job.save(update_fields=["archived_at", "updated_at"])
    cursors.pass_over(job, Why.ARCHIVED, now=now, detail={"by": str(actor or "")})
    if job.paused_at:
        cursors.stop(job, Why.PAUSED)
    else:
        cursors.go_on(job)
    log.info("job.restored", job_id=str(job.pk), actor=str(actor))
    host.tell("job.restored", job, actor=actor, now=now)


def lock(job: Job) -> None:
    """Read ``job`` and its schedule anew and keep others from changing them in this transaction.

    Adding executions stays possible: their foreign keys ask for a weaker lock. The job comes
    first; a beat locks schedules only, so the two cannot wait for each other.
    """
    job.refresh_from_db(from_queryset=Job.objects.select_for_update(no_key=True))
    job.schedule = Schedule.objects.select_for_update(no_key=True).get(job=job)


def _slugs_to_try(team: Team, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the given slug, or ever new ones: others may take a free one before we do."""
    if body.get("slug"):
        yield body["slug"]
        return
    slug = slugs.of_name(body["name"])
    yield slug
    kept = Job.objects.of_team(team).kept().filter(slug__startswith=slug)
    for _ in range(MAX_SLUGS_TRIED):
        yield slugs.free(slug, set(kept.values_list("slug", flat=True)))


@contextmanager
def _slug_kept_unique(slug: str) -> Iterator[None]:
    """Undo the block and raise ``SlugTakenError`` when another job of the team has the slug."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        if SLUG_IS_UNIQUE not in str(exc):
            raise
        raise SlugTakenError(f"The slug {slug} belongs to another job.") from exc


def made(team: Team, body: Mapping[str, Any], *, actor: User | None, now: datetime) -> Job:
    """Return a job with version and schedule, not stored. Raises ``LimitUnknownError``."""
    spec = bodies.settled(body["schedule"], now=now, anchor=None)
    job = Job(team=team, created_by=actor, created_at=now, **_job_fields(body))
    job.paused_at = now if body["status"] == "paused" else None
    job.current = _version(job, {**body, "schedule": spec}, number=1, actor=actor, now=now)
    job.schedule = Schedule(
        job=job,
        next_fire_at=bodies.first_slot(spec, now),
        enabled=not job.paused_at,
        disabled_reason="paused" if job.paused_at else "",
        **bodies.schedule_fields(spec, body["policy"]),
    )
    return job


def _insert(team: Team, body: dict[str, Any], *, actor: User | None, now: datetime) -> Job:
    job = made(team, body, actor=actor, now=now)
    # Foreign keys are checked at the commit: the job may name its version before that is stored.
    for row in (job, job.current, job.schedule):
        row.save(force_insert=True)  # type: ignore[union-attr]  # it was made with a version
    cursors.wake_after_commit()
    return job


def _store(job: Job, body: dict[str, Any], *, actor: User | None, now: datetime) -> None:
    number = job.current.number + 1 if job.current else 1
    begins_anew = body["schedule"] != job.schedule.spec or job.schedule.is_set_aside
    if begins_anew:  # before the new version is stored: what was due was due by the old one
        detail = {"by": str(actor or ""), "version": number}
        cursors.close(job, now=now, detail=detail)
    job.current = _version(job, body, number=number, actor=actor, now=now)
    job.current.save(force_insert=True)
    _assign(job, _job_fields(body))
    with _slug_kept_unique(job.slug):
        job.save()
    _assign(job.schedule, bodies.schedule_fields(body["schedule"], body["policy"]))
    if begins_anew:
        decided = job.schedule.last_fired_at or now  # a beat may have been faster than this edit
        cursors.begin(job, bodies.first_slot(body["schedule"], max(now, decided)))
    job.schedule.save()
    cursors.wake_after_commit()
    log.info("job.changed", job_id=str(job.pk), actor=str(actor), version=number)


def _version(
    job: Job, body: dict[str, Any], *, number: int, actor: User | None, now: datetime
) -> JobVersion:
    fields = bodies.version_fields(body) | {"limit": _limit(job, body["policy"].get("limit"))}
    return JobVersion(job=job, number=number, created_by=actor, created_at=now, **fields)


def _limit(job: Job, name: str | None) -> Limit | None:
    """Return the limit that the team calls ``name``; one that is archived, only if it stays."""
    if name is None:
        return None
    current = job.current and job.current.limit
    found = Limit.objects.of_team(job.team).kept().filter(name=name).first()
    found = found or (current if current and current.name == name else None)
    if found is None:
        raise LimitUnknownError(f"There is no limit {name} any more.", job=job)
    return found


def _job_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in ("name", "slug", "description", "kind", "tags")}


def _assign(row: Job | Schedule, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
