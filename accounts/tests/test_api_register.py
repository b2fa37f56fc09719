"""Rules of ``/api/v1/auth/register``."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Membership, Team, User
from accounts.roles import Role
from accounts.tests.calls import ADA, AUTH, bearer, codes
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def test_registering_makes_a_user_with_a_team_of_their_own(api: APIClient) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"name": "Ada Lovelace"})

    assert answer.status_code == 201
    user = User.objects.get(email="ada@example.org")
    assert user.check_password(PASSWORD)
    assert Membership.objects.get(user=user).role == Role.ADMIN
    assert answer.json()["user"]["team"] == {
        "id": str(user.personal_team.pk),
        "name": "Ada Lovelace",
        "role": "admin",
    }


def test_registering_signs_in(api: APIClient) -> None:
    body = api.post(f"{AUTH}/register", ADA).json()

    assert set(body) == {"user", "access", "refresh", "token", "token_type", "expires_in"}
    assert body["token"] == body["access"]
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 300
    assert bearer(api, body["access"]).get(f"{AUTH}/me").status_code == 200


def test_an_answer_with_tokens_is_not_cached(api: APIClient) -> None:
    assert api.post(f"{AUTH}/register", ADA)["Cache-Control"] == "no-store"


def test_addresses_are_kept_in_lower_case(api: APIClient) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"email": "Ada@Example.ORG"})

    assert answer.json()["user"]["email"] == "ada@example.org"


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org"])
def test_an_address_belongs_to_one_user(api: APIClient, ada: User, email: str) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"email": email})

    assert answer.status_code == 400
    assert codes(answer) == {"/email": "email_taken"}
    assert User.objects.count() == 1


def test_a_long_address_is_enough_to_name_a_team(api: APIClient) -> None:
    domain = ".".join(["x" * 60] * 3)

    answer = api.post(f"{AUTH}/register", ADA | {"email": f"{'a' * 60}@{domain}.org"})

    assert answer.status_code == 201
    assert len(Team.objects.get().name) == 150


def test_nobody_registers_where_registration_is_closed(api: APIClient, settings: Any) -> None:
    settings.CHRONOS_REGISTRATION = "closed"

    answer = api.post(f"{AUTH}/register", ADA)

    assert answer.status_code == 403
    assert answer.json()["code"] == "registration_closed"
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short1!", "password_too_short"),
        ("password123", "password_too_common"),
        ("90718236451", "password_entirely_numeric"),
        ("ada@example.org", "password_too_similar"),
        ("", "blank"),
        ("x" * 257, "max_length"),
        (12345678901, "invalid"),
        (["correct horse battery staple"], "invalid"),
        (None, "null"),
    ],
)
def test_a_password_that_is_no_good_is_refused(api: APIClient, password: Any, code: str) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"password": password})

    assert answer.status_code == 400
    assert codes(answer) == {"/password": code}
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@example.org\n",
        " ada@example.org",
        "ada@exämple.org",
        "ad\u0430@example.org",
        "ada\u200b@example.org",
        "\u202eada@example.org",
        '"a\x1b[31m"@example.org',
        "a" * 255 + "@example.org",
        "ada@example.org,eve@example.org",
        ["ada@example.org"],
        {"email": "ada@example.org"},
        True,
        7,
        None,
    ],
)
def test_what_is_no_address_is_refused(api: APIClient, email: Any) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"email": email})

    assert answer.status_code == 400
    assert set(codes(answer)) == {"/email"}
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "{{7*7}}",
        "%s%n",
        "<script>alert(1)</script>",
        "Zoë",
        "Zoe\u0308",
        "a\u200bb",
        "' OR 1=1 --",
        "x" * 150,
        "",
    ],
)
def test_a_name_is_stored_exactly(api: APIClient, name: str) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"name": name})

    assert answer.json()["user"]["name"] == name
    assert User.objects.get().name == name


@pytest.mark.parametrize(
    "name",
    ["x" * 151, "a\nb", "a\rb", "\x1b[31mred", "ada\u202e", " ", " ada", 5, [], None],
)
def test_a_name_that_plays_tricks_is_refused(api: APIClient, name: Any) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {"name": name})

    assert answer.status_code == 400
    assert set(codes(answer)) == {"/name"}
    assert not User.objects.exists()


def test_all_faults_are_told_at_once(api: APIClient) -> None:
    answer = api.post(
        f"{AUTH}/register", {"email": "ada", "password": "123", "nmae": "Ada", "is_staff": True}
    )

    assert set(codes(answer)) == {"/email", "/password", "/nmae", "/is_staff"}
    assert answer.json()["code"] == "validation_failed"


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "is_active", "id", "team", "role"])
def test_nobody_registers_with_rights(api: APIClient, field: str) -> None:
    answer = api.post(f"{AUTH}/register", ADA | {field: True})

    assert codes(answer) == {f"/{field}": "unknown_field"}
    assert not User.objects.exists()
