"""Fixtures of the crash tests, and the report at the end of a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from tests.crash import report
from tests.crash.ground import LEASE_SECONDS, Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database for as long as a module runs, and empty when it ends.

    Takes the place of pytest-django's fixture, whose name tells it to make the database: a stack
    outlives the tests of a module, so the rows that it works on must, too.
    """
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    """One ground for all tests of a module; each says with ``staff`` what it needs."""
    with Ground() as ground:
        yield ground


def pytest_sessionfinish() -> None:
    """Write the table, if the run was asked to."""
    path = os.environ.get("CHRONOS_CRASH_REPORT")
    if path and report.REPORT.rows:
        report.REPORT.write(Path(path), lease=LEASE_SECONDS)
