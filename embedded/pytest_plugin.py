"""Gives a test run real servers when `DATABASE_URL` or `REDIS_URL` do not name any.

They start when this module is imported (``addopts = -p embedded.pytest_plugin``): pytest-django
reads the settings before any hook runs. Processes of pytest-xdist share the PostgreSQL server,
where each makes its own test database, and take a Redis database each.
"""

from __future__ import annotations

import os
import re

from embedded.throwaway import ThrowAway

SHARED = "CHRONOS_TEST_REDIS"  # set for workers of pytest-xdist when the Redis is ours


def start_servers() -> None:
    """Set the two variables, for this process and all that it starts."""
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        return
    servers = ThrowAway()
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = servers.postgres()
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = os.environ[SHARED] = servers.redis()


def take_own_redis_database(worker: str) -> None:
    """``worker`` is pytest-xdist's name: ``gw0`` gets database 1, ``gw1`` database 2."""
    number = int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = re.sub(r"/\d+$", f"/{number}", os.environ[SHARED])


xdist_worker = os.environ.get("PYTEST_XDIST_WORKER")
if xdist_worker is None:
    start_servers()
elif SHARED in os.environ:
    take_own_redis_database(xdist_worker)
