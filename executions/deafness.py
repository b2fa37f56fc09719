"""A worker that is connected but does not consume: noticed by what waits for it in vain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from redis import RedisError

from executions import broker, clock
from executions.models import Execution, Status
from jobs import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 20.0  # a worker with a free slot takes a message within milliseconds
LOOKS = 2  # in a row that must find it deaf


class Ear:
    """Belongs to the main process of a worker of ``fleet``.

    ``queues()`` names the queues that it consumes, ``free()`` says whether it has a free slot.
    """

    def __init__(
        self, fleet: str, *, queues: Callable[[], Iterable[str]], free: Callable[[], bool]
    ) -> None:
        self._fleet = fleet
        self._queues = queues
        self._free = free
        self._heard = clock.ticks()
        self._found = 0

    def hear(self) -> None:
        """A message has come."""
        self._heard = clock.ticks()

    def is_deaf(self, now: datetime) -> bool:
        """Say whether executions have waited for long that this worker should have taken.

        Costs nothing while messages come. A broker that is away makes nobody deaf.
        """
        silent = clock.ticks() - self._heard > PATIENCE_SECONDS and self._free()
        deaf = silent and self._waited_for(now) and self._has_messages()
        self._found = self._found + 1 if deaf else 0
        return self._found >= LOOKS

    def _waited_for(self, now: datetime) -> bool:
        known = kinds.all_kinds().items()
        waiting = Execution.objects.filter(
            status=Status.QUEUED,
            queue__in=list(self._queues()),
            kind__in=[name for name, kind in known if kind.fleet == self._fleet],
            queued_at__lte=now - timedelta(seconds=PATIENCE_SECONDS),
        )
        return waiting.exists()

    def _has_messages(self) -> bool:
        lanes = settings.CELERY_BROKER_TRANSPORT_OPTIONS["priority_steps"]
        lists = [
            broker.Lane(queue, self._fleet, lane) for queue in self._queues() for lane in lanes
        ]
        try:
            return any(tail.length for tail in broker.tails(lists).values())
        except (RedisError, ConnectionError) as exc:
            log.warning("deafness.broker_away", error=repr(exc))
            return False
