"""Rules of signing in, staying signed in, signing out, and one's own profile."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import TokenFamily, User
from accounts.tests.calls import ADA, AUTH, bearer, codes
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


# --- Log in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@Example.org"])
def test_logging_in_gives_tokens(api: APIClient, ada: User, email: str) -> None:
    answer = api.post(f"{AUTH}/login", {"email": email, "password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == str(ada.pk)
    assert bearer(api, answer.json()["access"]).get(f"{AUTH}/me").status_code == 200


def test_logging_in_is_remembered(api: APIClient, ada: User) -> None:
    api.post(f"{AUTH}/login", ADA)

    ada.refresh_from_db()
    assert ada.last_login is not None


def test_an_unknown_user_and_a_wrong_password_look_alike(api: APIClient, ada: User) -> None:
    wrong = api.post(f"{AUTH}/login", ADA | {"password": "wrong"})
    unknown = api.post(f"{AUTH}/login", ADA | {"email": "eve@example.org"})
    ada.is_active = False
    ada.save()
    inactive = api.post(f"{AUTH}/login", ADA)

    assert {wrong.status_code, unknown.status_code, inactive.status_code} == {401}
    bodies = [answer.json() | {"request_id": ""} for answer in (wrong, unknown, inactive)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert wrong["WWW-Authenticate"] == "Bearer"


def test_an_unknown_user_costs_a_hash_as_well(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def encode(_: Any, password: str, salt: str) -> str:
        hashed.append(password)
        return f"md5${salt}$"

    monkeypatch.setattr("django.contrib.auth.hashers.MD5PasswordHasher.encode", encode)

    api.post(f"{AUTH}/login", {"email": "eve@example.org", "password": "guess"})

    assert hashed == ["guess"]


def test_a_token_that_is_no_longer_good_does_not_keep_one_out(
    api: APIClient, pair: tokens.Pair
) -> None:
    tokens.sign_out(tokens.family_of_refresh(pair.refresh), timezone.now())

    assert bearer(api, pair.access).post(f"{AUTH}/login", ADA).status_code == 200


# --- Refresh ----------------------------------------------------------------------------------


def test_refreshing_gives_the_next_pair(api: APIClient, pair: tokens.Pair) -> None:
    body = api.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).json()

    assert body["refresh"] != pair.refresh
    assert bearer(api, body["token"]).get(f"{AUTH}/me").status_code == 200


def test_refreshing_twice_with_one_token_signs_out(api: APIClient, pair: tokens.Pair) -> None:
    access = api.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).json()["access"]

    assert api.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).status_code == 401
    assert bearer(api, access).get(f"{AUTH}/me").status_code == 401


@pytest.mark.parametrize("raw", ["x", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_refresh_token_is_a_401(api: APIClient, raw: str) -> None:
    answer = api.post(f"{AUTH}/refresh", {"refresh": raw})

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


@pytest.mark.parametrize("raw", ["", None, 7, [], {}, "x" * 4097])
def test_a_refresh_of_the_wrong_sort_is_a_400(api: APIClient, raw: Any) -> None:
    answer = api.post(f"{AUTH}/refresh", {"refresh": raw})

    assert answer.status_code == 400
    assert set(codes(answer)) == {"/refresh"}


# --- Log out ----------------------------------------------------------------------------------


def test_logging_out_ends_the_bearers_sign_in(api: APIClient, pair: tokens.Pair) -> None:
    assert bearer(api, pair.access).post(f"{AUTH}/logout").status_code == 204

    assert api.get(f"{AUTH}/me").status_code == 401
    assert api.post(f"{AUTH}/refresh", {"refresh": pair.refresh}).status_code == 401


def test_logging_out_with_a_refresh_token_needs_no_bearer(
    api: APIClient, pair: tokens.Pair
) -> None:
    assert api.post(f"{AUTH}/logout", {"refresh": pair.refresh}).status_code == 204

    assert bearer(api, pair.access).get(f"{AUTH}/me").status_code == 401


def test_logging_out_needs_to_know_who(api: APIClient, pair: tokens.Pair) -> None:
    assert api.post(f"{AUTH}/logout").status_code == 401
    assert api.post(f"{AUTH}/logout", {"refresh": pair.access}).status_code == 401
    assert TokenFamily.objects.live(timezone.now()).count() == 1


# --- Me ---------------------------------------------------------------------------------------


def test_me_is_who_is_signed_in(api: APIClient, ada: User, pair: tokens.Pair) -> None:
    body = bearer(api, pair.access).get(f"{AUTH}/me").json()

    assert body["id"] == str(ada.pk)
    assert set(body) == {"id", "email", "name", "team", "created_at"}


def test_one_may_change_ones_name(api: APIClient, ada: User, pair: tokens.Pair) -> None:
    answer = bearer(api, pair.access).patch(f"{AUTH}/me", {"name": "Countess"})

    assert answer.json()["name"] == "Countess"
    ada.refresh_from_db()
    assert ada.name == "Countess"


def test_changing_nothing_changes_nothing(api: APIClient, ada: User, pair: tokens.Pair) -> None:
    assert bearer(api, pair.access).patch(f"{AUTH}/me", {}).json()["name"] == "Ada"


@pytest.mark.parametrize(
    "field", ["email", "password", "is_staff", "is_superuser", "role", "team", "id", "created_at"]
)
def test_nobody_promotes_themselves(
    api: APIClient, ada: User, pair: tokens.Pair, field: str
) -> None:
    answer = bearer(api, pair.access).patch(f"{AUTH}/me", {"name": "Eve", field: "admin"})

    assert codes(answer) == {f"/{field}": "unknown_field"}
    ada.refresh_from_db()
    assert ada.name == "Ada"
    assert not ada.is_staff


def test_me_is_not_for_anybody(api: APIClient) -> None:
    answer = api.get(f"{AUTH}/me")

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_needs_the_cross_site_proof(ada: User) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.login(username=ada.email, password=PASSWORD)

    answer = browser.patch(f"{AUTH}/me", {"name": "Eve"})

    assert browser.get(f"{AUTH}/me").status_code == 200
    assert answer.status_code == 403
    assert answer.json()["code"] == "csrf_failed"


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout", "me"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_is_good_with_and_without_a_slash(
    api: APIClient, path: str, slash: str
) -> None:
    assert api.options(f"{AUTH}/{path}{slash}").status_code in {200, 401}


@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout", "me"])
def test_an_unknown_parameter_is_refused(api: APIClient, pair: tokens.Pair, path: str) -> None:
    method = api.get if path == "me" else api.post
    bearer(api, pair.access)

    answer = method(f"{AUTH}/{path}?colour=red")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "colour"
