"""Asks servers by URL whether they answer, and for their version, with the drivers of the parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import redis

from embedded.engines import OLDEST_POSTGRES, OLDEST_REDIS
from embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_SECONDS = 3


def postgres_version(url: str) -> tuple[int, ...]:
    """The version of the server at ``url``, as ``(18,)``. Raises ``psycopg.Error``."""
    uri = re.sub(r"^\w+://", "postgresql://", url)  # Django knows more spellings than libpq
    with psycopg.connect(uri, connect_timeout=WAIT_SECONDS) as connection:
        return (connection.info.server_version // 10_000,)


def redis_version(url: str) -> tuple[int, ...]:
    """The version of Redis that the server at ``url`` claims. Raises ``redis.RedisError``."""
    with redis.Redis.from_url(
        url, socket_connect_timeout=WAIT_SECONDS, socket_timeout=WAIT_SECONDS
    ) as client:
        found: str = client.info("server")["redis_version"]
    return tuple(int(number) for number in re.findall(r"\d+", found))


def answers(version: Callable[[str], tuple[int, ...]], url: str) -> bool:
    """Whether the server at ``url`` accepts us by now."""
    try:
        version(url)
    except (psycopg.Error, redis.RedisError):
        return False
    return True


def require_postgres(url: str) -> None:
    """Raise ``StartError`` unless ``DATABASE_URL`` leads to a server that is new enough."""
    _require("DATABASE_URL", url, version=postgres_version, oldest=OLDEST_POSTGRES)


def require_redis(url: str) -> None:
    """Raise ``StartError`` unless ``REDIS_URL`` leads to a server that is new enough."""
    _require("REDIS_URL", url, version=redis_version, oldest=OLDEST_REDIS)


def _require(
    variable: str,
    url: str,
    *,
    version: Callable[[str], tuple[int, ...]],
    oldest: tuple[int, ...],
) -> None:
    advice = f"mend {variable}, or leave it out to let Chronos start a server of its own"
    try:
        found = version(url)
    except (psycopg.Error, redis.RedisError, ValueError) as exc:
        reason = " ".join(str(exc).split())
        raise StartError(f"The server of {variable} does not answer ({reason}): {advice}.") from exc
    if found < oldest:
        raise StartError(
            f"The server of {variable} is version {_text(found)} and Chronos needs {_text(oldest)} "
            f"or newer: {advice}."
        )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
