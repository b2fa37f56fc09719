"""Whose request it is: every token that is not good gets the same answer."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

ME = "/api/v1/auth/me"


@pytest.fixture
def user() -> User:
    return UserFactory.create()


@pytest.fixture
def claims(user: User) -> dict[str, Any]:
    """What a good access token of ``user`` says."""
    access = tokens.sign_in(user, timezone.now()).access
    return dict(jwt.decode(access, options={"verify_signature": False}))


def key() -> str:
    return str(settings.SIMPLE_JWT["SIGNING_KEY"])


def ask(token: str) -> Any:
    return APIClient().get(ME, headers={"Authorization": f"Bearer {token}"})


def signed(claims: dict[str, Any], **headers: Any) -> str:
    return jwt.encode(claims, key(), algorithm="HS256", headers=headers)


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    head, body = ({"alg": algorithm, "typ": "JWT"}, claims)
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (head, body)
    )


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "token_invalid"
    assert answer.json()["detail"] == "The token is not valid, or no longer."


def test_a_good_token_is_taken(claims: dict[str, Any]) -> None:
    assert ask(signed(claims)).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "RS256", ""])
def test_an_unsigned_token_is_refused(claims: dict[str, Any], algorithm: str) -> None:
    assert_refused(ask(unsigned(claims, algorithm) + "."))
    assert_refused(ask(unsigned(claims, algorithm)))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_our_key_is_refused(claims: dict[str, Any], algorithm: str) -> None:
    assert_refused(ask(jwt.encode(claims, key() + "x" * 64, algorithm=algorithm)))


def test_an_rsa_signature_is_refused(claims: dict[str, Any]) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    assert_refused(ask(jwt.encode(claims, pem, algorithm="RS256")))


@pytest.mark.parametrize(
    "kid",
    ["../../../../dev/null", "/dev/null", "' OR 1=1 --", "http://127.0.0.1/key", "", "x" * 999],
)
def test_a_key_id_chooses_no_key(claims: dict[str, Any], kid: str) -> None:
    forged = jwt.encode(claims, "x" * 64, algorithm="HS256", headers={"kid": kid})

    assert_refused(ask(forged))


@pytest.mark.parametrize(
    "header", [{"jku": "http://127.0.0.1/"}, {"jwk": {"kty": "oct", "k": "eA"}}]
)
def test_a_key_in_the_header_is_not_used(claims: dict[str, Any], header: dict[str, Any]) -> None:
    assert_refused(ask(jwt.encode(claims, "x" * 64, algorithm="HS256", headers=header)))


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": 9_999_999_999},
        {"aud": "other"},
        {"aud": None},
        {"iss": "other"},
        {"iss": None},
        {"token_type": "refresh"},
        {"token_type": None},
        {"jti": None},
        {"sub": None},
        {"sub": "1"},
        {"sub": 7},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"fam": None},
        {"fam": "1"},
        {"fam": ["x"]},
        {"fam": "00000000-0000-7000-8000-000000000000"},
        {"fam": "' OR 1=1 --"},
    ],
)
def test_every_claim_counts(claims: dict[str, Any], change: dict[str, Any]) -> None:
    """``None`` stands for a claim that is missing."""
    changed = {name: value for name, value in (claims | change).items() if value is not None}

    assert_refused(ask(signed(changed)))


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer null",
        "Bearer a.b.c",
        "Bearer \xff\xfe",
        "bearer x",
        "BEARER " + "x" * 5000,
        "Bearer " + "." * 5000,
        "Bearer chr_unknown",
        "Bearer " + base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.e30",
        "Bearer " + base64.urlsafe_b64encode(b'{"alg":' + b"9" * 5000 + b"}").decode() + ".e30.e30",
    ],
)
def test_a_header_that_is_no_token_is_refused(header: str) -> None:
    assert_refused(APIClient().get(ME, headers={"Authorization": header}))


def test_a_refresh_token_opens_nothing(user: User) -> None:
    assert_refused(ask(tokens.sign_in(user, timezone.now()).refresh))


def test_an_expired_token_is_refused(user: User) -> None:
    assert_refused(ask(tokens.sign_in(user, timezone.now() - timedelta(minutes=6)).access))


def test_a_deleted_user_is_refused(user: User, claims: dict[str, Any]) -> None:
    user.delete()

    assert_refused(ask(signed(claims)))


def test_a_deactivated_user_is_refused(user: User, claims: dict[str, Any]) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert_refused(ask(signed(claims)))


def test_a_wrong_token_is_not_made_good_by_a_session(user: User) -> None:
    browser = APIClient()
    browser.login(username=user.email, password=PASSWORD)

    assert_refused(browser.get(ME, headers={"Authorization": "Bearer x"}))


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Token x", "Digest x", "x"])
def test_another_scheme_is_nobody(header: str) -> None:
    answer = APIClient().get(ME, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
