"""The database's time, without asking it each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection, transaction

from executions import clock

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_now_is_aware_utc_and_only_grows() -> None:
    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert first <= second


def test_now_asks_the_database_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    clock.read()

    with django_assert_num_queries(0):
        clock.now()


def test_now_is_never_ahead_of_the_database() -> None:
    for _ in range(100):
        counted = clock.now()
        assert counted <= clock.read()


def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.read()
    monkeypatch.setattr("time.time", lambda: 0.0)

    assert timedelta(0) <= clock.now() - before < timedelta(seconds=5)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_counted_over_but_not_within_a_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = clock.read()
    monkeypatch.setattr(clock, "ANCHOR_SECONDS", -1.0)

    def now_of_a_closed_connection() -> datetime:
        connection.ensure_connection()
        connection.connection.close()
        return clock.now()

    with pytest.raises(OperationalError), transaction.atomic():
        now_of_a_closed_connection()
    assert now_of_a_closed_connection() >= before
