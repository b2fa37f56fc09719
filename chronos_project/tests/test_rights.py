"""Who may do what: every address, every method, every role, on one's own objects and on others'.

An address that is not in ``CELLS`` fails here until it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import api_keys, teams
from accounts.models import Membership, Team, User
from accounts.roles import MATRIX, Role, Verb
from executions.models import Status
from jobs.models import Limit
from lib.ids import new_id
from tests.factories import (
    ExecutionFactory,
    JobFactory,
    MembershipFactory,
    QueueFactory,
    RedriveFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

VIEW, OPERATE, EDIT, MANAGE = Verb
ANYBODY, SIGNED_IN, STAFF = "anybody", "whoever is signed in", "operators of the platform"
CAUSE = "c" * 32

CELLS: dict[str, Verb | str] = {
    "GET api/v1": ANYBODY,
    "GET api/v1/info": ANYBODY,
    "GET api/v1/health": ANYBODY,
    "GET api/v1/health/live": ANYBODY,
    "GET api/v1/health/ready": ANYBODY,
    "POST api/v1/auth/register": ANYBODY,
    "POST api/v1/auth/login": ANYBODY,
    "POST api/v1/auth/refresh": ANYBODY,
    "POST api/v1/auth/logout": ANYBODY,
    "GET api/v1/auth/me": SIGNED_IN,
    "PATCH api/v1/auth/me": SIGNED_IN,
    "GET api/v1/teams": SIGNED_IN,
    "POST api/v1/teams": SIGNED_IN,
    "GET api/v1/teams/{team}": VIEW,
    "PATCH api/v1/teams/{team}": MANAGE,
    "DELETE api/v1/teams/{team}": MANAGE,
    "GET api/v1/teams/{team}/members": VIEW,
    "GET api/v1/teams/{team}/members/{user}": VIEW,
    "PATCH api/v1/teams/{team}/members/{user}": MANAGE,
    "DELETE api/v1/teams/{team}/members/{user}": MANAGE,
    "GET api/v1/teams/{team}/service-accounts": VIEW,
    "POST api/v1/teams/{team}/service-accounts": MANAGE,
    "GET api/v1/teams/{team}/service-accounts/{service}": VIEW,
    "DELETE api/v1/teams/{team}/service-accounts/{service}": MANAGE,
    "GET api/v1/teams/{team}/invitations": MANAGE,
    "POST api/v1/teams/{team}/invitations": MANAGE,
    "DELETE api/v1/teams/{team}/invitations/{invitation}": MANAGE,
    "POST api/v1/invitations/accept": SIGNED_IN,
    "GET api/v1/api-keys": VIEW,
    "POST api/v1/api-keys": VIEW,
    "GET api/v1/api-keys/{key}": VIEW,
    "DELETE api/v1/api-keys/{key}": VIEW,
    "GET api/v1/jobs": VIEW,
    "POST api/v1/jobs": EDIT,
    "GET api/v1/jobs/{job}": VIEW,
    "PUT api/v1/jobs/{job}": EDIT,
    "PATCH api/v1/jobs/{job}": EDIT,
    "DELETE api/v1/jobs/{job}": EDIT,
    "POST api/v1/jobs/{job}/restore": EDIT,
    "POST api/v1/jobs/{job}/pause": OPERATE,
    "POST api/v1/jobs/{job}/resume": OPERATE,
    "GET api/v1/jobs/{job}/next-runs": VIEW,
    "POST api/v1/jobs/{job}/execute": OPERATE,
    "GET api/v1/jobs/{job}/executions": VIEW,
    "POST api/v1/jobs/{job}/executions": OPERATE,
    "GET api/v1/jobs/{job}/explain": VIEW,
    "GET api/v1/limits": VIEW,
    "POST api/v1/limits": EDIT,
    "GET api/v1/limits/{limit}": VIEW,
    "PATCH api/v1/limits/{limit}": EDIT,
    "DELETE api/v1/limits/{limit}": EDIT,
    "POST api/v1/schedules/preview": VIEW,
    "GET api/v1/executions": VIEW,
    "GET api/v1/executions/{execution}": VIEW,
    "POST api/v1/executions/{execution}/cancel": OPERATE,
    "POST api/v1/executions/{execution}/retry": OPERATE,
    "GET api/v1/executions/{execution}/attempts": VIEW,
    "GET api/v1/executions/{execution}/events": VIEW,
    "GET api/v1/executions/{execution}/explain": VIEW,
    "GET api/v1/executions/{execution}/logs": VIEW,
    "GET api/v1/dead-letters": VIEW,
    "POST api/v1/dead-letters/{dead}/redrive": OPERATE,
    "POST api/v1/dead-letters/{dead}/resolve": OPERATE,
    "GET api/v1/failures": VIEW,
    "GET api/v1/failures/{cause}": VIEW,
    "POST api/v1/failures/{cause}/redrive": OPERATE,
    "POST api/v1/failures/{cause}/resolve": OPERATE,
    "GET api/v1/redrives/{redrive}": VIEW,
    "POST api/v1/redrives/{redrive}/stop": OPERATE,
    "GET api/v1/dashboard/stats": VIEW,
    "GET api/v1/queues": SIGNED_IN,
    "POST api/v1/queues": STAFF,
    "GET api/v1/queues/{queue}": SIGNED_IN,
    "PATCH api/v1/queues/{queue}": STAFF,
    "POST api/v1/queues/{queue}/pause": STAFF,
    "POST api/v1/queues/{queue}/resume": STAFF,
}

# What a part of a path is called in the table, where its own name does not say what it is.
PARTS = {
    "jobs/{id}": "jobs/{job}",
    "limits/{id}": "limits/{limit}",
    "executions/{id}": "executions/{execution}",
    "queues/{name}": "queues/{queue}",
    "dead-letters/{id}": "dead-letters/{dead}",
    "redrives/{id}": "redrives/{redrive}",
    "failures/{fingerprint}": "failures/{cause}",
    "api-keys/{id}": "api-keys/{key}",
    "invitations/{id}": "invitations/{invitation}",
    "service-accounts/{user}": "service-accounts/{service}",
}
METHODS = ("get", "post", "put", "patch", "delete")


def routes(
    patterns: list[URLPattern | URLResolver], before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        else:
            yield route, one


def plain(route: str) -> str:
    """Turn the regular expression of a route into a path with ``{names}``."""
    path = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)", r"{\1}", route.replace("^", ""))
    path = re.sub(r"/\?|\$|\\Z", "", path).rstrip("/")
    for known, name in PARTS.items():
        path = re.sub(rf"{re.escape(known)}(?=/|$)", name, path)
    return path


def methods(pattern: URLPattern) -> set[str]:
    callback: Any = pattern.callback
    if hasattr(callback, "actions"):
        return {method for method in callback.actions if method in METHODS}
    return {method for method in METHODS if hasattr(callback.cls, method)}


def found() -> set[str]:
    return {
        f"{method.upper()} {plain(route)}"
        for route, pattern in routes(get_resolver().url_patterns)
        if route.replace("^", "").startswith("api/v1")
        for method in methods(pattern)
    }


@dataclass(frozen=True, slots=True)
class World:
    """Somebody's team with one of everything."""

    team: Team
    member: Membership
    names: dict[str, Any]

    def url(self, cell: str) -> str:
        return "/" + cell.partition(" ")[2].format(**self.names)


