"""Statements whose plans are kept."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from executions import claims, clock, transitions
from executions.models import Status
from executions.reports import Report
from tests.factories import ExecutionFactory
from tests.stack import database_url

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


def _run_one() -> str:
    execution = ExecutionFactory.create(status=Status.QUEUED)
    now = clock.now()
    claimed = transitions.claim(execution.pk, worker="a", now=now, lease=LEASE)
    assert claimed
    transitions.succeed(claimed, now=now, report=Report())
    execution.refresh_from_db()
    return execution.status


def _migrate(statement: str) -> None:
    """Change a table as another process does: this connection hears nothing of it."""
    with psycopg.connect(database_url(), autocommit=True) as other:
        other.execute(statement.encode())


def _kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_a_claim_and_a_settle_of_one_are_planned_once() -> None:
    _run_one()
    kept = _kept()
    for _ in range(7):  # the server chooses a plan for good after the fifth
        assert _run_one() == Status.SUCCEEDED

    assert kept >= 2
    assert _kept() == kept


@pytest.mark.django_db(transaction=True)
def test_a_column_whose_type_a_migration_changes_meanwhile_disturbs_no_worker() -> None:
    _run_one()
    _migrate("ALTER TABLE executions_execution ALTER COLUMN worker TYPE text")
    try:
        claimed = claims.claim([ExecutionFactory.create(status=Status.QUEUED).pk], worker="a")
        assert [one.execution.attempt for one in claimed] == [1]
    finally:
        _migrate("ALTER TABLE executions_execution ALTER COLUMN worker TYPE varchar(200)")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["executions_execution", "jobs_jobversion"])
def test_a_column_that_a_migration_adds_meanwhile_disturbs_no_worker(table: str) -> None:
    _run_one()
    _migrate(f"ALTER TABLE {table} ADD COLUMN tomorrow text NOT NULL DEFAULT 'x'")
    try:
        assert _run_one() == Status.SUCCEEDED
    finally:
        _migrate(f"ALTER TABLE {table} DROP COLUMN tomorrow")
