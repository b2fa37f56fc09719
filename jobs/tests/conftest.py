"""A signed-in client, and an engine whose clock stands at NOON."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from accounts.models import Team, User
from jobs import host
from jobs.tests.calls import client_of
from tests.factories import NOON, UserFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.test import APIClient


@pytest.fixture
def rings() -> Iterator[list[str]]:
    """The engine below which jobs live for a test: it is NOON, and beats hear the rings."""
    heard: list[str] = []
    before = host._host
    host.connect(replace(before, now=lambda: NOON, wake=lambda: heard.append("ring")))
    yield heard
    host.connect(before)


@pytest.fixture
def user() -> User:
    person: User = UserFactory.create()
    return person


@pytest.fixture
def team(user: User) -> Team:
    return Team.objects.get(personal_of=user)


@pytest.fixture
def api(user: User, rings: list[str]) -> APIClient:
    """A client of ``user``, who may do everything in a personal team."""
    return client_of(user)
