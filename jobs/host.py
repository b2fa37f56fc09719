"""What the engine above lends to the jobs below it: clock, queues, a bell, a record of skips.

`jobs` may not import `executions`; `executions/apps.py` connects the two when Django starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from jobs.models import Job, Schedule
    from jobs.slots import Stretch


@dataclass(slots=True)
class Host:
    """``now`` is the clock that due decisions go by, ``wake`` tells whoever fires schedules to
    look at once, ``record_skipped`` writes down that slots will not run, ``close_books`` audits
    those that were decided, ``tell`` what the outside must hear. Without an engine a job is kept
    and shown, and nothing runs it."""

    now: Callable[[], datetime] = timezone.now
    queue_names: Callable[[], Collection[str]] = lambda: ["default"]
    wake: Callable[[], None] = lambda: None
    record_skipped: Callable[[Schedule, Stretch, datetime, Mapping[str, Any]], None] = (
        lambda _schedule, _stretch, _now, _detail: None
    )
    close_books: Callable[[Schedule, datetime], None] = lambda _schedule, _now: None
    tell: Callable[..., None] = lambda _topic, **_facts: None


_host = Host()


def connect(host: Host) -> None:
    global _host  # noqa: PLW0603  one engine a process, connected once
    _host = host


def now() -> datetime:
    return _host.now()


def queue_names() -> Collection[str]:
    return _host.queue_names()


def wake() -> None:
    _host.wake()


def record_skipped(
    schedule: Schedule, stretch: Stretch, *, now: datetime, detail: Mapping[str, Any]
) -> None:
    """Write down that the slots of ``stretch`` do not run. Needs the caller's transaction."""
    _host.record_skipped(schedule, stretch, now, detail)


def close_books(schedule: Schedule, *, now: datetime) -> None:
    """Audit the slots that ``schedule`` decided, while its trigger is still the one they had."""
    _host.close_books(schedule, now)


def tell(topic: str, job: Job, *, actor: User | str | None, now: datetime) -> None:
    """Tell the outside what happened to ``job`` (``job.paused``), in the caller's transaction."""
    body = {"slug": job.slug, "name": job.name, "status": job.status, "actor": str(actor)}
    _host.tell(topic, team=job.team_id, subject=job.pk, body=body, now=now)
