"""Lists of executions: filters, order, pages, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.api import filters
from executions.models import Status
from executions.stats import first_id
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
        id=first_id(NOON + timedelta(minutes=1)),
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
        ("cursor", "abc"),
        ("cursor", "01a1ff6c-67b3-7174-a0dc-a5d08fdded75:forged"),
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


def followed(client: Any, **query: str) -> list[dict[str, Any]]:
    """Every page of a list, by its cursors."""
    pages: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(LIST, query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.content
        pages.append(answer.json())
        cursor = pages[-1]["next_cursor"]
    return pages


def ids(pages: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for page in pages for row in page["results"]]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
@pytest.mark.parametrize("limit", ["1", "2", "5", "100"])
def test_following_cursors_shows_everything_once(ordering: str, limit: str) -> None:
    ann = caller()
    job = ann.job()
    made = [str(ann.execution(job=job).pk) for _ in range(5)]

    found = ids(followed(ann.client, ordering=ordering, limit=limit))

    assert found == (made if ordering == "created_at" else made[::-1])


def test_what_is_made_meanwhile_moves_no_page() -> None:
    ann = caller()
    job = ann.job()
    made = [str(ann.execution(job=job).pk) for _ in range(4)]
    first = ann.client.get(LIST, {"limit": "2"}).json()
    ann.execution(job=job)

    then = ann.client.get(LIST, {"limit": "2", "cursor": first["next_cursor"]}).json()

    assert ids([first, then]) == made[::-1]
    assert then["next_cursor"] is None


def test_a_page_after_a_cursor_is_not_counted_and_links_to_the_next() -> None:
    ann = caller()
    job = ann.job()
    for _ in range(3):
        ann.execution(job=job)
    first = ann.client.get(LIST, {"limit": "1"}).json()

    answer = ann.client.get(LIST, {"limit": "1", "cursor": first["next_cursor"]})

    told = answer.json()
    assert (first["count"], told["count"], told["page"], told["previous"]) == (3, None, None, None)
    assert answer.headers["Link"] == f'<{told["next"]}>; rel="next"'
    assert len(ann.client.get(told["next"]).json()["results"]) == 1


def test_a_page_is_named_by_a_number_or_by_a_cursor() -> None:
    ann = caller()
    job = ann.job()
    for _ in range(2):
        ann.execution(job=job)
    cursor = ann.client.get(LIST, {"limit": "1"}).json()["next_cursor"]

    assert ann.client.get(LIST, {"cursor": cursor, "page": "1"}).status_code == 400


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
def test_what_no_index_finds_is_looked_for_a_part_of_the_list_at_a_time(
    monkeypatch: pytest.MonkeyPatch, ordering: str
) -> None:
    monkeypatch.setattr(filters, "SEARCHED", 3)
    ann = caller()
    job = ann.job()
    seldom = {0, 9}
    made = [
        str(ann.execution(job=job, queue="mail" if n in seldom else "default").pk)
        for n in range(10)
    ]

    pages = followed(ann.client, ordering=ordering, queue="mail")

    assert sorted(ids(pages)) == [made[0], made[9]]
    assert [len(page["results"]) for page in pages] == [1, 0, 0, 1]
    assert (pages[0]["count"], pages[0]["count_capped"]) == (1, True)


@pytest.mark.parametrize("status", ["failed", "skipped", "cancelled"])
def test_what_ended_badly_is_found_however_long_ago(
    monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    monkeypatch.setattr(filters, "SEARCHED", 2)
    ann = caller()
    job = ann.job(slug="one")
    wanted = ann.execution(job=job, status=status)
    for _ in range(5):
        ann.execution(job=job)

    for query in ({"status": status}, {"status": status, "job": "one"}):
        assert listed(ann.client, **query) == [str(wanted.pk)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"created_after": "2020-01-01T00:00:00Z"}, "execution_team_idx"),
        ({"queue": "mail", "kind": "http", "reason": "timeout"}, "execution_team_idx"),
        ({"status": "succeeded,failed"}, "execution_team_idx"),
        ({"status": "failed"}, "execution_team_bad_idx"),
        ({"status": "failed", "ordering": "created_at"}, "execution_team_bad_idx"),
    ],
)
def test_each_list_is_read_from_an_index_in_its_order(query: dict[str, str], index: str) -> None:
    ann = caller()
    ann.execution(status=Status.FAILED, queue="mail", kind="http", reason="timeout")

    with planned() as plans:
        assert len(listed(ann.client, **query)) == 1

    assert index in plans[-1]
    assert "Sort" not in plans[-1]
