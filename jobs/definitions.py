"""Create, change, pause, resume, archive and restore a job: the rules, and the rows they move."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import structlog
from django.db import IntegrityError, transaction

from jobs import bodies, host, slugs
from jobs.models import Job, JobVersion, Limit, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from accounts.models import Team, User

log = structlog.get_logger(__name__)

Missed: TypeAlias = Literal["skip", "latest", "all"]

RESTORABLE = timedelta(days=30)
MAX_SLUGS_TRIED = 100
PAUSE = ("paused_at", "paused_until", "paused_reason", "paused_by", "updated_at")
SLUG_IS_UNIQUE = "one_kept_job_per_team_and_slug"


class DefinitionError(Exception):
    """The state of a job does not allow this. ``allowed_actions`` are the verbs that it does."""

    code: ClassVar[str]

    def __init__(self, message: str, *, job: Job | None = None) -> None:
        super().__init__(message)
        self.current_status = job.status if job else ""
        self.allowed_actions = allowed_actions(job) if job else []


class JobPausedError(DefinitionError):
    code = "job_paused"


class JobArchivedError(DefinitionError):
    code = "job_archived"


class RestoreExpiredError(DefinitionError):
    code = "restore_expired"


class LimitUnknownError(DefinitionError):
    """The limit that a job names was deleted meanwhile."""

    code = "limit_unknown"


class SlugTakenError(DefinitionError):
    """Another job of the team has this slug."""

    code = "slug_taken"


def allowed_actions(job: Job) -> list[str]:
    match job.status:
        case "archived":
            return ["restore"]
        case "paused":
            return ["change", "resume", "archive"]
    return ["change", "pause", "execute", "archive"]


def check_startable(job: Job) -> None:
    """Raise ``JobArchivedError`` or ``JobPausedError`` unless ``job`` may be started."""
    _check_kept(job)
    if job.paused_at:
        raise JobPausedError("The job is paused; resume it first.", job=job)


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
    schedule is strictly after ``now``. A body that changes nothing adds nothing. Raises
    ``JobArchivedError`` and ``SlugTakenError``.
    """
    lock(job)
    _check_kept(job)
    current = bodies.of(job)
    wanted = {**current, **body}
    same_type = wanted["schedule"]["type"] == job.schedule.type
    anchor = job.schedule.anchor if same_type else None
    wanted["schedule"] = bodies.settled(wanted["schedule"], now=now, anchor=anchor)
    if wanted != current | {"status": wanted["status"]}:
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
    _check_kept(job)
    if job.paused_at:
        return
    job.paused_at, job.paused_until = now, until
    job.paused_reason, job.paused_by = reason, str(actor or "")
    job.save(update_fields=PAUSE)
    _disable(job, "paused")
    log.info("job.paused", job_id=str(job.pk), actor=str(actor), reason=reason)


@transaction.atomic
def resume(job: Job, *, now: datetime, actor: User | None, missed: Missed = "skip") -> None:
    """Let ``job`` start again; repeating it changes nothing.

    ``missed`` decides about the slots that passed meanwhile: ``skip`` forgets them, ``latest``
    and ``all`` leave the cursor where it was, so that the schedule's misfire policy settles them
    like slots that were noticed late. Raises ``JobArchivedError``.
    """
    lock(job)
    _check_kept(job)
    if not job.paused_at:
        return
    job.paused_at = job.paused_until = None
    job.paused_reason = job.paused_by = ""
    job.save(update_fields=PAUSE)
    if missed == "skip":
        _skip_missed(job.schedule, now)
    _enable(job)
    log.info("job.resumed", job_id=str(job.pk), actor=str(actor), missed=missed)


@transaction.atomic
def archive(job: Job, *, now: datetime, actor: User | None) -> None:
    """Take ``job`` out of use and free its slug; its history stays. Repeating it is harmless."""
    lock(job)
    if job.archived_at:
        return
    job.archived_at = now
    job.save(update_fields=["archived_at", "updated_at"])
    _disable(job, "archived")
    log.info("job.archived", job_id=str(job.pk), actor=str(actor))


@transaction.atomic
def restore(job: Job, *, now: datetime, actor: User | None) -> None:
    """Bring an archived job back, paused if it was; slots that passed meanwhile are forgotten.

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
    _skip_missed(job.schedule, now)
    if job.paused_at:
        _disable(job, "paused")
    else:
        _enable(job)
    log.info("job.restored", job_id=str(job.pk), actor=str(actor))


def lock(job: Job) -> None:
    """Read ``job`` and its schedule anew and keep others from changing them in this transaction.

    Adding executions stays possible: their foreign keys ask for a weaker lock. The job comes
    first; a beat locks schedules only, so the two cannot wait for each other.
    """
    job.refresh_from_db(from_queryset=Job.objects.select_for_update(no_key=True))
    job.schedule = Schedule.objects.select_for_update(no_key=True).get(job=job)


def _check_kept(job: Job) -> None:
    if job.archived_at:
        raise JobArchivedError("The job is archived; restore it first.", job=job)


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


def _insert(team: Team, body: dict[str, Any], *, actor: User | None, now: datetime) -> Job:
    spec = bodies.settled(body["schedule"], now=now, anchor=None)
    job = Job(team=team, created_by=actor, created_at=now, **_job_fields(body))
    job.paused_at = now if body["status"] == "paused" else None
    # Foreign keys are checked at the commit: the job may name its version before that is stored.
    job.current = _version(job, body | {"schedule": spec}, number=1, actor=actor, now=now)
    job.save(force_insert=True)
    job.current.save(force_insert=True)
    Schedule.objects.create(
        job=job,
        next_fire_at=bodies.first_slot(spec, now),
        enabled=not job.paused_at,
        disabled_reason="paused" if job.paused_at else "",
        **bodies.schedule_fields(spec, body["policy"]),
    )
    _wake_after_commit()
    return job


def _store(job: Job, body: dict[str, Any], *, actor: User | None, now: datetime) -> None:
    schedule, spec = job.schedule, body["schedule"]
    number = job.current.number + 1 if job.current else 1
    job.current = _version(job, body, number=number, actor=actor, now=now)
    job.current.save(force_insert=True)
    _assign(job, _job_fields(body))
    with _slug_kept_unique(job.slug):
        job.save()
    if spec != schedule.spec:
        schedule.next_fire_at = bodies.first_slot(spec, now)
        schedule.enabled, schedule.disabled_reason = not job.paused_at, ""
    _assign(schedule, bodies.schedule_fields(spec, body["policy"]))
    schedule.save()
    _wake_after_commit()
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


def _skip_missed(schedule: Schedule, now: datetime) -> None:
    if schedule.next_fire_at and schedule.next_fire_at <= now:
        schedule.next_fire_at = schedule.trigger.after(now)


def _enable(job: Job) -> None:
    job.schedule.enabled, job.schedule.disabled_reason = True, ""
    job.schedule.save(update_fields=["enabled", "disabled_reason", "next_fire_at"])
    _wake_after_commit()


def _disable(job: Job, reason: str) -> None:
    job.schedule.enabled, job.schedule.disabled_reason = False, reason
    job.schedule.save(update_fields=["enabled", "disabled_reason", "next_fire_at"])


def _wake_after_commit() -> None:
    transaction.on_commit(host.wake, robust=True)
