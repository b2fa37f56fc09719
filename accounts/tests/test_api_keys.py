"""API keys: what they let a program do, and what they never let it do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import api_keys
from accounts.models import ApiKey, Membership, User
from accounts.roles import Role, Verb
from accounts.tests.calls import bearer, codes
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db

API = "/api/v1"
VIEW = [Verb.VIEW]


def membership(role: Role = Role.ADMIN, **fields: Any) -> Membership:
    """Somebody's membership in a team that is not their personal one."""
    made: Membership = MembershipFactory.create(role=role, **fields)
    return made


def made(own: Membership, scopes: list[Verb], **fields: Any) -> tuple[ApiKey, str]:
    usual = {"name": "ci", "expires_at": None, "now": timezone.now(), "grantable": list(Verb)}
    return api_keys.create(own, scopes=scopes, created_by=own.user, **usual | fields)


def program(raw: str) -> APIClient:
    return bearer(APIClient(), raw)


def signed_in(user: User, own: Membership | None = None) -> APIClient:
    client = APIClient(headers={"X-Chronos-Team": str(own.team_id)} if own else {})
    client.force_authenticate(user)
    return client


def test_a_key_acts_as_its_user_in_its_team() -> None:
    own = membership()
    key, raw = made(own, VIEW)

    me = program(raw).get(f"{API}/auth/me").json()
    listed = program(raw).get(f"{API}/teams").json()["results"]

    assert me["id"] == str(own.user_id)
    assert [team["id"] for team in listed] == [str(own.team_id)]
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_the_secret_is_nowhere_and_has_256_bits() -> None:
    key, raw = made(membership(), VIEW)

    assert raw.startswith(key.prefix)
    assert len(raw) - len(key.prefix) - api_keys.CHECK_LENGTH == 43
    assert raw[len(key.prefix) :] not in str(ApiKey.objects.values().get())


def test_its_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    _, raw = made(membership(), VIEW)
    now = timezone.now()

    api_keys.find(raw, now)
    with django_assert_num_queries(2):
        api_keys.find(raw, now + timedelta(seconds=59))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-1] + ("a" if raw[-1] != "a" else "b"),
        lambda raw: raw[:-10] + raw[-9:],
        lambda raw: raw + "a",
        lambda raw: raw.replace("chr_", "chr-"),
        lambda raw: raw.upper(),
        lambda raw: "chr_",
        lambda raw: "chr_" + "é" * 57,
        lambda raw: raw[:12] + api_keys._new_secret()[12:],
    ],
)
def test_what_is_not_the_key_is_a_401(spoil: Any) -> None:
    _, raw = made(membership(), VIEW)

    answer = APIClient(headers={"Authorization": f"Bearer {spoil(raw)}".encode()}).get(
        f"{API}/jobs"
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_a_secret_of_another_key_with_a_good_check_is_a_401() -> None:
    key, _ = made(membership(), VIEW)
    body = key.prefix[4:] + "a" * api_keys.SECRET_LENGTH

    answer = program("chr_" + body + api_keys._check(body)).get(f"{API}/jobs")

    assert answer.status_code == 401


@pytest.mark.parametrize("end", ["revoked", "over", "inactive", "removed"])
def test_a_key_that_is_good_no_more_is_a_401_at_once(end: str) -> None:
    own = membership()
    key, raw = made(own, VIEW, expires_at=timezone.now() + timedelta(days=1))
    assert program(raw).get(f"{API}/jobs").status_code == 200

    match end:
        case "revoked":
            api_keys.revoke(key, actor=own.user, now=timezone.now())
        case "over":
            ApiKey.objects.update(expires_at=timezone.now())
        case "inactive":
            User.objects.filter(pk=own.user_id).update(is_active=False)
        case "removed":
            Membership.objects.filter(pk=own.pk).delete()

    assert program(raw).get(f"{API}/jobs").status_code == 401


def test_a_scope_that_is_missing_is_named() -> None:
    _, raw = made(membership(), VIEW)

    answer = program(raw).post(f"{API}/jobs", {"name": "a"})

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_lowered_role_lowers_the_key() -> None:
    own = membership(Role.EDITOR)
    _, raw = made(own, [Verb.VIEW, Verb.EDIT])
    Membership.objects.filter(pk=own.pk).update(role=Role.VIEWER)

    answer = program(raw).post(f"{API}/jobs", {"name": "a"})

    assert (answer.status_code, answer.json()["code"]) == (403, "role_too_low")


def test_a_key_does_not_leave_its_team() -> None:
    own = membership()
    _, raw = made(own, list(Verb))
    personal = own.user.personal_team.pk

    other = APIClient(headers={"Authorization": f"Bearer {raw}", "X-Chronos-Team": str(personal)})

    assert other.get(f"{API}/jobs").status_code == 404
    assert program(raw).get(f"{API}/teams/{personal}").status_code == 404
    assert program(raw).post(f"{API}/teams", {"name": "mine"}).status_code == 404


# --- Over the API -----------------------------------------------------------------------------


def test_the_secret_is_told_once() -> None:
    own = membership()
    ann = signed_in(own.user, own)

    answer = ann.post(f"{API}/api-keys", {"name": "ci", "scopes": ["view", "operate"]})

    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert program(body["secret"]).get(f"{API}/jobs").status_code == 200
    shown = ann.get(answer["Location"]).json()
    assert shown == {name: value for name, value in body.items() if name != "secret"} | {
        "last_used_at": shown["last_used_at"]
    }


@pytest.mark.parametrize(
    ("role", "scopes"), [(Role.VIEWER, ["operate"]), (Role.EDITOR, ["view", "manage"])]
)
def test_nobody_hands_out_more_than_they_have(role: Role, scopes: list[str]) -> None:
    own = membership(role)

    answer = signed_in(own.user, own).post(f"{API}/api-keys", {"name": "ci", "scopes": scopes})

    assert (answer.status_code, codes(answer)) == (400, {"/scopes": "scope_too_wide"})
    assert not ApiKey.objects.exists()


def test_a_key_makes_no_wider_key() -> None:
    _, raw = made(membership(), [Verb.VIEW, Verb.OPERATE])

    wider = program(raw).post(f"{API}/api-keys", {"name": "b", "scopes": ["edit"]})
    same = program(raw).post(f"{API}/api-keys", {"name": "b", "scopes": ["operate"]})

    assert (wider.status_code, same.status_code) == (400, 201)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"scopes": []}, "/scopes", "empty"),
        ({"scopes": ["all"]}, "/scopes/0", "invalid_choice"),
        ({"scopes": "view"}, "/scopes", "not_a_list"),
        ({"name": ""}, "/name", "blank"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "instant_past"),
        ({"secret": "x"}, "/secret", "unknown_field"),
        ({"prefix": "x"}, "/prefix", "read_only_field"),
        ({"user": "0190a0b4-7d5e-7c4b-9d0f-6f1a2b3c4d5e"}, "/user", "user_unknown"),
    ],
)
def test_what_makes_no_key(body: dict[str, Any], pointer: str, code: str) -> None:
    own = membership()

    answer = signed_in(own.user, own).post(
        f"{API}/api-keys", {"name": "ci", "scopes": ["view"]} | body
    )

    assert (answer.status_code, codes(answer)) == (400, {pointer: code})


