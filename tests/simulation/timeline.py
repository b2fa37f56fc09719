"""The simulated time, also where the engine asks the database for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from executions import clock

if TYPE_CHECKING:
    from datetime import datetime

# PostgreSQL looks into its own schema first, unless the path names it later.
DATABASE_CLOCK = """
CREATE SCHEMA IF NOT EXISTS simulation;
CREATE TABLE IF NOT EXISTS simulation.clock (now timestamptz NOT NULL);
TRUNCATE simulation.clock;
INSERT INTO simulation.clock VALUES ('epoch');
CREATE OR REPLACE FUNCTION simulation.clock_timestamp() RETURNS timestamptz
    LANGUAGE sql AS 'SELECT now FROM simulation.clock'
"""
FOLLOW = "SET search_path = simulation, public, pg_catalog"


def install() -> None:
    """Give this database a clock that ``set_to`` sets; only ``follow`` makes it heard."""
    with connection.cursor() as cursor:
        cursor.execute(DATABASE_CLOCK)


def follow() -> None:
    """Let this thread's connection read the simulated clock."""
    with connection.cursor() as cursor:
        cursor.execute(FOLLOW)


def set_to(now: datetime) -> None:
    """Let it be ``now``, for the database and for what counts on from its last answer."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE simulation.clock SET now = %s", [now])
    clock._anchor = (clock.ticks(), now)


def forget() -> None:
    """Let the engine ask the database for its time again."""
    clock._anchor = None