def world(role: Role) -> World:
    own = MembershipFactory.create(role=role)
    team, user = own.team, own.user
    boss = MembershipFactory.create(team=team, role=Role.ADMIN)
    other = MembershipFactory.create(team=team, role=Role.VIEWER)
    job = JobFactory.create(team=team)
    dead = ExecutionFactory.create(job=job, status=Status.FAILED, fingerprint=CAUSE)
    now = timezone.now()
    service = teams.add_service(team, "bot", Role.VIEWER, actor=boss.user)
    offer, _ = teams.invite(team, "new@example.org", Role.VIEWER, actor=boss.user, now=now)
    key, _ = _key(own, [VIEW])
    return World(
        team,
        own,
        {
            "team": team.pk,
            "user": other.user_id,
            "service": service.user_id,
            "invitation": offer.pk,
            "key": key.pk,
            "job": job.pk,
            "limit": Limit.objects.create(team=team, name="mail", concurrency=1).pk,
            "execution": ExecutionFactory.create(job=job).pk,
            "dead": dead.pk,
            "cause": CAUSE,
            "redrive": RedriveFactory.create(team=team).pk,
            "queue": QueueFactory.create().name,
            "me": user.pk,
        },
    )


def _key(own: Membership, scopes: list[Verb]) -> Any:
    return api_keys.create(
        own,
        name="k",
        scopes=scopes,
        grantable=list(Verb),
        created_by=own.user,
        expires_at=None,
        now=timezone.now(),
    )


