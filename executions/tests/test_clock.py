"""The database's time, without asking it each time."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

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
