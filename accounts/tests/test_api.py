"""Rules of the endpoints below ``/api/v1/auth``."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Membership, Team, TokenFamily, User
from accounts.roles import Role
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

AUTH = "/api/v1/auth"
ADA = {"email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def user() -> User:
    return UserFactory.create(email="ada@example.org", name="Ada")


@pytest.fixture
def pair(user: User) -> tokens.Pair:
    return tokens.sign_in(user, timezone.now())


def bearer(client: APIClient, token: str) -> APIClient:
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def codes(answer: Any) -> dict[str, str]:
    """Return the code of each fault by its pointer."""
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}


# --- Register ---------------------------------------------------------------------------------


def test_registering_makes_a_user_with_a_team_of_their_own(client: APIClient) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"name": "Ada Lovelace"})

    assert answer.status_code == 201
    ada = User.objects.get(email="ada@example.org")
    assert ada.check_password(PASSWORD)
    assert Membership.objects.get(user=ada).role == Role.ADMIN
    assert answer.json()["user"]["team"] == {
        "id": str(ada.personal_team.pk),
        "name": "Ada Lovelace",
        "role": "admin",
    }


def test_registering_signs_in(client: APIClient) -> None:
    body = client.post(f"{AUTH}/register", ADA).json()

    assert set(body) == {"user", "access", "refresh", "token", "token_type", "expires_in"}
    assert body["token"] == body["access"]
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 300
    assert bearer(client, body["access"]).get(f"{AUTH}/me").status_code == 200


def test_an_answer_with_tokens_is_not_cached(client: APIClient) -> None:
    assert client.post(f"{AUTH}/register", ADA)["Cache-Control"] == "no-store"


def test_addresses_are_kept_in_lower_case(client: APIClient) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"email": "Ada@Example.ORG"})

    assert answer.json()["user"]["email"] == "ada@example.org"


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@example.org"])
def test_an_address_belongs_to_one_user(client: APIClient, user: User, email: str) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"email": email})

    assert answer.status_code == 400
    assert codes(answer) == {"/email": "email_taken"}
    assert User.objects.count() == 1


def test_a_long_address_is_enough_to_name_a_team(client: APIClient) -> None:
    domain = ".".join(["x" * 60] * 3)

    answer = client.post(f"{AUTH}/register", ADA | {"email": f"{'a' * 60}@{domain}.org"})

    assert answer.status_code == 201
    assert len(Team.objects.get().name) == 150


def test_nobody_registers_where_registration_is_closed(client: APIClient, settings: Any) -> None:
    settings.CHRONOS_REGISTRATION = "closed"

    answer = client.post(f"{AUTH}/register", ADA)

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
def test_a_password_that_is_no_good_is_refused(client: APIClient, password: Any, code: str) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"password": password})

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
def test_what_is_no_address_is_refused(client: APIClient, email: Any) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"email": email})

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
def test_a_name_is_stored_exactly(client: APIClient, name: str) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"name": name})

    assert answer.json()["user"]["name"] == name
    assert User.objects.get().name == name


@pytest.mark.parametrize(
    "name",
    ["x" * 151, "a\nb", "a\rb", "\x1b[31mred", "ada\u202e", " ", " ada", 5, [], None],
)
def test_a_name_that_plays_tricks_is_refused(client: APIClient, name: Any) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {"name": name})

    assert answer.status_code == 400
    assert set(codes(answer)) == {"/name"}
    assert not User.objects.exists()


def test_all_faults_are_told_at_once(client: APIClient) -> None:
    answer = client.post(
        f"{AUTH}/register", {"email": "ada", "password": "123", "nmae": "Ada", "is_staff": True}
    )

    assert set(codes(answer)) == {"/email", "/password", "/nmae", "/is_staff"}
    assert answer.json()["code"] == "validation_failed"


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "is_active", "id", "team", "role"])
def test_nobody_registers_with_rights(client: APIClient, field: str) -> None:
    answer = client.post(f"{AUTH}/register", ADA | {field: True})

    assert codes(answer) == {f"/{field}": "unknown_field"}
    assert not User.objects.exists()


# --- Log in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@Example.org"])
def test_logging_in_gives_tokens(client: APIClient, user: User, email: str) -> None:
    answer = client.post(f"{AUTH}/login", {"email": email, "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(user.pk)
    assert bearer(client, answer.json()["access"]).get(f"{AUTH}/me").status_code == 200


def test_logging_in_is_remembered(client: APIClient, user: User) -> None:
    client.post(f"{AUTH}/login", ADA)

    user.refresh_from_db()
    assert user.last_login is not None


def test_an_unknown_user_and_a_wrong_password_look_alike(client: APIClient, user: User) -> None:
    wrong = client.post(f"{AUTH}/login", ADA | {"password": "wrong"})
    unknown = client.post(f"{AUTH}/login", ADA | {"email": "eve@example.org"})
    user.is_active = False
    user.save()
    inactive = client.post(f"{AUTH}/login", ADA)

    assert {wrong.status_code, unknown.status_code, inactive.status_code} == {401}
    bodies = [answer.json() | {"request_id": ""} for answer in (wrong, unknown, inactive)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert wrong["WWW-Authenticate"] == "Bearer"


def test_an_unknown_user_costs_a_hash_as_well(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def encode(_: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return f"md5${salt}$"

    monkeypatch.setattr("django.contrib.auth.hashers.MD5PasswordHasher.encode", encode)

    client.post(f"{AUTH}/login", {"email": "eve@example.org", "password": "guess"})

    assert hashed == ["guess"]


def test_a_token_that_is_no_longer_good_does_not_keep_one_out(
    client: APIClient, pair: tokens.Pair
) -> None:
    tokens.sign_out(tokens.family_of_refresh(pair.refresh), timezone.now())

    assert bearer(client, pair.access).post(f"{AUTH}/login", ADA).status_code == 200


# --- Refresh ----------------------------------------------------------------------------------


def test_refreshing_gives_the_next_pair(client: APIClient, pair: tokens.Pair) -> None:
    body = client.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).json()

    assert body["refresh"] != pair.refresh
    assert bearer(client, body["token"]).get(f"{AUTH}/me").status_code == 200


def test_refreshing_twice_with_one_token_signs_out(client: APIClient, pair: tokens.Pair) -> None:
    access = client.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).json()["access"]

    assert client.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).status_code == 401
    assert bearer(client, access).get(f"{AUTH}/me").status_code == 401


@pytest.mark.parametrize("raw", ["x", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_refresh_token_is_a_401(client: APIClient, raw: str) -> None:
    answer = client.post(f"{AUTH}/refresh", {"refresh": raw})

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


@pytest.mark.parametrize("raw", ["", None, 7, [], {}, "x" * 4097])
def test_a_refresh_of_the_wrong_sort_is_a_400(client: APIClient, raw: Any) -> None:
    answer = client.post(f"{AUTH}/refresh", {"refresh": raw})

    assert answer.status_code == 400
    assert set(codes(answer)) == {"/refresh"}


# --- Log out ----------------------------------------------------------------------------------


def test_logging_out_ends_the_bearers_sign_in(client: APIClient, pair: tokens.Pair) -> None:
    assert bearer(client, pair.access).post(f"{AUTH}/logout").status_code == 204

    assert client.get(f"{AUTH}/me").status_code == 401
    assert client.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).status_code == 401


def test_logging_out_with_a_refresh_token_needs_no_bearer(
    client: APIClient, pair: tokens.Pair
) -> None:
    assert client.post(f"{AUTH}/logout", {"refresh": pair.refresh}).status_code == 204

    assert bearer(client, pair.access).get(f"{AUTH}/me").status_code == 401


def test_logging_out_needs_to_know_who(client: APIClient, pair: tokens.Pair) -> None:
    assert client.post(f"{AUTH}/logout").status_code == 401
    assert client.post(f"{AUTH}/logout", {"refresh": pair.access}).status_code == 401
    assert TokenFamily.objects.live(timezone.now()).count() == 1


# --- Me ---------------------------------------------------------------------------------------


def test_me_is_who_is_signed_in(client: APIClient, user: User, pair: tokens.Pair) -> None:
    body = bearer(client, pair.access).get(f"{AUTH}/me").json()

    assert body["id"] == str(user.pk)
    assert set(body) == {"id", "email", "name", "team", "created_at"}


def test_one_may_change_ones_name(client: APIClient, user: User, pair: tokens.Pair) -> None:
    answer = bearer(client, pair.access).patch(f"{AUTH}/me", {"name": "Countess"})

    assert answer.json()["name"] == "Countess"
    user.refresh_from_db()
    assert user.name == "Countess"


def test_changing_nothing_changes_nothing(client: APIClient, user: User, pair: tokens.Pair) -> None:
    assert bearer(client, pair.access).patch(f"{AUTH}/me", {}).json()["name"] == "Ada"


@pytest.mark.parametrize(
    "field", ["email", "password", "is_staff", "is_superuser", "role", "team", "id", "created_at"]
)
def test_nobody_promotes_themselves(
    client: APIClient, user: User, pair: tokens.Pair, field: str
) -> None:
    answer = bearer(client, pair.access).patch(f"{AUTH}/me", {"name": "Eve", field: "admin"})

    assert codes(answer) == {f"/{field}": "unknown_field"}
    user.refresh_from_db()
    assert user.name == "Ada"
    assert not user.is_staff


def test_me_is_not_for_anybody(client: APIClient) -> None:
    answer = client.get(f"{AUTH}/me")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_needs_the_cross_site_proof(user: User) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.login(username=user.email, password=PASSWORD)

    answer = browser.patch(f"{AUTH}/me", {"name": "Eve"})

    assert browser.get(f"{AUTH}/me").status_code == 200
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout", "me"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_is_good_with_and_without_a_slash(
    client: APIClient, path: str, slash: str
) -> None:
    assert client.options(f"{AUTH}/{path}{slash}").status_code in {200, 401}


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout", "me"])
def test_an_unknown_parameter_is_refused(client: APIClient, pair: tokens.Pair, path: str) -> None:
    method = client.get if path == "me" else client.post
    bearer(client, pair.access)

    answer = method(f"{AUTH}/{path}?colour=red")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "colour"
