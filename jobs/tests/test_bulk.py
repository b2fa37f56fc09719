"""A job that came with many others is the job that would have been created alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import models

from accounts.models import Team, User
from jobs import definitions
from jobs.bulk import Bulk
from jobs.models import Job, JobVersion, Limit, Schedule
from tests.factories import NOON

pytestmark = pytest.mark.django_db

BODIES: list[dict[str, Any]] = [
    {"name": "least"},
    {
        "name": "texts",
        "slug": "own",
        "description": "a\ttab, a \\ and\ntwo lines",
        "tags": ['"', ""],
    },
    {
        "name": "payload",
        "kind": "http",
        "payload": {"url": "https://example.org", "body": {"text": 'line\n"\\', "no": None}},
        "schedule": {"type": "cron", "cron": "0 9 * * *", "timezone": "Europe/Berlin"},
    },
    {"name": "paused", "status": "paused", "schedule": {"type": "interval", "every_seconds": 7}},
    {"name": "once", "schedule": {"type": "once"}},
    {
        "name": "policies",
        "schedule": {"type": "interval", "every_seconds": 60, "mode": "fixed_delay"},
        "retry": {"strategy": "ladder", "delays_seconds": [1, 2.5], "retry_on": ["timeout"]},
        "policy": {"limit": "mail", "concurrency": 3, "priority": "high", "catch_up_max": 9},
    },
]


def complete(body: dict[str, Any]) -> dict[str, Any]:
    from jobs.bodies import DEFAULTS, merged  # noqa: PLC0415  what a serializer does with a body

    return {name: value for name, value in merged(DEFAULTS, body).items() if name != "status"} | (
        {"status": body["status"]} if "status" in body else {}
    )


def columns(row: models.Model | None) -> dict[str, Any]:
    assert row is not None
    own = {"id", "job_id", "current_id", "slug", "updated_at", "team_id"}
    fields = [field.attname for field in row._meta.concrete_fields]
    return {name: getattr(row, name) for name in fields if name not in own}


def slugs_of(team: Team) -> list[str]:
    return sorted(Job.objects.filter(team=team).values_list("slug", flat=True))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["name"])
def test_every_column_is_what_it_would_be_alone(user: User, team: Team, body: Any) -> None:
    Limit.objects.create(team=team, name="mail", concurrency=1)
    alone = definitions.create(team, complete(body), actor=user, now=NOON)
    Job.objects.filter(pk=alone.pk).update(slug="another")

    refused = Bulk(team, actor=user).create([complete(body)], now=NOON)

    assert refused == {}
    alone.refresh_from_db()
    together = Job.objects.select_related("current", "schedule").exclude(pk=alone.pk).get()
    assert columns(together) == columns(alone)
    assert columns(together.current) == columns(JobVersion.objects.get(job=alone))
    assert columns(together.schedule) == columns(Schedule.objects.get(job=alone))
    assert together.team == team


def test_jobs_of_one_sort_keep_what_is_their_own(team: Team) -> None:
    shared = complete({"name": "x", "kind": "noop"})
    drafts = [shared | {"name": f"n {n}", "payload": {"n": n}} for n in range(3)]

    Bulk(team, actor=None).create(drafts, now=NOON)

    jobs = Job.objects.select_related("current").order_by("pk")
    assert [(job.name, job.slug) for job in jobs] == [(f"n {n}", f"n-{n}") for n in range(3)]
    assert [job.current and job.current.payload for job in jobs] == [{"n": n} for n in range(3)]


def test_a_slug_that_is_given_is_never_another_one(team: Team) -> None:
    definitions.create(team, complete({"name": "a", "slug": "taken"}), actor=None, now=NOON)
    drafts = [complete({"name": "b", "slug": slug}) for slug in ("taken", "new", "new")]

    refused = Bulk(team, actor=None).create(drafts, now=NOON)

    assert {place: exc.code for place, exc in refused.items()} == {0: "slug_taken", 2: "slug_taken"}
    assert slugs_of(team) == ["new", "taken"]


def test_slugs_that_are_made_are_numbered_over_batches(team: Team) -> None:
    definitions.create(team, complete({"name": "daily", "slug": "daily-3"}), actor=None, now=NOON)
    bulk = Bulk(team, actor=None)

    for _ in range(2):
        assert not bulk.create([complete({"name": "daily"})] * 2, now=NOON)

    assert slugs_of(team) == ["daily", "daily-2", "daily-3", "daily-4", "daily-5"]


def test_batches_that_are_not_stored_yet_have_their_slugs(team: Team) -> None:
    bulk = Bulk(team, actor=None)
    drafts = [complete({"name": "same"}), complete({"name": "x", "slug": "own"})]

    cast = [bulk.cast(drafts, now=NOON) for _ in range(3)]
    refused = [bulk.store(one, now=NOON) for one in reversed(cast)]

    assert [list(one) for one in refused] == [[1], [1], []]
    assert slugs_of(team) == ["own", "same", "same-2", "same-3"]


def test_when_a_slug_is_taken_meanwhile_the_others_are_created(team: Team) -> None:
    name = "a" * 80
    for slug in (name, f"{'a' * 78}-2"):  # which nobody who looks for the whole name will see
        definitions.create(team, complete({"name": "x", "slug": slug}), actor=None, now=NOON)

    refused = Bulk(team, actor=None).create(
        [complete({"name": "before"}), complete({"name": name}), complete({"name": "after"})],
        now=NOON,
    )

    assert {place: exc.code for place, exc in refused.items()} == {1: "slug_taken"}
    assert {"before", "after"} < {*slugs_of(team)}


def test_a_limit_that_is_gone_refuses_only_those_who_name_it(team: Team) -> None:
    drafts = [complete({"name": "a", "policy": {"limit": "gone"}}), complete({"name": "b"})]

    refused = Bulk(team, actor=None).create(drafts, now=NOON)

    assert {place: exc.code for place, exc in refused.items()} == {0: "limit_unknown"}
    assert slugs_of(team) == ["b"]


@pytest.mark.django_db(transaction=True)
def test_a_batch_rings_once(team: Team, rings: list[str]) -> None:
    Bulk(team, actor=None).create([complete({"name": name}) for name in "abc"], now=NOON)

    assert rings == ["ring"]
