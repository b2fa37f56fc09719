"""What the engine above lends to the jobs below it: its clock, the names of its queues, a bell.

`jobs` may not import `executions`; `executions/apps.py` connects the two when Django starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class Host:
    """``now`` is the clock that due decisions go by, ``wake`` tells whoever fires schedules to
    look at once. Without an engine a job is kept and shown, and nothing runs it."""

    now: Callable[[], datetime] = timezone.now
    queue_names: Callable[[], Collection[str]] = lambda: ["default"]
    wake: Callable[[], None] = lambda: None


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