def test_only_admins_see_and_revoke_the_keys_of_others() -> None:
    own = membership(Role.EDITOR)
    boss = membership(Role.ADMIN, team=own.team)
    key, _ = made(own, VIEW)
    theirs, _ = made(boss, VIEW)
    editor, admin = signed_in(own.user, own), signed_in(boss.user, boss)

    assert [one["id"] for one in editor.get(f"{API}/api-keys").json()["results"]] == [str(key.pk)]
    assert admin.get(f"{API}/api-keys").json()["count"] == 2
    assert editor.delete(f"{API}/api-keys/{theirs.pk}").status_code == 404
    assert admin.delete(f"{API}/api-keys/{key.pk}").status_code == 204
    assert admin.get(f"{API}/api-keys/{key.pk}").status_code == 404


def test_a_key_for_a_service_account_is_an_admin_s_to_make() -> None:
    own = membership()
    boss = signed_in(own.user, own)
    where = f"{API}/teams/{own.team_id}/service-accounts"
    bot = boss.post(where, {"name": "deploy", "role": "editor"}).json()
    body = {"name": "ci", "scopes": ["view", "edit"], "user": bot["id"]}

    made_by_boss = boss.post(f"{API}/api-keys", body)
    editor = membership(Role.EDITOR, team=own.team)
    made_by_editor = signed_in(editor.user, editor).post(f"{API}/api-keys", body)

    assert (made_by_boss.status_code, made_by_editor.status_code) == (201, 400)
    raw = made_by_boss.json()["secret"]
    job = program(raw).post(f"{API}/jobs", {"name": "a", "kind": "noop"})
    assert job.status_code == 201
    assert boss.delete(f"{where}/{bot['id']}").status_code == 204
    assert program(raw).get(f"{API}/jobs").status_code == 401
    assert not User.objects.filter(pk=bot["id"]).exists()


def test_a_service_account_never_signs_in() -> None:
    own = membership()
    bot = User.objects.create_service(own.team, "deploy")

    answer = APIClient().post(f"{API}/auth/login", {"email": bot.email, "password": "x"})

    assert answer.status_code == 401
    assert not bot.has_usable_password()
    assert UserFactory.create().is_service is False
