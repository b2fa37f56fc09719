"""The page of one execution."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from executions import clock, logs, transitions
from executions.models import Attempt, Execution, Status
from executions.reports import Report
from tests import operators
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory
from tests.operators import act

pytestmark = pytest.mark.django_db

LIST = "/admin/executions/execution/"
DEAD = "/admin/executions/deadletter/"
QUEUES = "/admin/executions/queue/"
LEASE = timedelta(seconds=30)
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def page(execution: Execution) -> str:
    return reverse("admin:executions_execution_change", args=[execution.pk])


def ended(execution: Execution, *, output: str = "", **report: Any) -> Execution:
    """Claim a queued execution and let its only attempt fail."""
    held = transitions.claim(execution.pk, worker="w", now=NOON, lease=LEASE)
    assert held is not None
    chunks = [logs.Chunk(NOON, "stdout", output)]
    transitions.fail(held, now=NOON, report=Report(output=chunks, **report))
    return held


def test_the_page_shows_attempts_log_payload_and_links(client: Client, boss: User) -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED, payload={"letter": "ü"})
    ended(execution, output="line one\n", reason="raised", message="no luck", trace="Traceback")

    html = client.get(page(execution)).content.decode()

    for shown in (
        "line one",
        "no luck",
        "Traceback",
        "raised",
        "&quot;letter&quot;: &quot;ü&quot;",
    ):
        assert shown in html
    assert f"/flower/task/{execution.pk}-1" in html
    assert "/admin/django_celery_results/taskresult/" in html


def test_the_page_shows_a_bounded_part_of_the_output(
    client: Client, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.admin.page.MOST_CHUNKS", 2)
    execution = ExecutionFactory.create()
    chunks = [logs.Chunk(NOON, "stdout", f"part {n}\n") for n in range(3)]
    logs.store(execution.pk, 1, chunks)

    html = client.get(page(execution)).content.decode()

    assert "part 0" not in html
    assert html.index("part 1") < html.index("part 2")
    assert "the API has all of it" in html


def test_an_execution_that_does_not_run_says_why(client: Client, boss: User) -> None:
    QueueFactory.create(name="mail", paused_at=NOON, paused_reason="provider is down")
    execution = ExecutionFactory.create(queue="mail", due_at=clock.now())

    html = client.get(page(execution)).content.decode()

    assert "The queue mail is paused: provider is down" in html


def test_the_page_tells_the_story_in_the_words_of_the_api(client: Client, boss: User) -> None:
    job = JobFactory.create(version__max_attempts=1)
    execution = ExecutionFactory.create(status=Status.QUEUED, job=job)
    ended(execution, reason="timeout", message="ran longer than 5 s")

    html = client.get(page(execution)).content.decode()

    assert "It failed for good with attempt 1" in html
    assert "It took longer than its time limit: ran longer than 5 s." in html
    assert 'href="/reasons#timeout"' in html
    assert "Redrive it when its cause is mended, or resolve it." in html


def test_what_users_wrote_is_never_markup(client: Client, boss: User) -> None:
    job = JobFactory.create(name=SCRIPT)
    execution = ExecutionFactory.create(status=Status.QUEUED, job=job, payload={"a": SCRIPT})
    ended(execution, output=SCRIPT, reason="raised", message=SCRIPT, trace=SCRIPT)
    QueueFactory.create(name="mail", paused_at=NOON, paused_reason=SCRIPT, description=SCRIPT)
    refused = act(
        client,
        DEAD,
        "redrive",
        ExecutionFactory.create(
            status=Status.FAILED, job=JobFactory.create(name=SCRIPT, paused_at=NOON)
        ),
    )

    for address in (LIST, DEAD, QUEUES, page(execution), refused.headers["Location"], "/admin/"):
        html = client.get(address).content.decode()
        assert SCRIPT not in html, address


def test_a_page_costs_the_same_for_one_attempt_and_for_many(
    client: Client, boss: User, django_assert_max_num_queries: Any
) -> None:
    execution = ExecutionFactory.create()
    Attempt.objects.bulk_create(
        Attempt(execution=execution, number=n, worker="w", started_at=NOON) for n in range(1, 30)
    )

    with django_assert_max_num_queries(12):
        client.get(page(execution))
