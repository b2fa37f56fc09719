"""Lists of executions: filters, order, pages, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.models import Status
from executions.tests.callers import API, Caller, caller
from executions.tests.plans import planned
from tests.factories import NOON, ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db

LIST = f"{API}/executions"


def listed(client: Any, **query: str) -> list[str]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_the_newest_comes_first_and_ordering_turns_it_round() -> None:
    ann = caller()
    first, second = (str(ann.execution().pk) for _ in range(2))

    assert listed(ann.client) == [second, first]
    assert listed(ann.client, ordering="created_at") == [first, second]


def test_a_row_tells_status_job_and_what_may_be_done() -> None:
    ann = caller()
    execution = ann.execution(status=Status.FAILED, reason="timeout")

    row = ann.client.get(LIST).json()["results"][0]

    assert row["job"] == {
        "id": str(execution.job_id),
        "slug": execution.job.slug,
        "name": execution.job.name,
    }
    assert (row["status"], row["reason"], row["version"]) == ("failed", "timeout", 1)
    assert (row["priority"], row["allowed_actions"]) == ("normal", ["retry"])
    assert row["created_at"] == "2027-06-15T12:00:00Z"


@pytest.mark.parametrize(
    "query",
    [
        {"status": "running"},
        {"status": "running,failed"},
        {"job": "wanted"},
        {"queue": "mail"},
        {"kind": "python"},
        {"reason": "timeout"},
        {"created_after": "2027-06-15T12:00:30Z"},
        {"created_after": "2027-06-15T14:00:30+02:00", "status": "running"},
        {"search": "WEEKLY"},
    ],
)
def test_each_filter_keeps_what_it_names(query: dict[str, str]) -> None:
    ann = caller()
    ann.execution()
    wanted = ann.execution(
        job=ann.job(slug="wanted", name="Weekly letter", kind="python"),
        status=Status.RUNNING,
        queue="mail",
        reason="timeout",
        created_at=NOON + timedelta(minutes=1),
    )

    assert listed(ann.client, **query) == [str(wanted.pk)]


def test_a_job_can_be_named_by_its_id_and_time_bounds_what_came_before() -> None:
    ann = caller()
    wanted = ann.execution()
    ann.execution(created_at=NOON + timedelta(minutes=1))

    assert listed(ann.client, job=str(wanted.job_id)) == [str(wanted.pk)]
    assert listed(ann.client, created_before="2027-06-15T12:00:30Z") == [str(wanted.pk)]


def test_executions_of_a_job_are_listed_below_it() -> None:
    ann = caller()
    wanted = ann.execution(status=Status.RUNNING)
    ann.execution()

    for key in [wanted.job_id, wanted.job.slug]:
        answer = ann.client.get(f"{API}/jobs/{key}/executions", {"status": "running"})
        assert [row["id"] for row in answer.json()["results"]] == [str(wanted.pk)]
    assert ann.client.get(f"{API}/jobs/nothing-here/executions").status_code == 404


def test_search_takes_its_text_as_text() -> None:
    ann = caller()
    ann.execution(job=ann.job(name="100% safe"))
    ann.execution(job=ann.job(name="1000 letters"))

    assert len(listed(ann.client, search="100%")) == 1
    assert listed(ann.client, search="' OR 1=1 --") == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("status", "running,unknown"),
        ("kind", "unknown"),
        ("created_after", "2027-06-15T12:00:00"),
        ("created_after", "2027-02-30T12:00:00Z"),
        ("created_before", "yesterday"),
        ("ordering", "job__team__name"),
        ("ordering", "-created_at,payload"),
        ("search", "a\x00b"),
        ("search", "x" * 201),
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "1000000000"),
        ("page", "1000000000"),
        ("page", "abc"),
        ("team", "1"),
        ("job__team__name", "x"),
        ("dry_run", "true"),
    ],
)
def test_a_bad_parameter_is_named(parameter: str, value: str) -> None:
    ann = caller()

    answer = ann.client.get(LIST, {parameter: value})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_fault_of_a_filter_says_which_parameter_it_is() -> None:
    answer = caller().client.get(LIST, {"status": "runing"})

    assert answer.json()["errors"][0]["parameter"] == "status"


def test_another_team_s_executions_do_not_exist() -> None:
    foreign = ExecutionFactory.create()

    assert listed(caller().client) == []
    assert listed(caller().client, job=str(foreign.job_id)) == []
    assert listed(caller().client, job=foreign.job.slug) == []


def queries(ann: Caller, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert ann.client.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", [LIST, f"{API}/jobs/one/executions"])
def test_the_number_of_queries_does_not_grow_with_the_rows(path: str) -> None:
    ann = caller()
    job = ann.job(slug="one")
    ann.execution(job=job)
    few = queries(ann, path)
    for _ in range(10):
        ann.execution(job=job)
        ann.execution()

    assert queries(ann, path) == few <= 5


def test_a_list_reads_no_payloads_and_no_results() -> None:
    ann = caller()
    ann.execution(payload={"a": 1}, result={"b": 2})

    with CaptureQueriesContext(connection) as captured:
        ann.client.get(LIST)

    rows = captured[-1]["sql"]
    assert "executions_execution" in rows
    assert '"payload"' not in rows
    assert '"result"' not in rows


def test_pages_are_counted_and_linked() -> None:
    ann = caller()
    job = JobFactory.create(team=ann.team)
    for _ in range(3):
        ann.execution(job=job)

    page = ann.client.get(LIST, {"limit": "2", "page": "1"}).json()

    assert (page["count"], page["page"], page["limit"]) == (3, 1, 2)
    assert len(page["results"]) == 2
    assert "page=2" in page["next"]


@pytest.mark.parametrize(
    ("path", "index"),
    [(LIST, "execution_team_idx"), (f"{API}/jobs/one/executions", "execution_job_idx")],
)
def test_a_page_is_read_from_an_index_in_its_order(path: str, index: str) -> None:
    ann = caller()
    ann.execution(job=ann.job(slug="one"))

    with planned() as plans:
        ann.client.get(path)

    assert index in plans[-1]
    assert "Sort" not in plans[-1]