def signed_in(user: User, team: Team) -> APIClient:
    client = APIClient(headers={"X-Chronos-Team": str(team.pk)})
    client.force_authenticate(user)
    return client


def call(client: APIClient, cell: str, there: World) -> Any:
    method = getattr(client, cell.partition(" ")[0].lower())
    return method(there.url(cell), {} if method.__name__ != "get" else None)


RULED = {cell: verb for cell, verb in CELLS.items() if isinstance(verb, Verb)}


def test_every_address_is_in_the_table() -> None:
    assert found() == set(CELLS)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("cell", RULED)
def test_the_role_decides(cell: str, role: Role) -> None:
    there = world(role)

    answer = call(signed_in(there.member.user, there.team), cell, there)

    if RULED[cell] in MATRIX[role]:
        assert answer.status_code not in (401, 403, 404), answer.content
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "role_too_low")


@pytest.mark.parametrize("cell", RULED)
def test_an_api_key_does_what_its_scopes_say(cell: str) -> None:
    there = world(Role.ADMIN)
    without = [verb for verb in Verb if verb is not RULED[cell]]
    codes = []
    for scopes in (without, [RULED[cell]]):
        _, raw = _key(there.member, scopes)
        answer = call(APIClient(headers={"Authorization": f"Bearer {raw}"}), cell, there)
        codes.append(answer.json()["code"] if answer.status_code == 403 else answer.status_code)

    assert codes[0] == "scope_missing"
    assert codes[1] not in (401, 403, 404, "scope_missing")


@pytest.mark.parametrize("cell", [cell for cell in RULED if "{" in cell])
def test_what_is_another_team_s_is_not_there(cell: str) -> None:
    there, stranger = world(Role.ADMIN), MembershipFactory.create(role=Role.ADMIN)
    client = signed_in(stranger.user, stranger.team)

    foreign = call(client, cell, there)
    unknown = World(there.team, there.member, {name: new_id() for name in there.names})

    assert foreign.status_code == 404, foreign.content
    assert call(client, cell, unknown).json()["detail"] == foreign.json()["detail"]


@pytest.mark.parametrize("cell", [cell for cell, who in CELLS.items() if who != ANYBODY])
def test_nobody_does_nothing(cell: str) -> None:
    there = world(Role.ADMIN)

    answer = call(APIClient(), cell, there)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("cell", [cell for cell, who in CELLS.items() if who == SIGNED_IN])
def test_some_need_no_team(cell: str) -> None:
    there, user = world(Role.ADMIN), UserFactory.create()
    Membership.objects.filter(user=user).delete()
    client = APIClient()
    client.force_authenticate(user)

    assert call(client, cell, there).status_code in (200, 201, 400)


@pytest.mark.parametrize("cell", [cell for cell, who in CELLS.items() if who == STAFF])
def test_what_is_everybody_s_is_changed_by_operators_only(cell: str) -> None:
    there = world(Role.ADMIN)

    answer = call(signed_in(there.member.user, there.team), cell, there)

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
