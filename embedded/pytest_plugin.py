"""Gives a test run real servers when `DATABASE_URL` or `REDIS_URL` do not name any.

They start when this module is imported (``addopts = -p embedded.pytest_plugin``): pytest-django
reads the settings before any hook runs. Each process of pytest-xdist has servers of its own,
because some tests break theirs.
"""

from __future__ import annotations

import os

from embedded.throwaway import ThrowAway

OURS = "CHRONOS_TEST_SERVERS"  # which of the two variables name servers of this kind


def start_servers() -> None:
    """Set the two variables, for this process and all that it starts."""
    named = os.environ.keys() - os.environ.get(OURS, "").split()
    if {"DATABASE_URL", "REDIS_URL"} <= named:
        return
    servers = ThrowAway()
    if "DATABASE_URL" not in named:
        os.environ["DATABASE_URL"] = servers.postgres()
    if "REDIS_URL" not in named:
        os.environ["REDIS_URL"] = servers.redis()
    os.environ[OURS] = " ".join({"DATABASE_URL", "REDIS_URL"} - named)


start_servers()
