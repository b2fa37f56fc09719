"""Create, change and archive the limits that the jobs of a team share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from django.db import IntegrityError, transaction

from jobs import host
from jobs.definitions import DefinitionError
from jobs.models import Job, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from accounts.models import Team, User

log = structlog.get_logger(__name__)

NAME_IS_UNIQUE = "one_kept_limit_per_team_and_name"


class LimitTakenError(DefinitionError):
    """Another limit of the team has this name."""

    code = "limit_taken"


class LimitInUseError(DefinitionError):
    """Jobs that are kept name the limit."""

    code = "limit_in_use"


def create(team: Team, fields: Mapping[str, Any], *, actor: User | None, now: datetime) -> Limit:
    """Create a limit from validated ``fields``. Raises ``LimitTakenError``."""
    limit = Limit(team=team, created_at=now, **fields)
    with _name_kept_unique(limit.name):
        limit.save(force_insert=True)
    log.info("limit.created", limit_id=str(limit.pk), actor=str(actor))
    return limit


def change(limit: Limit, fields: Mapping[str, Any], *, actor: User | None) -> None:
    """Change what ``fields`` name, for all executions that have not started yet.

    Raises ``LimitTakenError``.
    """
    for name, value in fields.items():
        setattr(limit, name, value)
    with _name_kept_unique(limit.name):
        limit.save()
    transaction.on_commit(host.wake, robust=True)  # there may be more room now
    log.info("limit.changed", limit_id=str(limit.pk), actor=str(actor))


@transaction.atomic
def archive(limit: Limit, *, now: datetime, actor: User | None) -> None:
    """Free the name of a limit that no kept job names; repeating it is harmless.

    Versions and executions that point at it keep it. Raises ``LimitInUseError``.
    """
    limit.refresh_from_db(from_queryset=Limit.objects.select_for_update())
    if limit.archived_at:
        return
    users = Job.objects.of_team(limit.team).kept().filter(current__limit=limit)
    slugs = [*users.order_by("slug").values_list("slug", flat=True)[:4]]
    if slugs:
        named = ", ".join(slugs[:3]) + (" and others" if len(slugs) > 3 else "")  # noqa: PLR2004
        raise LimitInUseError(f"Jobs name this limit: {named}.")
    limit.archived_at = now
    limit.save(update_fields=["archived_at"])
    log.info("limit.archived", limit_id=str(limit.pk), actor=str(actor))


@contextmanager
def _name_kept_unique(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as exc:
        if NAME_IS_UNIQUE not in str(exc):
            raise
        raise LimitTakenError(f"There is a limit {name} already.") from exc
