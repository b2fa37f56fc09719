"""Pause and resume a queue: what waits in it stays, and nothing of it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from executions import bell

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models import Queue

log = structlog.get_logger(__name__)


def pause(queue: Queue, *, now: datetime, actor: str, reason: str = "") -> None:
    """Start nothing more from ``queue``; what runs already goes on. Repeating changes nothing."""
    unpaused = type(queue).objects.filter(pk=queue.pk, paused_at__isnull=True)
    if unpaused.update(paused_at=now, paused_reason=reason):
        log.info("queue.paused", queue=queue.name, actor=actor, reason=reason)


def resume(queue: Queue, *, actor: str) -> None:
    """Start what waits in ``queue`` again, and at once."""
    paused = type(queue).objects.filter(pk=queue.pk, paused_at__isnull=False)
    if paused.update(paused_at=None, paused_reason=""):
        log.info("queue.resumed", queue=queue.name, actor=actor)
        transaction.on_commit(bell.ring, robust=True)
