"""What a start costs the database: statements are counted, so that none is added unnoticed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from executions import clock
from executions.models import Execution, Queue
from executions.tests.callers import API, Caller, caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann() -> Caller:
    """Somebody with a token; the clock of the process is set."""
    Queue.objects.get_or_create(name="default")
    clock.read()
    made = caller()
    token = tokens.sign_in(made.user, timezone.now()).access
    return Caller(APIClient(headers={"Authorization": f"Bearer {token}"}), made.user, made.team)


def statements(ann: Caller, path: str, body: Any = None, **headers: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = ann.client.post(path, body, headers=headers)
    assert answer.status_code == 202
    return [query["sql"] for query in captured.captured_queries]


@pytest.mark.parametrize("body", [None, {"payload": {"a": 1}, "priority": "high", "reason": "x"}])
def test_a_start_costs_three_statements(ann: Caller, body: Any) -> None:
    path = f"{API}/jobs/{ann.job().pk}/execute"

    who, what, stored = statements(ann, path, body)

    assert "accounts_tokenfamily" in who
    assert "jobs_job" in what
    assert "INSERT INTO executions_execution" in stored
    assert Execution.objects.get().status == "queued"


def test_by_its_slug_it_costs_the_same(ann: Caller) -> None:
    assert len(statements(ann, f"{API}/jobs/{ann.job(slug='daily').slug}/execute")) == 3


def test_a_start_for_later_costs_the_same(ann: Caller) -> None:
    path = f"{API}/jobs/{ann.job().pk}/execute"

    assert len(statements(ann, path, {"run_at": "2099-01-01T00:00:00Z"})) == 3


def test_a_key_costs_a_transaction_its_lock_and_the_kept_answer(ann: Caller) -> None:
    path = f"{API}/jobs/{ann.job().pk}/execute"

    found = statements(ann, path, **{"Idempotency-Key": "k"})

    assert len(found) == 8, found
    assert (found[0], found[-1]) == ("BEGIN", "COMMIT")


@pytest.mark.parametrize(("number", "cost"), [(1, 5), (1_000, 5), (1_001, 6)])
def test_many_starts_cost_one_statement_for_each_thousand(
    ann: Caller, number: int, cost: int
) -> None:
    path = f"{API}/jobs/{ann.job().pk}/executions"

    assert len(statements(ann, path, [{}] * number)) == cost
    assert Execution.objects.count() == number


def test_keys_of_many_starts_cost_one_statement_more(ann: Caller) -> None:
    path = f"{API}/jobs/{ann.job().pk}/executions"

    assert len(statements(ann, path, [{"idempotency_key": str(n)} for n in range(100)])) == 6
