"""An answer about an execution tells of one moment, whoever is at work meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import InternalError, connection, transaction

from accounts.models import Team
from executions import clock, transitions
from executions.api.moment import one_moment
from executions.models import Execution, Status
from executions.tests.callers import API, caller

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(do: Callable[[], object]) -> None:
    """Do something on another connection."""

    def alone() -> None:
        try:
            do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(alone).result()


@contextmanager
def after_it_was_stored(do: Callable[[], object]) -> Iterator[list[str]]:
    """Let ``do`` happen between the statement that stores an execution and the answer."""
    done: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if not done and "INSERT INTO executions_execution" in sql:
            done.append(sql)
            elsewhere(do)
        return result

    with connection.execute_wrapper(watch):
        yield done


@contextmanager
def after_the_first_read_of_versions(do: Callable[[], object]) -> Iterator[list[str]]:
    """Let ``do`` happen between the query of an execution and those of its history."""
    done: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if not done and "executions_execution" in sql and "jobs_jobversion" in sql:
            done.append(sql)
            elsewhere(do)
        return result

    with connection.execute_wrapper(watch):
        yield done


def claim(execution_id: UUID) -> None:
    now = clock.now()
    assert transitions.claim(execution_id, worker="w", now=now, lease=timedelta(seconds=30))


@pytest.mark.parametrize("headers", [{}, {"HTTP_IDEMPOTENCY_KEY": "k"}])
def test_a_started_execution_is_not_half_queued_and_half_running(headers: dict[str, Any]) -> None:
    ann = caller()
    job = ann.job()

    def claim_it() -> None:
        for execution in Execution.objects.filter(status=Status.QUEUED):
            claim(execution.pk)

    with after_it_was_stored(claim_it) as done:
        told = ann.client.post(f"{API}/jobs/{job.pk}/execute", **headers).json()

    assert done
    assert (told["status"] == "running") == bool(told["attempts"])
    assert (told["attempt"] > 0) == bool(told["attempts"])


def test_an_execution_that_is_read_is_whole() -> None:
    ann = caller()
    execution = ann.execution(status=Status.QUEUED)

    with after_the_first_read_of_versions(lambda: claim(execution.pk)) as done:
        told = ann.client.get(f"{API}/executions/{execution.pk}").json()

    assert done
    assert (told["status"], told["attempts"]) == ("queued", [])


def test_within_a_moment_nothing_changes_and_nothing_is_written() -> None:
    with one_moment():
        before = Team.objects.count()
        elsewhere(lambda: Team.objects.create(name="new"))
        assert Team.objects.count() == before
    assert Team.objects.count() == before + 1

    with pytest.raises(InternalError, match="read-only"), one_moment():
        Team.objects.create(name="no")


def test_in_a_transaction_its_own_changes_are_seen() -> None:
    with transaction.atomic():
        Team.objects.create(name="mine")
        with one_moment():
            assert Team.objects.filter(name="mine").exists()
