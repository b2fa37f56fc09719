"""Rows and clients that most tests of the endpoints start from."""

from __future__ import annotations

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import User
from tests.factories import UserFactory


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def ada() -> User:
    return UserFactory.create(email="ada@example.org", name="Ada")


@pytest.fixture
def pair(ada: User) -> tokens.Pair:
    return tokens.sign_in(ada, timezone.now())
