"""What the tests of the endpoints share."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from tests.factories import PASSWORD

AUTH = "/api/v1/auth"
ADA = {"email": "ada@example.org", "password": PASSWORD}


def bearer(client: APIClient, token: str) -> APIClient:
    """Let ``client`` send ``token`` from now on."""
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def codes(answer: Any) -> dict[str, str]:
    """Return the code of each fault by its pointer."""
    return {error["pointer"]: error["code"] for error in answer.json()["errors"]}
