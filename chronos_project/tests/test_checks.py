"""Settings that would hurt later are refused at the start."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as real
from django.core.checks import Error

from chronos_project import checks

SAFE = {
    "CHRONOS_ENV": "production",
    "CHRONOS_SECRET_KEY": "b" * 60,
    "CHRONOS_ALLOWED_HOSTS": "chronos.example",
    "DATABASE_URL": "postgres://chronos:pw@127.0.0.1:1/chronos",
    "REDIS_URL": "redis://:pw@127.0.0.1:1/0",
}


def ids(found: Any) -> list[str | None]:
    return [message.id for message in found if isinstance(message, Error)]


def run_check(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` as an operator would, with the environment of a safe installation."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {name: value for name, value in (SAFE | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=real.BASE_DIR,
        env=inherited | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_safe_installation_starts() -> None:
    done = run_check()

    assert done.returncode == 0, done.stderr


def test_a_missing_secret_stops_the_start() -> None:
    done = run_check(CHRONOS_SECRET_KEY=None)

    assert done.returncode != 0
    assert "CHRONOS_SECRET_KEY" in done.stderr


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": True}, "chronos.E010"),
        ({"SECRET_KEY": "short"}, "chronos.E011"),
        ({"ALLOWED_HOSTS": ["*"]}, "chronos.E012"),
        ({"REDIS_URL": "redis://127.0.0.1/0"}, "chronos.E013"),
    ],
)
def test_production_refuses_what_only_suits_a_desk(
    settings: Any, changes: dict[str, Any], expected: str
) -> None:
    settings.PRODUCTION = True
    settings.REDIS_URL = "redis://:pw@127.0.0.1/0"
    for name, value in changes.items():
        setattr(settings, name, value)

    assert expected in ids(checks.production_is_closed())


def test_a_desk_may_be_open(settings: Any) -> None:
    settings.PRODUCTION = False
    settings.DEBUG = True

    assert ids(checks.production_is_closed()) == []


def test_a_lease_that_a_pause_outlives_is_refused(settings: Any) -> None:
    settings.CHRONOS_LEASE_SECONDS = 1

    assert ids(checks.lease_can_be_kept()) == ["chronos.E001"]


def test_a_misspelt_registration_does_not_open_the_door(settings: Any) -> None:
    settings.CHRONOS_REGISTRATION = "opne"

    assert ids(checks.registration_is_known()) == ["chronos.E002"]
