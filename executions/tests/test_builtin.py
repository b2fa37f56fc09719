"""The built-in job is made once, on demand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Team
from executions import builtin
from jobs.definitions import SlugTakenError
from jobs.models import Job
from tests.factories import NOON, JobFactory, TeamFactory


@pytest.mark.django_db
def test_the_second_call_finds_what_the_first_one_made() -> None:
    team = TeamFactory.create()

    first = builtin.noop_job(team, now=NOON)

    assert builtin.noop_job(team, now=NOON) == first
    assert (first.slug, first.kind) == ("noop", "noop")


@pytest.mark.django_db
def test_a_job_of_another_kind_under_this_name_is_left_alone() -> None:
    taken = JobFactory.create(slug="noop", kind="python")

    with pytest.raises(SlugTakenError):
        builtin.noop_job(taken.team, now=NOON)


@pytest.mark.django_db
def test_an_archived_one_is_replaced() -> None:
    archived = JobFactory.create(slug="noop", archived_at=NOON)

    assert builtin.noop_job(archived.team, now=NOON) != archived


@pytest.mark.django_db(transaction=True)
def test_many_first_calls_at_once_make_one_team_and_one_job() -> None:
    together = Barrier(4)

    def call(_: int) -> UUID:
        try:
            together.wait(timeout=10)
            return builtin.noop_job(builtin.anonymous_team(), now=NOON).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(call, range(4)))

    assert found == {Job.objects.get().pk}
    assert Team.objects.filter(name="anonymous").count() == 1
