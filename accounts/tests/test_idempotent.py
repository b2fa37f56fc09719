"""The `Idempotency-Key` of requests: which answers are kept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from accounts import tokens
from accounts.idempotent import IdempotentPosts
from accounts.models import KeptAnswer, Team, User
from accounts.tests.calls import ADA, AUTH, bearer
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def post(api: APIClient, path: str, body: Any = None, *, key: str = "k", **extra: Any) -> Any:
    return api.post(f"{AUTH}{path}", body, HTTP_IDEMPOTENCY_KEY=key, **extra)


class Effects(IdempotentPosts, APIView):
    """Makes a team, then answers or raises what the test wants."""

    authentication_classes = []
    permission_classes = []
    then: Any = None
    times = 0

    def post(self, request: Any) -> Response:
        type(self).times += 1
        Team.objects.create(name="effect")
        if isinstance(self.then, Exception):
            raise self.then
        return Response({"b": 1, "a": [1.5, None]}, **self.then)


@pytest.fixture
def effects() -> type[Effects]:
    class Fresh(Effects):
        """Counts from 0."""

    return Fresh


def call(view: type[Effects], then: Any, method: str = "POST") -> Any:
    headers = {"Idempotency-Key": "k"}
    request = APIRequestFactory().generic(method, "/api/v1/things", headers=headers)
    return view.as_view(then=then)(request).render()


def test_the_first_answer_comes_again_with_its_status_headers_and_bytes(
    effects: type[Effects],
) -> None:
    then = {"status": 201, "headers": {"Location": "/api/v1/things/1", "Cache-Control": "no-store"}}

    first, second = call(effects, then), call(effects, then)

    assert effects.times == Team.objects.count() == 1
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert dict(second.headers) == {**first.headers, "Idempotent-Replayed": "true"}


def test_an_answer_without_a_body_comes_again_without_one(effects: type[Effects]) -> None:
    class Empty(effects):  # type: ignore[misc,valid-type]  # made by a fixture
        def post(self, request: Any) -> Response:
            return Response(status=204)

    call(Empty, {})
    second = call(Empty, {})

    assert (second.status_code, second.content) == (204, b"")
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("status", [400, 404, 409, 422, 429])
def test_what_was_refused_is_not_kept(effects: type[Effects], status: int) -> None:
    call(effects, {"status": status})
    call(effects, {"status": status})

    assert effects.times == 2
    assert not KeptAnswer.objects.exists()


def test_what_a_refused_call_wrote_stays_as_it_would_without_a_key(effects: type[Effects]) -> None:
    call(effects, ValidationError("No."))

    assert Team.objects.count() == 1


@pytest.mark.parametrize("then", [{"status": 503}, OperationalError("away")])
def test_after_a_fault_of_ours_everything_is_undone(effects: type[Effects], then: Any) -> None:
    assert call(effects, then).status_code == 503

    assert not Team.objects.exists()
    assert not KeptAnswer.objects.exists()


def test_after_a_surprise_everything_is_undone(effects: type[Effects]) -> None:
    with pytest.raises(RuntimeError):
        call(effects, RuntimeError("surprise"))

    assert not Team.objects.exists()
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "é", "\x7f", "a\x00"])
def test_a_key_that_no_header_should_hold_is_refused(api: APIClient, key: str) -> None:
    answer = post(api, "/login", ADA, key=key)

    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert (error["header"], error["code"]) == ("Idempotency-Key", "idempotency_key_invalid")


@pytest.mark.parametrize("key", ["0", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b~!"])
def test_any_printable_key_is_good(api: APIClient, ada: User, key: str) -> None:
    first = post(api, "/login", ADA, key=key)

    assert post(api, "/login", ADA, key=key).json() == first.json()


def test_the_same_registration_twice_makes_one_account(api: APIClient) -> None:
    first, second = post(api, "/register", ADA), post(api, "/register/", ADA)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Cache-Control"] == "no-store"
    assert User.objects.count() == 1


def test_spelling_does_not_make_a_body_another_one(api: APIClient, ada: User) -> None:
    first = post(api, "/login", ADA)
    spelt = f'{{ "password": "{PASSWORD}",\n "email": "ada@example.org" }}'.encode()

    again = post(api, "/login", spelt, content_type="application/json")

    assert again.json() == first.json()


def test_another_body_is_a_422(api: APIClient, ada: User) -> None:
    post(api, "/login", ADA)

    answer = post(api, "/login", ADA | {"password": "another"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_another_query_is_a_422_as_well(effects: type[Effects]) -> None:
    call(effects, {})
    request = APIRequestFactory().post("/api/v1/things?dry_run=true", headers=HEADERS)

    assert effects.as_view(then={})(request).status_code == 422


HEADERS = {"Idempotency-Key": "k"}


def test_a_lost_answer_to_a_refresh_does_not_end_the_sign_in(
    api: APIClient, pair: tokens.Pair
) -> None:
    first = post(api, "/refresh", {"refresh": pair.refresh})

    assert post(api, "/refresh", {"refresh": pair.refresh}).json() == first.json()
    assert bearer(api, first.json()["access"]).get(f"{AUTH}/me").status_code == 200


def test_a_copied_refresh_token_still_ends_the_sign_in(api: APIClient, pair: tokens.Pair) -> None:
    first = post(api, "/refresh", {"refresh": pair.refresh}).json()

    assert post(api, "/refresh", {"refresh": pair.refresh}, key="other").status_code == 401
    assert bearer(api, first["access"]).get(f"{AUTH}/me").status_code == 401


def test_people_do_not_meet_in_their_keys(api: APIClient, ada: User) -> None:
    here = post(api, "/login", ADA, REMOTE_ADDR="192.0.2.1")

    assert post(api, "/login", ADA, REMOTE_ADDR="192.0.2.2").json() != here.json()


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_other_methods_do_not_look_at_it(api: APIClient, pair: tokens.Pair, method: str) -> None:
    bearer(api, pair.access)

    answer = api.generic(method, f"{AUTH}/me", "{}", "application/json", HTTP_IDEMPOTENCY_KEY="é")

    assert answer.status_code == 200
