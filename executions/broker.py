"""What stands in the broker's lists: how long they are, and what their oldest message is.

A Celery queue is a list for each lane, and a list is served in the order in which it was filled.
So a message that is older than the oldest one is not there any more.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

from executions import bell, clock

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLISH_AT = "publish_at"  # the header with the row's own ``publish_at``
SEPARATOR = "\x06\x16"  # kombu's, between the name of a queue and a lane
REST = 2.0  # seconds in which a broker that was away is not asked again

_asked_again_at = 0.0  # on this process's ``clock.ticks``
_answered_at = -math.inf  # as well


class BrokerAwayError(ConnectionError):
    """The broker did not answer a moment ago."""


class Lane(NamedTuple):
    """A list of the broker: of a queue, the fleet that consumes it, and a class."""

    queue: str
    fleet: str
    lane: int

    @property
    def key(self) -> str:
        prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
        step = f"{SEPARATOR}{self.lane}" if self.lane else ""
        return f"{prefix}{self.queue}.{self.fleet}{step}"


class Tail(NamedTuple):
    """The end of a list that is served next: ``publish_at`` of its message, if that can be read."""

    length: int
    publish_at: datetime | None


def check(*, lately: float = 0.0) -> None:
    """Raise ``redis.RedisError`` or ``BrokerAwayError`` unless the broker answers, and soon.

    Or has answered in the ``lately`` last seconds: who sends many messages need not ask each time.
    """
    global _answered_at  # noqa: PLW0603  as below
    if clock.ticks() < _asked_again_at:
        raise BrokerAwayError
    if clock.ticks() > _answered_at + lately:
        bell.client().ping()
        _answered_at = clock.ticks()


def rest() -> None:
    """The broker did not do what it was asked: let it be for a moment, and the caller go on.

    Who was not let through to it learnt nothing new: a rest is not made longer.
    """
    global _asked_again_at, _answered_at  # noqa: PLW0603  what one call learns spares the next one
    _answered_at = -math.inf
    if clock.ticks() >= _asked_again_at:
        _asked_again_at = clock.ticks() + REST


def stamp(publish_at: datetime | None) -> dict[str, str]:
    """Return the headers of a message whose execution has this ``publish_at``."""
    return {PUBLISH_AT: publish_at.isoformat()} if publish_at else {}


def tails(lanes: Sequence[Lane]) -> dict[Lane, Tail]:
    """Look at the ends of ``lanes``. Raises as ``check`` does."""
    check()
    with bell.client().pipeline(transaction=False) as pipe:
        for lane in lanes:
            pipe.llen(lane.key)
            pipe.lindex(lane.key, -1)
        answers = pipe.execute()
    found = zip(lanes, answers[::2], answers[1::2], strict=True)
    return {lane: Tail(length, _publish_at(last)) for lane, length, last in found}


def _publish_at(message: bytes | None) -> datetime | None:
    """Read the stamp of a message. Anybody may have written it, so it may say anything."""
    try:
        instant = datetime.fromisoformat(json.loads(message or b"")["headers"][PUBLISH_AT])
    except (ValueError, TypeError, KeyError):
        return None
    return instant if instant.tzinfo else None
