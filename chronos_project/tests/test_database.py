"""Connections end their waits, and are not used when the server ended them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg_pool import ConnectionPool

from chronos_project.database.base import REMEMBERED, DatabaseWrapper
from chronos_project.database.connection import PatientConnection
from lib.patience import patience
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)

SHORT = 0.5  # seconds


def select(database: BaseDatabaseWrapper, sql: str = "SELECT 1", *values: Any) -> Any:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


@contextmanager
def took(at_least: float, at_most: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert at_least <= time.monotonic() - started < at_most


def terminate(ended: PatientConnection | None) -> None:
    """Let the server end a connection, and wait until that has arrived."""
    assert ended is not None
    select(connection, "SELECT pg_terminate_backend(%s)", ended.info.backend_pid)
    eventually(lambda: not ended.is_alive(), within=10)


@pytest.fixture
def single() -> Iterator[DatabaseWrapper]:
    """A connection like a worker's."""
    made = DatabaseWrapper({**connection.settings_dict, "CONN_HEALTH_CHECKS": True})
    yield made
    made.close()


@pytest.fixture
def pooled() -> Iterator[DatabaseWrapper]:
    """A connection like a web process's, out of a pool of two."""
    pool = {
        "connection_class": PatientConnection,
        "min_size": 1,
        "max_size": 2,
        "timeout": 20,
        "reconnect_timeout": 0.2,
    }
    options = {**connection.settings_dict["OPTIONS"], "pool": pool}
    settings = {**connection.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": 0}
    made = DatabaseWrapper(settings)
    yield made
    made.close()
    made.close_pool()


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a server that accepts connections and says nothing, like a frozen one."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def test_an_answer_that_does_not_come_ends_the_connection(single: DatabaseWrapper) -> None:
    select(single)

    with took(SHORT, 5), patience(SHORT), pytest.raises(OperationalError, match="no answer"):
        select(single, "SELECT pg_sleep(60)")

    assert not single.is_usable()


def test_nobody_waits_twice_for_the_same_silence(single: DatabaseWrapper) -> None:
    with patience(SHORT), pytest.raises(OperationalError):
        select(single, "SELECT pg_sleep(60)")

    with took(0, SHORT), pytest.raises(OperationalError):
        select(single)
    single.close()
    with took(0, SHORT), pytest.raises(OperationalError, match="a moment ago"):
        select(single)

    eventually(lambda: time.monotonic() > single._silent_until, within=REMEMBERED + 1)
    assert select(single) == 1


def test_a_silence_in_a_transaction_ends_it(single: DatabaseWrapper) -> None:
    single.set_autocommit(False)
    select(single)

    with patience(SHORT), pytest.raises(OperationalError):
        select(single, "SELECT pg_sleep(60)")

    with pytest.raises(OperationalError):
        single.commit()


def test_the_server_stops_what_nobody_waits_for_any_more(single: DatabaseWrapper) -> None:
    with patience(SHORT), pytest.raises(OperationalError):
        select(single, "SELECT pg_sleep(61)")

    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(61)'"
    eventually(lambda: select(connection, sleeping) == 0, within=10)


def test_whoever_freezes_in_a_transaction_loses_its_locks(single: DatabaseWrapper) -> None:
    assert select(single, "SHOW idle_in_transaction_session_timeout") == "10s"
    single.set_autocommit(False)
    select(single, "SELECT set_config('idle_in_transaction_session_timeout', '100ms', false)")
    assert single.connection is not None

    eventually(lambda: not single.is_usable(), within=10)


def test_a_server_that_accepts_and_is_silent_is_not_waited_for(mute: int) -> None:
    database = DatabaseWrapper({**connection.settings_dict, "HOST": "127.0.0.1", "PORT": str(mute)})

    with took(SHORT, 5), patience(SHORT), pytest.raises(OperationalError, match="no connection"):
        select(database)
    with took(0, SHORT), pytest.raises(OperationalError, match="a moment ago"):
        select(database)


def test_a_connection_that_the_server_ended_is_seen_without_asking(single: DatabaseWrapper) -> None:
    select(single)
    assert single.is_usable()

    terminate(single.connection)

    assert not single.is_usable()
    single.close_if_unusable_or_obsolete()
    assert select(single) == 1


def test_news_of_the_server_do_not_make_a_connection_unusable(single: DatabaseWrapper) -> None:
    select(single, "SELECT 1 FROM (SELECT pg_notify('here', '')) AS told")
    with single.cursor() as cursor:
        cursor.execute("LISTEN here")
    select(connection, "SELECT 1 FROM (SELECT pg_notify('here', '')) AS told")

    assert single.is_usable()
    assert select(single) == 1


def test_a_pool_gives_no_connection_that_the_server_ended(pooled: DatabaseWrapper) -> None:
    select(pooled)
    terminate(pooled.connection)
    pooled.close()

    assert select(pooled) == 1


def test_dead_connections_that_lie_in_the_pool_are_passed_over(pooled: DatabaseWrapper) -> None:
    pool = pooled.pool
    pool.open()
    held = [pool.getconn() for _ in range(2)]
    for one in held:
        pool.putconn(one)
    for one in held:
        terminate(one)

    assert select(pooled) == 1


def test_an_empty_pool_is_waited_for_once(pooled: DatabaseWrapper) -> None:
    pool: ConnectionPool[PatientConnection] = pooled.pool
    pool.open()
    held = [pool.getconn() for _ in range(2)]
    pool.timeout = SHORT

    with took(SHORT, 5), pytest.raises(OperationalError):
        select(pooled)
    with took(0, SHORT), pytest.raises(OperationalError, match="a moment ago"):
        select(pooled)

    for one in held:
        pool.putconn(one)


def test_what_has_an_end_of_its_own_does_not_end_the_connection(single: DatabaseWrapper) -> None:
    select(single)
    assert single.connection is not None

    with took(SHORT, 5):
        assert list(single.connection.notifies(timeout=SHORT)) == []

    assert single.is_usable()


def test_an_atomic_block_over_a_silence_raises_and_the_next_one_works() -> None:
    def block() -> None:
        try:
            with pytest.raises(OperationalError), transaction.atomic(), patience(SHORT):
                select(connection, "SELECT pg_sleep(60)")
            assert not connection.in_atomic_block
        finally:
            connection.close()

    thread = threading.Thread(target=block)
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()
