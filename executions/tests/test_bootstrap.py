"""The first administrator and the demo, made once."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from executions.models import Execution
from jobs.models import Job
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONOS_ADMIN_EMAIL", "Boss@Example.org")
    monkeypatch.setenv("CHRONOS_ADMIN_PASSWORD", "correct horse battery")


def bootstrap(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("bootstrap", *options, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_the_first_administrator_is_created_once() -> None:
    first, second = bootstrap(), bootstrap()

    boss = User.objects.get()
    assert first == {"admin_created": True, "email": "boss@example.org", "demo_jobs": 0}
    assert second["admin_created"] is False
    assert (boss.is_superuser, boss.check_password("correct horse battery")) == (True, True)


def test_the_demo_is_made_and_started_once() -> None:
    assert bootstrap("--demo")["demo_jobs"] == 5
    assert bootstrap("--demo")["demo_jobs"] == 0

    assert Job.objects.count() == 5
    assert Execution.objects.count() == Job.objects.filter(paused_at__isnull=True).count() == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHRONOS_ADMIN_PASSWORD", ""),
        ("CHRONOS_ADMIN_PASSWORD", "password"),
        ("CHRONOS_ADMIN_EMAIL", "nobody"),
        ("CHRONOS_ADMIN_EMAIL", ""),
    ],
)
def test_what_makes_no_safe_administrator_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(CommandError, match=name):
        bootstrap()

    assert not User.objects.exists()


def test_an_ordinary_user_is_not_raised_to_administrator() -> None:
    UserFactory.create(email="boss@example.org")

    with pytest.raises(CommandError, match="CHRONOS_ADMIN_EMAIL"):
        bootstrap()
