"""Many executions of one job at once: what was asked, what of it is there already, and the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts import item_keys
from accounts.item_keys import Item
from executions import bell, intake
from executions.models.execution import limit_key_of, start_by_of
from jobs import definitions
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jobs.models import Job
    from jobs.policies import Priority

MOST = 10_000  # executions of one submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An execution that somebody wants. Its payload is valid for the kind of the job.

    ``key`` is the name that the caller has for it: the same key, the same execution. A ``run_at``
    that is over means now, because a wish with a key may come again later.
    """

    payload: dict[str, Any] | None = None
    run_at: datetime | None = None
    priority: Priority | None = None
    reason: str = ""
    key: str = ""


class Submission:
    """Collects wishes for one ``job``, as rows on their way into the table.

    Raises ``JobPausedError`` or ``JobArchivedError``.
    """

    def __init__(self, job: Job, *, now: datetime) -> None:
        definitions.check_startable(job)
        assert job.current is not None  # noqa: S101  definitions never leave a job without a version
        self._job = job
        self._version = job.current
        self._now = now
        self._rows: dict[UUID, str] = {}
        self._items: list[Item] = []

    def add(self, wish: Wish) -> UUID:
        """Take a wish in; return the id of its execution, unless its key is known already."""
        pk = new_id()
        payload = "null" if wish.payload is None else json.dumps(wish.payload)
        detail = json.dumps({"reason": wish.reason})
        due_at = max(wish.run_at or self._now, self._now)
        priority = self._version.priority if wish.priority is None else wish.priority
        self._rows[pk] = intake.row(
            pk,
            payload=payload,
            priority=priority,
            limit_key=self._limit_key(wish),
            due_at=due_at,
            start_by=start_by_of(self._version, due_at),
            detail=detail,
        )
        if wish.key:
            asked = f"{payload}\n{wish.run_at}\n{wish.priority}\n{detail}"
            self._items.append(Item(key=wish.key, asked=asked, effect=pk))
        return pk

    def store(self, *, actor: str, scope: str) -> Mapping[UUID, UUID | None]:
        """Store what was collected, and ring once when that is committed. Needs a transaction.

        Returns for the ids that ``add`` gave out, as far as their keys were known, the execution
        that is there; ``None`` where the key stands for another wish, of which nothing is stored.
        ``scope`` says whose keys these are. Raises ``StillRunningError``.
        """
        known = self._known(scope)
        rows = [row for pk, row in self._rows.items() if pk not in known]
        intake.store(self._job, rows, actor=actor, now=self._now)
        transaction.on_commit(bell.ring, robust=True)
        return known

    def _known(self, scope: str) -> dict[UUID, UUID | None]:
        if not self._items:
            return {}
        made = item_keys.take(f"{scope} {self._job.pk}", self._items, self._now)
        pairs = zip((item.effect for item in self._items), made, strict=True)
        return {mine: found for mine, found in pairs if found != mine}

    def _limit_key(self, wish: Wish) -> str:
        limit = self._version.limit
        if limit is None:
            return ""
        return limit_key_of(limit, self._version.payload if wish.payload is None else wish.payload)
