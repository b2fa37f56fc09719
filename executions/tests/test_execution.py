"""How an execution is made of a job: its deadline, and what it shares a limit with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions.models import Execution
from jobs.models import Limit
from tests.factories import NOON, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db


def limited(by: str, payload: dict[str, Any] | None) -> tuple[Limit, Execution]:
    team = TeamFactory.create()
    limit = Limit.objects.create(team=team, name="mail", by=by, concurrency=1)
    job = JobFactory.create(team=team, version__limit=limit, version__payload={"host": "a"})
    return limit, Execution.of(job, now=NOON, due_at=NOON, payload=payload)


def test_the_deadline_of_a_start_counts_from_when_it_is_due() -> None:
    job = JobFactory.create(version__start_deadline_seconds=90)
    due_at = NOON + timedelta(hours=1)

    execution = Execution.of(job, now=NOON, due_at=due_at)

    assert execution.start_by == due_at + timedelta(seconds=90)
    assert Execution.of(JobFactory.create(), now=NOON, due_at=NOON).start_by is None


def test_without_a_limit_there_is_no_key() -> None:
    execution = Execution.of(JobFactory.create(), now=NOON, due_at=NOON)

    assert (execution.limit, execution.limit_key) == (None, "")


@pytest.mark.parametrize(
    ("by", "payload", "key"),
    [
        ("", None, ""),
        ("host", None, ":a"),
        ("host", {"host": "b"}, ":b"),
        ("host", {"host": 7}, ":7"),
        ("host", {"host": False}, ":false"),
        ("host", {"host": None}, ""),
        ("host", {"host": ["a"]}, ""),
        ("host", {}, ""),
        ("port", None, ""),
    ],
)
def test_executions_with_one_value_in_the_named_field_share_a_limit(
    by: str, payload: dict[str, Any] | None, key: str
) -> None:
    limit, execution = limited(by, payload)

    assert execution.limit == limit
    assert execution.limit_key == f"{limit.pk}{key}"


def test_a_key_fits_into_its_column() -> None:
    limit, execution = limited("host", {"host": "x" * 1000})

    execution.save(force_insert=True)

    assert execution.limit_key == f"{limit.pk}:{'x' * 163}"
