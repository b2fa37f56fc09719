"""Many new jobs at once: the rows of a batch are streamed into their tables, all or none."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from django.db import IntegrityError, connection, models, transaction
from django.db.models.expressions import DatabaseDefault
from psycopg.adapt import PyFormat, Transformer

from jobs import bodies, cursors, definitions, slugs
from jobs.models import Job, JobVersion, Schedule
from jobs.refusals import DefinitionError, LimitUnknownError, SlugTakenError
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from accounts.models import Team, User

log = structlog.get_logger(__name__)

Row: TypeAlias = list[Any]  # the columns of a model, in its order, as COPY takes them

FRESH = timedelta(seconds=10)  # what a mould says of the next slot may be so old
MOST_MOULDS = 20_000
AT_ONCE = 2  # batches that are being stored: the database works on them with a core of its own
TABLES: tuple[type[models.Model], ...] = (Job, JobVersion, Schedule)
SHARED = ("kind", "schedule", "retry", "policy", "tags", "status")
"""What of a body decides about all columns but those that are each job's own."""


@dataclass(slots=True)
class Cast:
    """A batch on its way: bodies with their slugs, their rows, and who was refused, by places."""

    bodies: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    tables: tuple[list[Row], ...] = field(default_factory=lambda: tuple([] for _ in TABLES))
    refused: dict[int, DefinitionError] = field(default_factory=dict)


