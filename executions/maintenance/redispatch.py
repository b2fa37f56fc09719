"""Queued too long: the message may be lost, or lie in a lane that its execution has outgrown."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import structlog
from django.db.models import Q
from redis import RedisError

from executions import broker, dispatch
from executions.models import Execution
from executions.models.fleet import fleet_of
from executions.models.lines import AGEING

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

MOST_MESSAGES = 10_000  # a list this long is not made longer: it wakes workers enough


class Group(NamedTuple):
    """Overdue executions that share a lane of the broker, and the moment when they outgrow it."""

    queue: str
    kind: str
    priority: int
    lane: int

    @property
    def list(self) -> broker.Lane:
        return broker.Lane(self.queue, fleet_of(self.kind), self.lane)

    def lost(self, tail: broker.Tail, now: datetime) -> Q:
        """What is no longer in the list that ends in ``tail``, or waits in it for too long."""
        before = now - AGEING * (self.priority - self.lane + 1)
        outgrown = Q(lane__gt=0, due_at__lte=before, created_at__lte=before)
        rows = Q(queue=self.queue, kind=self.kind, priority=self.priority, lane=self.lane)
        if not tail.length:
            return rows
        if tail.publish_at and tail.length < MOST_MESSAGES:
            return rows & (outgrown | Q(publish_at__lt=tail.publish_at))
        return rows & outgrown


def redispatch(now: datetime, limit: int = 500) -> int:
    """Wake workers again for queued executions whose message is lost; return how many.

    A list of the broker is served in order, so a message older than the oldest one in it is gone,
    and while a list is empty all are. What waits in a long list is left alone, unless it has aged
    into a better lane. A message that was only late makes a double, which dies at the claim.
    """
    overdue = Execution.objects.overdue_message(now)
    groups = [Group(*row) for row in overdue.order_by().values_list(*Group._fields).distinct()]
    if not groups:
        return 0
    try:
        tails = broker.tails([group.list for group in groups])
    except (RedisError, broker.BrokerAwayError) as exc:
        log.warning("redispatch.broker_away", error=repr(exc))
        return 0
    lost = reduce(or_, [group.lost(tails[group.list], now) for group in groups])
    return dispatch.wake(overdue.filter(lost), now=now, limit=limit)
