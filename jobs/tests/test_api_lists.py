"""Lists of jobs: pages, filters, orders, and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.tests.calls import JOBS
from jobs.tests.refusals import faults
from tests.factories import NOON, JobFactory, ScheduleFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import Team

pytestmark = pytest.mark.django_db


def slugs(api: APIClient, query: str = "") -> list[str]:
    answer = api.get(f"{JOBS}{query}")
    assert answer.status_code == 200, answer.json()
    return [job["slug"] for job in answer.json()["results"]]


@pytest.fixture
def zoo(team: Team) -> None:
    """Four jobs of the team, one of them archived, and one of another team."""
    hour = timedelta(hours=1)
    JobFactory.create(team=team, slug="ant", name="B", tags=["small", "red"], created_at=NOON)
    ScheduleFactory.create(
        job=JobFactory.create(
            team=team, slug="bee", name="A", description="100% stings", tags=["small"],
            kind="http", schedule=False, created_at=NOON + hour,
        ),
        next_fire_at=NOON,
    )  # fmt: skip
    ScheduleFactory.create(
        job=JobFactory.create(
            team=team, slug="cow", name="C", paused_at=NOON, version__queue="mail",
            schedule=False, created_at=NOON + 2 * hour,
        ),
        next_fire_at=NOON - hour,
        enabled=False,
    )  # fmt: skip
    JobFactory.create(team=team, slug="dodo", name="D", archived_at=NOON, created_at=NOON)
    JobFactory.create(slug="elk", name="E", tags=["small"], created_at=NOON + hour)


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["cow", "bee", "ant"]),
        ("/?page=1", ["cow", "bee", "ant"]),
        ("?status=", ["cow", "bee", "ant"]),
        ("?status=active", ["bee", "ant"]),
        ("?status=paused", ["cow"]),
        ("?status=archived", ["dodo"]),
        ("?status=paused,archived", ["dodo", "cow"]),
        ("?kind=http", ["bee"]),
        ("?kind=http,noop", ["cow", "bee", "ant"]),
        ("?tag=red", ["ant"]),
        ("?tag=small", ["bee", "ant"]),
        ("?tag=red,none", ["ant"]),
        ("?tag=none", []),
        ("?queue=mail", ["cow"]),
        ("?queue=mail,default", ["cow", "bee", "ant"]),
        ("?search=STING", ["bee"]),
        ("?search=an", ["ant"]),
        ("?search=%25", ["bee"]),
        ("?search=_", []),
        ("?search=' OR 1=1 --", []),
        ("?search=\\", []),
        ("?search=elk", []),
        ("?created_after=2027-06-15T12:00:00Z", ["cow", "bee"]),
        ("?created_after=2027-06-15T14:30:00%2B02:00", ["cow", "bee"]),
        ("?status=active&tag=small&search=ant", ["ant"]),
        ("?ordering=name", ["bee", "ant", "cow"]),
        ("?ordering=-name", ["cow", "ant", "bee"]),
        ("?ordering=created_at", ["ant", "bee", "cow"]),
        ("?ordering=next_run_at", ["cow", "bee", "ant"]),
        ("?ordering=-next_run_at", ["bee", "cow", "ant"]),
        ("?ordering=-created_at,name", ["cow", "bee", "ant"]),
        ("?limit=1", ["cow"]),
        ("?limit=2&page=2", ["ant"]),
        ("?limit=2&page=9", []),
    ],
)
def test_a_list_shows_what_was_asked_for(api: APIClient, query: str, found: list[str]) -> None:
    assert slugs(api, query) == found


@pytest.mark.usefixtures("zoo")
def test_a_list_says_where_its_other_pages_are(api: APIClient) -> None:
    answer = api.get(f"{JOBS}?limit=1&page=2&ordering=name")
    body = answer.json()
    assert (body["count"], body["page"], body["limit"]) == (3, 2, 1)
    assert "page=3" in body["next"]
    assert "ordering=name" in body["next"]
    assert "page=1" in body["previous"]
    assert 'rel="next"' in answer["Link"]


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=101", "limit"),
        ("limit=1000000000", "limit"),
        ("limit=x", "limit"), ("limit=1.5", "limit"), ("limit=", "limit"),
        ("limit=%EF%BC%91", "limit"),
        ("page=0", "page"), ("page=-1", "page"), ("page=1000000000", "page"), ("page=last", "page"),
        ("page=101&limit=100", "page"),
        ("status=gone", "status"), ("status=active,gone", "status"), ("status=' OR 1=1", "status"),
        ("kind=shell", "kind"), ("created_after=yesterday", "created_after"),
        ("created_after=2027-06-15", "created_after"),
        ("created_after=2027-06-15T12:00:00", "created_after"),
        ("created_after=2027-02-30T12:00:00Z", "created_after"),
        ("created_after=9999-12-31T23:59:59-23:59", "created_after"),
        ("created_after=2027-06-15T12:00:00 02:00", "created_after"),
        ("ordering=team", "ordering"), ("ordering=team__members__password", "ordering"),
        ("ordering=--name", "ordering"), ("ordering=name;drop", "ordering"),
        ("ordering=%3F", "ordering"),
        ("ordering=created_by__password", "ordering"), ("ordering=Name", "ordering"),
        ("search=" + "x" * 201, "search"), ("tag=" + "x" * 201, "tag"),
        ("stauts=active", "stauts"), ("team=1", "team"),
        ("team__personal_of=1", "team__personal_of"),
        ("created_by__password__startswith=a", "created_by__password__startswith"),
        ("name__icontains=a", "name__icontains"), ("cursor=forged", "cursor"), ("q=x", "q"),
        ("dry_run=true", "dry_run"), ("__class__=1", "__class__"),
    ],
)  # fmt: skip
def test_a_list_refuses_such_a_parameter(api: APIClient, query: str, parameter: str) -> None:
    assert list(faults(api.get(f"{JOBS}?{query}"))) == [parameter]


@pytest.mark.parametrize("name", ["search", "tag", "queue", "status", "ordering", "created_after"])
def test_no_parameter_takes_a_nul(api: APIClient, name: str) -> None:
    answer = api.get(f"{JOBS}?{name}=a%00b")
    assert (answer.status_code, answer.json()["code"]) == (400, "nul_character")


@pytest.mark.parametrize(
    "path",
    [
        *(f"/next-runs?count={count}" for count in ("", "0", "101", "-1", "x", "1e2", "5.0")),
        "/next-runs?limit=5",
        "?fields=id",
        "?dry_run=true",
    ],
)
def test_reading_one_job_refuses_such_a_parameter(api: APIClient, team: Team, path: str) -> None:
    JobFactory.create(team=team, slug="report")
    parameter = path.partition("?")[2].partition("=")[0]
    assert list(faults(api.get(f"{JOBS}/report{path}"))) == [parameter]


def test_a_list_takes_the_same_queries_however_long_it_is(api: APIClient, team: Team) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{JOBS}?limit=100").status_code == 200
        return len(captured)

    JobFactory.create_batch(2, team=team)
    few = queries()
    JobFactory.create_batch(30, team=team)
    assert queries() == few <= 4


def test_a_list_shows_jobs_as_one_shows_them(api: APIClient, team: Team) -> None:
    job = JobFactory.create(team=team)
    (listed,) = api.get(JOBS).json()["results"]
    assert listed == api.get(f"{JOBS}/{job.pk}").json()
