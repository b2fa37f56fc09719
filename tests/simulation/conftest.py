"""How many histories are played, and the thread that overtakes processes in them."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from tests.simulation import timeline, world

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = 300


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seeds", type=int, help="how many histories the simulation plays")


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """The seeds to play. ``--seeds`` or CHRONOS_SEEDS says how many, CHRONOS_SEED the first."""
    number = request.config.getoption("--seeds", default=None)  # unknown when not asked by path
    first = int(os.environ.get("CHRONOS_SEED", "0"))
    return range(first, first + int(number or os.environ.get("CHRONOS_SEEDS", SEEDS)))


@pytest.fixture(autouse=True)
def _quiet(transactional_db: None) -> Iterator[None]:
    """Log nothing: faults are what this is about. Close the connections that follow our clock."""
    logging.disable(logging.CRITICAL)
    timeline.install()
    yield
    timeline.forget()
    connections.close_all()
    logging.disable(logging.NOTSET)
    world.elsewhere.submit(connections.close_all).result()
