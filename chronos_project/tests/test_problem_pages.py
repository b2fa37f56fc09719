"""The table of problems and its pages."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework import exceptions as drf
from rest_framework.settings import api_settings

from chronos_project import api_errors, problems
from chronos_project.problem_details import Failure
from chronos_project.problem_table import PROBLEMS, problem_of
from jobs import definitions

MADE_HERE = [
    api_errors.NOTHING_THERE,
    api_errors.TOO_LARGE,
    api_errors.SUSPICIOUS,
    api_errors.FORBIDDEN,
    api_errors.KEY_REUSED,
    api_errors.KEY_RUNNING,
    api_errors.REDRIVE_RUNNING,
    api_errors.unavailable("database"),
    api_errors.unavailable("broker"),
    problems.BAD_REQUEST,
    problems.OUR_FAULT,
    *problems.BY_STATUS.values(),
]


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_has_a_page_with_cause_example_and_fix(client: Client, code: str) -> None:
    answer = client.get(f"/problems/{code.removesuffix('.*')}")

    assert answer.status_code == 200
    for word in ("Cause", "Example", "What to do"):
        assert word in answer.content.decode()


def test_a_family_has_a_page_for_each_of_its_codes(client: Client) -> None:
    answer = client.get("/problems/schedule.cron_invalid")

    assert "schedule.cron_invalid" in answer.content.decode()


def test_the_overview_links_every_page(client: Client) -> None:
    text = client.get("/problems").content.decode()

    for code in PROBLEMS:
        assert f'href="/problems/{code.removesuffix(".*")}' in text


@pytest.mark.parametrize("code", ["nothing", "../admin", "<script>", "x" * 100, "", "%00"])
def test_there_is_no_page_for_what_is_no_problem(client: Client, code: str) -> None:
    assert client.get(f"/problems/x/{code}").status_code in {400, 404}
    assert client.get(f"/problems/{code or 'none'}").status_code in {400, 404}


def test_no_code_stands_in_two_rows() -> None:
    rows = {id(row): row for row in PROBLEMS.values()}.values()

    assert len(PROBLEMS) == sum(len(row.codes.split()) for row in rows)


@pytest.mark.parametrize("failure", MADE_HERE, ids=lambda failure: failure.code)
def test_what_is_answered_here_stands_in_the_table(failure: Failure) -> None:
    assert problem_of(failure.code)


@pytest.mark.parametrize(
    "sort",
    [
        sort
        for sort in vars(drf).values()
        if isinstance(sort, type) and issubclass(sort, drf.APIException)
    ],
)
def test_what_drf_raises_stands_in_the_table(sort: type[drf.APIException]) -> None:
    assert sort is drf.APIException or problem_of(str(sort.default_code))


@pytest.mark.parametrize("sort", definitions.DefinitionError.__subclasses__())
def test_what_jobs_refuse_stands_in_the_table(sort: type[definitions.DefinitionError]) -> None:
    assert problem_of(sort.code)


def test_the_table_is_in_use() -> None:
    assert api_settings.EXCEPTION_HANDLER is api_errors.handle
