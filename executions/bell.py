"""The doorbell of the beats: a Redis message that says "look now" and nothing else."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = structlog.get_logger(__name__)

REST = 2.0  # seconds in which a broker that was away is not told again
GATHER = 0.05  # seconds in which all who want to ring soon are one; nobody is idle meanwhile

_client: redis.Redis | None = None
_rung_again_at = 0.0  # on the monotonic clock
_gathering = threading.Lock()
_about_to_ring = False


def client() -> redis.Redis:
    """This process's Redis client: short time-outs, no silent repetition of commands."""
    global _client  # noqa: PLW0603  one pool a process
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=min(1.0, settings.BROKER_PATIENCE_SECONDS),
            socket_timeout=min(1.0, settings.BROKER_PATIENCE_SECONDS),
            retry=Retry(NoBackoff(), 0),
        )
    return _client


def _channel() -> str:
    return f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}wake"


def ring() -> None:
    """Wake the beats. Harmless to lose: they look by themselves each second.

    So after a ring that nobody took it is spared for a moment.
    """
    global _rung_again_at  # noqa: PLW0603  what one ring learns spares the next one the wait
    if time.monotonic() < _rung_again_at:
        return
    try:
        client().publish(_channel(), b"")
    except redis.RedisError as exc:
        _rung_again_at = time.monotonic() + REST
        log.warning("bell.broker_away", error=repr(exc))


def ring_soon() -> None:
    """Wake the beats once for all who ask for it within ``GATHER`` seconds."""
    global _about_to_ring  # noqa: PLW0603  one ring for all threads of the process
    with _gathering:
        if _about_to_ring:
            return
        _about_to_ring = True
    timer = threading.Timer(GATHER, _ring_for_all)
    timer.daemon = True  # harmless to lose
    timer.start()


def _ring_for_all() -> None:
    global _about_to_ring  # noqa: PLW0603  as above
    with _gathering:
        _about_to_ring = False
    ring()


class Listener:
    """A beat's ear: waits for the bell, or for the time to be over."""

    def __init__(self) -> None:
        self._pubsub: Any = None

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for a ring; say whether it rang.

        Raises ``redis.RedisError`` when Redis is away; the next call connects anew.
        """
        try:
            if self._pubsub is None:
                self._pubsub = client().pubsub(ignore_subscribe_messages=True)
                self._pubsub.subscribe(_channel())
            if self._pubsub.get_message(timeout=seconds) is None:
                return False
            while self._pubsub.get_message(timeout=0) is not None:
                pass  # all who rang until now are answered by one look
        except redis.RedisError:
            self.close()
            raise
        return True

    def close(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            with contextlib.suppress(redis.RedisError, OSError):
                pubsub.close()
