"""Limits over the API: what they take, who may do what, and when they may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accounts.models import Team
from jobs import bodies, definitions, limits
from jobs.models import Job, Limit
from jobs.tests.calls import JOBS, client_of, create
from jobs.tests.refusals import faults
from tests.factories import NOON, TeamFactory, UserFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import User

pytestmark = pytest.mark.django_db

LIMITS = "/api/v1/limits"
PARTNER: dict[str, Any] = {
    "name": "partner-api",
    "by": "customer",
    "concurrency": 3,
    "rate": 10,
    "per_seconds": 60,
}


def add(api: APIClient, **body: Any) -> dict[str, Any]:
    answer = api.post(LIMITS, {"name": "partner-api", "concurrency": 1} | body)
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def test_a_limit_is_made_shown_and_listed(api: APIClient) -> None:
    made = api.post(LIMITS, PARTNER)

    body = made.json()
    assert made.status_code == 201
    assert made["Location"].endswith(f"/api/v1/limits/{body['id']}")
    assert {name: body[name] for name in PARTNER} == PARTNER
    for key in (body["id"], "partner-api"):
        assert api.get(f"{LIMITS}/{key}").json() == body
    assert api.get(LIMITS).json()["results"] == [body]


def test_what_a_limit_leaves_open_does_not_limit(api: APIClient) -> None:
    body = add(api, name="two", concurrency=2)

    assert (body["by"], body["rate"], body["per_seconds"]) == ("", None, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x"}, {"/concurrency": "limit.empty"}),
        ({"name": "x", "rate": 5}, {"/per_seconds": "limit.rate_incomplete"}),
        ({"name": "x", "per_seconds": 5}, {"/rate": "limit.rate_incomplete"}),
        ({"name": "x", "concurrency": 1, "per_seconds": 5}, {"/rate": "limit.rate_incomplete"}),
        ({"name": "x", "rate": 5, "per_seconds": 0}, {"/per_seconds": "min_value"}),
        ({"name": "x", "rate": 5, "per_seconds": -1}, {"/per_seconds": "min_value"}),
        ({"name": "x", "rate": 5, "per_seconds": "60"}, {"/per_seconds": "invalid"}),
        ({"name": "x", "rate": 5, "per_seconds": 1e308}, {"/per_seconds": "max_value"}),
        ({"name": "x", "rate": 0, "per_seconds": 5}, {"/rate": "min_value"}),
        ({"name": "x", "rate": 1.5, "per_seconds": 5}, {"/rate": "invalid"}),
        ({"name": "x", "concurrency": 0}, {"/concurrency": "min_value"}),
        ({"name": "x", "concurrency": True}, {"/concurrency": "invalid"}),
        ({"name": "x", "concurrency": 2**62}, {"/concurrency": "max_value"}),
        ({"concurrency": 1}, {"/name": "required"}),
        ({"name": "Partner API", "concurrency": 1}, {"/name": "limit.name_invalid"}),
        ({"name": "x" * 65, "concurrency": 1}, {"/name": "max_length"}),
        ({"name": "01a1feb9-6943-7180-84bc-b6e737f17487", "concurrency": 1},
         {"/name": "limit.name_invalid"}),
        ({"name": "x", "concurrency": 1, "by": 5}, {"/by": "invalid"}),
        ({"name": "x", "concurrency": 1, "by": "a\nb"}, {"/by": "control_characters"}),
        ({"name": "x", "concurrency": 1, "size": 5}, {"/size": "unknown_field"}),
        ({"name": "x", "concurrency": 1, "id": "5"}, {"/id": "read_only_field"}),
    ],
)  # fmt: skip
def test_a_limit_without_sense_is_refused(
    api: APIClient, body: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(api.post(LIMITS, body)) == expected
    assert not Limit.objects.exists()


def test_a_change_is_laid_over_the_limit(api: APIClient, rings: list[str]) -> None:
    add(api, **PARTNER)

    answer = api.patch(f"{LIMITS}/partner-api", {"rate": None, "per_seconds": None, "by": ""})
    assert answer.json() | {"concurrency": 3, "rate": None, "by": ""} == answer.json()

    answer = api.patch(f"{LIMITS}/partner-api", {"concurrency": None})
    assert faults(answer) == {"/concurrency": "limit.empty"}


def test_a_limit_with_more_room_wakes_who_waits(
    api: APIClient, rings: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    add(api)
    with django_capture_on_commit_callbacks(execute=True):
        api.patch(f"{LIMITS}/partner-api", {"concurrency": 5})
    assert rings


def test_a_dry_run_changes_nothing(api: APIClient) -> None:
    assert api.post(f"{LIMITS}?dry_run=true", PARTNER).status_code == 200
    assert not Limit.objects.exists()

    add(api)
    assert api.patch(f"{LIMITS}/partner-api?dry_run=true", {"concurrency": 9}).status_code == 200
    assert api.delete(f"{LIMITS}/partner-api?dry_run=true").status_code == 204
    assert api.get(f"{LIMITS}/partner-api").json()["concurrency"] == 1


def test_a_name_is_there_once_in_a_team(api: APIClient) -> None:
    add(api)
    add(api, name="other")

    for answer in (
        api.post(LIMITS, {"name": "partner-api", "concurrency": 1}),
        api.patch(f"{LIMITS}/other", {"name": "partner-api"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "limit_taken")
    assert sorted(Limit.objects.values_list("name", flat=True)) == ["other", "partner-api"]


def test_a_limit_stays_while_a_kept_job_names_it(api: APIClient) -> None:
    add(api)
    create(api, policy={"limit": "partner-api"})

    answer = api.delete(f"{LIMITS}/partner-api")
    assert (answer.status_code, answer.json()["code"]) == (409, "limit_in_use")
    assert "report" in answer.json()["detail"]

    api.patch(f"{JOBS}/report", {"policy": {"limit": None}})
    assert api.delete(f"{LIMITS}/partner-api").status_code == 204
    assert api.get(f"{LIMITS}/partner-api").status_code == 404
    assert api.get(LIMITS).json()["count"] == 0
    assert Job.objects.get().versions.exclude(limit=None).count() == 1, "history names it still"
    add(api)


def test_a_job_that_is_restored_keeps_its_limit_until_it_is_changed(api: APIClient) -> None:
    add(api)
    job = create(api, policy={"limit": "partner-api"})
    api.delete(f"{JOBS}/report")
    assert api.delete(f"{LIMITS}/partner-api").status_code == 204
    api.post(f"{JOBS}/{job['id']}/restore")

    answer = api.patch(f"{JOBS}/report", {"policy": {"priority": "high"}})
    assert answer.json()["policy"]["limit"] == "partner-api"
    api.patch(f"{JOBS}/report", {"policy": {"limit": None}})
    answer = api.patch(f"{JOBS}/report", {"policy": {"limit": "partner-api"}})
    assert faults(answer) == {"/policy/limit": "limit_unknown"}


def test_a_limit_of_another_team_is_not_there(api: APIClient) -> None:
    foreign = limits.create(
        TeamFactory.create(), {"name": "theirs", "concurrency": 1}, actor=None, now=NOON
    )

    for key in (foreign.pk, "theirs", "01a1feb9-6943-7180-84bc-b6e737f17487", "No such", "%00"):
        for call in (api.get, api.delete, api.patch):
            assert call(f"{LIMITS}/{key}").status_code in ({404, 400} if key == "%00" else {404})
    assert api.get(LIMITS).json()["count"] == 0
    answer = api.post(JOBS, {"name": "Report", "policy": {"limit": "theirs"}})
    assert faults(answer) == {"/policy/limit": "limit_unknown"}


def test_an_unknown_limit_is_refused_with_the_known_ones(api: APIClient) -> None:
    add(api)

    answer = api.post(JOBS, {"name": "Report", "policy": {"limit": "partner"}})

    assert faults(answer) == {"/policy/limit": "limit_unknown"}
    assert answer.json()["errors"][0]["allowed"] == ["partner-api"]


def test_a_limit_by_a_field_that_the_payload_cannot_have_is_refused(api: APIClient) -> None:
    add(api, by="customer")
    http = {"kind": "http", "payload": {"url": "https://example.org"}}

    answer = api.post(JOBS, {"name": "Report", "policy": {"limit": "partner-api"}} | http)
    assert faults(answer) == {"/policy/limit": "limit.key_unknown"}
    create(api, policy={"limit": "partner-api"})  # a noop takes any payload


def test_a_limit_that_went_meanwhile_is_not_named(api: APIClient, team: Team) -> None:
    body = {"name": "Report", "policy": {**bodies.DEFAULTS["policy"], "limit": "gone"}}

    with pytest.raises(definitions.LimitUnknownError):
        definitions.create(team, body, actor=None, now=NOON)


@pytest.mark.parametrize(("role", "may_edit"), [("viewer", False), ("operator", False),
                                                ("editor", True), ("admin", True)])  # fmt: skip
def test_who_may_edit_jobs_may_edit_limits(
    user: User, rings: list[str], role: str, may_edit: bool
) -> None:
    api = client_of(user, role)
    answer = api.post(LIMITS, PARTNER)
    assert answer.status_code == (201 if may_edit else 403)
    assert api.get(LIMITS).status_code == 200
    limit = limits.create(
        Team.objects.get(personal_of=user), {"name": "x", "concurrency": 1}, actor=None, now=NOON
    )
    answer = api.patch(f"{LIMITS}/{limit.pk}", {"concurrency": 2})
    assert answer.status_code == (200 if may_edit else 403)
    assert api.delete(f"{LIMITS}/{limit.pk}").status_code == (204 if may_edit else 403)


def test_nobody_in_particular_sees_no_limits(client: Any) -> None:
    UserFactory.create()
    assert client.get(LIMITS).status_code == 401