class Bulk:
    """Creates jobs of ``team``, batch after batch, as ``definitions.create`` does one by one.

    Up to ``AT_ONCE`` other threads may store batches while one casts the next.
    """

    def __init__(self, team: Team, *, actor: User | None) -> None:
        self._team = team
        self._actor = actor
        self._numbered: dict[str, Iterator[str]] = {}
        self._moulds: dict[tuple[int, ...], tuple[list[Any], Mould | DefinitionError]] = {}
        self._moulded_at: datetime | None = None
        self._lately: deque[set[str]] = deque(maxlen=AT_ONCE + 1)  # slugs, stored or not

    def create(
        self, drafts: Sequence[Mapping[str, Any]], *, now: datetime
    ) -> dict[int, DefinitionError]:
        """Create a job from each validated canonical body; return why some were refused.

        The keys are places in ``drafts``. What is equal in many bodies should be the same object:
        it is turned into columns once.
        """
        return self.store(self.cast(drafts, now=now), now=now)

    def cast(self, drafts: Sequence[Mapping[str, Any]], *, now: datetime) -> Cast:
        """Turn validated bodies into rows."""
        self._forget_moulds(now)
        cast = Cast()
        for place, body in self._named(drafts, cast.refused):
            mould = self._mould(body, now)
            if isinstance(mould, DefinitionError):
                cast.refused[place] = mould
                continue
            cast.bodies[place] = body
            for table, row in zip(cast.tables, mould.cast(body), strict=True):
                table.append(row)
        return cast

    def store(self, cast: Cast, *, now: datetime) -> dict[int, DefinitionError]:
        """Store the rows; return who was refused, be it only now."""
        try:
            with transaction.atomic():
                for model, rows in zip(TABLES, cast.tables, strict=True):
                    _copy(model, rows)
                cursors.wake_after_commit()
        except IntegrityError:  # somebody took a slug meanwhile; whose, each will hear
            for place, body in cast.bodies.items():
                self._create_one(place, body, cast.refused, now)
        number = len(cast.bodies.keys() - cast.refused.keys())
        log.info("jobs.created", number=number, actor=str(self._actor))
        return cast.refused

    def _named(
        self, drafts: Sequence[Mapping[str, Any]], refused: dict[int, DefinitionError]
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the bodies, each with a slug that nobody had a moment ago, by their places."""
        wanted = [body.get("slug") or slugs.of_name(body["name"]) for body in drafts]
        kept = Job.objects.filter(team=self._team, archived_at=None, slug__in=wanted)
        taken = set(kept.values_list("slug", flat=True)).union(*self._lately)
        given: set[str] = set()
        self._lately.append(given)
        for place, (body, slug) in enumerate(zip(drafts, wanted, strict=True)):
            if slug in taken and body.get("slug"):
                refused[place] = SlugTakenError(f"The slug {slug} belongs to another job.")
                continue
            own = self._free(slug, taken) if slug in taken else slug
            taken.add(own)
            given.add(own)
            yield place, {**body, "slug": own}

    def _free(self, slug: str, taken: set[str]) -> str:
        if slug not in self._numbered:
            kept = Job.objects.filter(team=self._team, archived_at=None, slug__startswith=slug)
            known = set(kept.values_list("slug", flat=True))
            self._numbered[slug] = (one for one in slugs.numbered(slug) if one not in known)
        return next(one for one in self._numbered[slug] if one not in taken)

    def _forget_moulds(self, now: datetime) -> None:
        """Forget what was made too long ago: it says when a schedule is due first."""
        is_old = self._moulded_at is None or now - self._moulded_at > FRESH
        if is_old or len(self._moulds) > MOST_MOULDS:
            self._moulds.clear()
            self._moulded_at = now

    def _mould(self, body: Mapping[str, Any], now: datetime) -> Mould | DefinitionError:
        """Return what bodies of equal parts share; parts are known by being the same objects."""
        parts = [body.get(name) for name in SHARED]
        key = tuple(map(id, parts))
        _, mould = self._moulds.get(key, (None, None))
        if mould is None or (isinstance(mould, Mould) and mould.is_past(now)):
            mould = self._new_mould(body, now)
            self._moulds[key] = parts, mould  # kept, so that no other object gets their ids
        return mould

    def _new_mould(self, body: Mapping[str, Any], now: datetime) -> Mould | DefinitionError:
        whole = bodies.merged(bodies.DEFAULTS, body)
        try:
            return Mould.of(definitions.made(self._team, whole, actor=self._actor, now=now))
        except LimitUnknownError as exc:
            return exc

    def _create_one(
        self,
        place: int,
        body: Mapping[str, Any],
        refused: dict[int, DefinitionError],
        now: datetime,
    ) -> None:
        try:
            definitions.create(self._team, body, actor=self._actor, now=now)
        except DefinitionError as exc:
            refused[place] = exc


@dataclass(frozen=True, slots=True)
class Mould:
    """The columns that jobs of one sort share, as COPY takes them."""

    job: dict[str, Any]
    version: dict[str, Any]
    schedule: dict[str, Any]
    first: datetime | None

    @classmethod
    def of(cls, job: Job) -> Mould:
        """Take the columns of ``job``, which is not stored."""
        assert job.current is not None  # noqa: S101  it was made with a version
        first = job.schedule.next_fire_at
        return cls(_columns(job), _columns(job.current), _columns(job.schedule), first)

    def is_past(self, now: datetime) -> bool:
        """Say whether the first slot was before ``now``: no job runs before it was created."""
        return self.first is not None and self.first <= now

    def cast(self, body: Mapping[str, Any]) -> tuple[Row, Row, Row]:
        """Return the rows of a job that differs in its texts and its payload."""
        job, version, schedule = str(new_id()), str(new_id()), str(new_id())
        texts = {name: body.get(name, "") for name in ("name", "slug", "description")}
        payload = json.dumps(body.get("payload", {}))
        return (
            [*(self.job | texts | {"id": job, "current_id": version}).values()],
            [*(self.version | {"id": version, "job_id": job, "payload": payload}).values()],
            [*(self.schedule | {"id": schedule, "job_id": job}).values()],
        )


def _columns(row: models.Model) -> dict[str, Any]:
    """Render every column once, so that only texts are left to be written."""
    transformer = Transformer(connection.connection)
    columns: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        value = column.pre_save(row, add=True)
        if isinstance(value, DatabaseDefault):  # which COPY would have to leave out for all rows
            value = column.db_default
        value = column.get_db_prep_save(value, connection)
        dumper = None if value is None else transformer.get_dumper(value, PyFormat.TEXT)
        columns[column.attname] = dumper and bytes(dumper.dump(value) or b"").decode()
    return columns


def _copy(model: type[models.Model], rows: Iterable[Row]) -> None:
    names = ", ".join(f'"{column.column}"' for column in model._meta.concrete_fields)
    statement = f"COPY {model._meta.db_table} ({names}) FROM STDIN"
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(row)
