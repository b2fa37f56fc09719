"""What people see of the API: pages with forms, and the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from jobs.api import urls
from jobs.tests.calls import JOBS
from tests.factories import JobFactory

if TYPE_CHECKING:
    from accounts.models import Team, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(user: User) -> APIClient:
    client = APIClient(headers={"Accept": "text/html"})
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    "path", ["", "/?search=report&ordering=-name", "/report", "/report/next-runs"]
)
def test_a_person_gets_a_page(person: APIClient, team: Team, path: str) -> None:
    JobFactory.create(team=team, slug="report", name="<script>alert(1)</script>")
    page = person.get(JOBS + path)
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assert b"<script>alert(1)" not in page.content


@pytest.mark.parametrize("path", ["/report/pause", "/report/resume", "/report/restore"])
def test_a_page_for_a_verb_has_its_form(person: APIClient, team: Team, path: str) -> None:
    JobFactory.create(team=team, slug="report")
    page = person.get(JOBS + path)
    assert page.status_code == 405
    assert b"<textarea" in page.content


def test_the_form_of_a_job_holds_what_may_be_sent_back(person: APIClient, team: Team) -> None:
    JobFactory.create(team=team, slug="report", name="Report")
    page = person.get(f"{JOBS}/report").content.decode()
    form = page.partition("<textarea")[2].partition("</textarea>")[0]
    assert "&quot;name&quot;: &quot;Report&quot;" in form
    assert "next_run_at" not in form


def test_a_person_creates_a_job_on_the_page(person: APIClient) -> None:
    page = person.post(JOBS, {"name": "Report"})
    assert page.status_code == 201
    assert page["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("body", [{"name": ""}, {"schedule": {"type": "cron"}}, []])
def test_a_fault_is_shown_on_the_page(person: APIClient, team: Team, body: Any) -> None:
    JobFactory.create(team=team, slug="report")
    for page in (person.post(JOBS, body), person.put(f"{JOBS}/report", body)):
        assert page.status_code == 400
        assert page["Content-Type"].startswith("text/html")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    GENERATOR_STATS.reset()
    generator = SchemaGenerator(patterns=urls.urlpatterns)  # type: ignore[no-untyped-call]
    document = generator.get_schema(public=True)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    return dict(document)


def operation(schema: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found = next(item for at, item in schema["paths"].items() if at.strip("/") == path)
    return dict(found[method])


def test_the_documentation_is_made_without_a_warning(schema: dict[str, Any]) -> None:
    assert {path.strip("/") for path in schema["paths"]} == {
        "jobs", "jobs/{id}", "jobs/{id}/restore", "jobs/{id}/pause", "jobs/{id}/resume",
        "jobs/{id}/next-runs", "schedules/preview", "limits", "limits/{id}",
    }  # fmt: skip


def test_the_documentation_shows_all_three_spellings(schema: dict[str, Any]) -> None:
    create = operation(schema, "jobs", "post")
    examples = create["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == 3
    assert {"200", "201"} <= set(create["responses"])


def test_the_documented_examples_are_accepted(api: APIClient, schema: dict[str, Any]) -> None:
    for path in ("jobs", "schedules/preview"):
        content = operation(schema, path, "post")["requestBody"]["content"]
        for example in content["application/json"]["examples"].values():
            answer = api.post(f"/api/v1/{path}", example["value"])
            assert answer.status_code in (200, 201), answer.json()


def test_the_documentation_knows_the_parameters_of_a_list(schema: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in operation(schema, "jobs", "get")["parameters"]}
    assert names == {
        "page", "limit", "status", "kind", "tag", "queue", "search", "created_after", "ordering",
    }  # fmt: skip
