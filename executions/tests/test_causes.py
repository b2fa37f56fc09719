"""Dead letters in groups, by what caused them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Team
from executions import causes, endings, transitions
from executions.causes import Cause, dead_of
from executions.fingerprints import UNKNOWN
from executions.models import Attempt, Execution, Status
from executions.reports import Report
from executions.stats import first_id
from jobs.kinds.base import Failed
from tests.factories import NOON, ExecutionFactory, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db

TRACE = """Traceback (most recent call last):
  File "/srv/shop/orders.py", line 7, in load
    int(text)
ValueError: invalid literal: '{}'
"""


def failed(message: str, **fields: Any) -> Execution:
    """An execution whose only attempt raised in ``orders.py``."""
    job = fields.pop("job", None) or JobFactory.create(version__max_attempts=1)
    execution = ExecutionFactory.create(job=job, status=Status.QUEUED, **fields)
    lease = timedelta(seconds=30)
    held = transitions.claim(execution.pk, worker="w", now=NOON, lease=lease)
    assert held is not None
    outcome = Failed("raised", message, trace=TRACE.format(message), retryable=False)
    endings.record(held, outcome, now=NOON)
    return held


def found() -> list[Cause]:
    teams = Team.objects.values_list("pk", flat=True)
    return causes.described(causes.groups(teams), now=NOON)


def test_one_cause_on_many_ids_is_one_group_and_the_newest_stands_for_it() -> None:
    job = JobFactory.create(version__max_attempts=1)
    failed("no order 1", job=job)
    newest = failed("no order 22", job=job)

    (group,) = found()

    assert (group.count, group.newest, group.message) == (2, newest, "no order 22")
    assert (group.error, group.frame) == ("ValueError", "shop/orders.py:load")
    assert (group.first_seen_at, group.last_seen_at) == (NOON, NOON)
    assert (group.jobs, group.jobs_count) == ([job], 1)


def test_the_cause_is_kept_with_the_execution_and_its_attempt() -> None:
    dead = Execution.objects.get(pk=failed("no order 1").pk)

    assert len(dead.fingerprint) == 32
    assert dead.attempts.get().error == "ValueError"


def test_what_succeeds_or_is_handed_back_has_no_cause() -> None:
    held = failed("no order 1", job=JobFactory.create(version__max_attempts=2))
    Execution.objects.filter(pk=held.pk).update(status=Status.QUEUED, finished_at=None)
    again = transitions.claim(held.pk, worker="w", now=NOON, lease=timedelta(seconds=30))
    assert again is not None
    transitions.hand_back(again, now=NOON, report=Report(reason="worker_stopped"))

    assert Execution.objects.get().fingerprint == ""


def test_another_cause_is_another_group_and_the_newest_comes_first() -> None:
    failed("no order 1")
    failed("no customer")

    assert [group.message for group in found()] == ["no customer", "no order 1"]


def test_what_is_resolved_belongs_to_no_group() -> None:
    failed("no order 1", resolved_at=NOON)

    assert found() == []


def test_of_many_jobs_some_are_named_and_all_are_counted() -> None:
    team = TeamFactory.create()
    for _ in range(causes.MOST_JOBS + 2):
        failed("no order 1", job=JobFactory.create(team=team, version__max_attempts=1))

    (group,) = found()

    assert len(group.jobs) == causes.MOST_JOBS
    assert group.jobs_count == causes.MOST_JOBS + 2


def test_the_last_hour_is_counted_apart() -> None:
    for minutes in (10, 50, 70):
        at = NOON - timedelta(minutes=minutes)
        ExecutionFactory.create(id=first_id(at), status=Status.FAILED, fingerprint="a" * 32)

    counted = [(group.count, group.count_lately) for group in found()]
    assert sum(n for n, _ in counted) == 3
    assert sum(n for _, n in counted) == 2


def test_what_failed_before_causes_were_recorded_is_a_group_of_its_own() -> None:
    old = ExecutionFactory.create(status=Status.FAILED)

    (group,) = found()

    assert group.fingerprint == UNKNOWN
    assert list(dead_of(Execution.objects.all(), UNKNOWN)) == [old]


def test_the_number_of_queries_does_not_grow_with_the_groups(
    django_assert_num_queries: Any,
) -> None:
    for n in range(8):
        dead = ExecutionFactory.create(status=Status.FAILED, fingerprint=f"{n:032x}")
        Attempt.objects.create(execution=dead, number=0, worker="w", started_at=NOON)

    with django_assert_num_queries(6):
        assert len(found()) == 8


def test_each_team_has_its_own_causes() -> None:
    mine, other = (ExecutionFactory.create(status=Status.FAILED, fingerprint="a") for _ in "ab")

    assert [group.newest for group in causes.groups([mine.team_id])] == [mine.pk]
    assert len(causes.groups([mine.team_id, other.team_id])) == 2
    assert causes.groups([]) == []


def test_dead_letters_are_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "MOST", 2)
    monkeypatch.setattr(causes, "NEWEST", 1)
    team = TeamFactory.create()
    jobs = [JobFactory.create(team=team) for _ in range(3)]
    dead = [ExecutionFactory.create(job=job, status=Status.FAILED) for job in jobs]

    (group,) = found()

    assert (group.count, group.count_capped, group.newest) == (2, True, dead[-1])
    assert (group.jobs, group.jobs_count) == ([jobs[-1]], 1)


def test_the_causes_are_read_from_their_index() -> None:
    for n in range(3):
        ExecutionFactory.create(status=Status.FAILED, fingerprint=f"{n:032x}")

    with CaptureQueriesContext(connection) as captured:
        found()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        walks = [query for query in captured.captured_queries if "unnest" in query["sql"]]
        assert len(walks) == len(["groups", "numbers"])
        for query in walks:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on executions_execution" not in plan
            assert "execution_cause_idx" in plan
