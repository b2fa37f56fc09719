"""A job by its id or slug, as the ORM would find it, in one statement."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms.models import model_to_dict

from jobs import by_key
from jobs.models import Job, Limit
from lib.ids import new_id
from tests.factories import NOON, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db


def test_it_finds_what_the_orm_finds_in_one_statement(django_assert_num_queries: Any) -> None:
    team = TeamFactory.create()
    limit = Limit.objects.create(team=team, name="mail", concurrency=1)
    made = JobFactory.create(
        team=team,
        slug="daily",
        tags=["a", "b"],
        version__limit=limit,
        version__payload={"a": [1]},
        version__retry_delays=[1.5],
    )

    with django_assert_num_queries(2):
        found = [by_key.find(team, key) for key in (str(made.pk), "daily")]
        assert [job and job.current and job.current.limit for job in found] == [limit, limit]

    row = Job.objects.get()
    for job in found:
        assert job
        assert job.current
        assert row.current
        assert model_to_dict(job) == model_to_dict(row)
        assert model_to_dict(job.current) == model_to_dict(row.current)


def test_a_version_without_a_limit_has_none() -> None:
    made = JobFactory.create()

    found = by_key.find(made.team, str(made.pk))

    assert found
    assert found.current
    assert (found.current.limit, found.current.job) == (None, made)


def test_others_are_not_found() -> None:
    team, foreign = TeamFactory.create(), JobFactory.create()
    archived = JobFactory.create(team=team, archived_at=NOON)

    for key in (str(foreign.pk), foreign.slug, archived.slug, str(new_id()), "", "é", "%s"):
        assert by_key.find(team, key) is None
    assert by_key.find(team, str(archived.pk)) == archived
