"""When a worker counts as deaf: others wait for it in vain, and it could hear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from executions import bell, broker, clock, dispatch
from executions.deafness import PATIENCE_SECONDS, Ear
from executions.models import Execution, Status
from tests.factories import ExecutionFactory

pytestmark = pytest.mark.django_db

LONG = timedelta(seconds=PATIENCE_SECONDS + 1)


@pytest.fixture
def waiting() -> Iterator[Execution]:
    """An execution that was queued long ago, and whose message nobody takes."""
    now = clock.read()
    execution = ExecutionFactory.create(
        status=Status.QUEUED, queued_at=now - LONG, publish_at=now, publishes=1
    )
    dispatch.publish([execution])
    yield execution
    bell.client().delete(*(broker.Lane("default", "io", lane).key for lane in range(5)))


def ear(*, free: bool = True, fleet: str = "io") -> Ear:
    """The ear of a worker that has heard nothing for long."""
    ear = Ear(fleet, queues=lambda: ["default"], free=lambda: free)
    ear._heard -= LONG.total_seconds()
    return ear


def looks(ear: Ear) -> list[bool]:
    return [ear.is_deaf(clock.now()) for _ in range(3)]


@pytest.mark.usefixtures("waiting")
def test_who_could_take_what_waits_and_does_not_is_deaf() -> None:
    assert looks(ear()) == [False, True, True]


@pytest.mark.usefixtures("waiting")
def test_who_hears_is_busy_or_of_another_fleet_is_not() -> None:
    hears = ear()
    hears.hear()

    assert not any(looks(hears))
    assert not any(looks(ear(free=False)))
    assert not any(looks(ear(fleet="compute")))


def test_what_waits_only_for_a_moment_makes_nobody_deaf(waiting: Execution) -> None:
    Execution.objects.update(queued_at=clock.now())

    assert not any(looks(ear()))


def test_a_message_that_was_lost_makes_nobody_deaf(waiting: Execution) -> None:
    bell.client().delete(broker.Lane("default", "io", waiting.lane).key)

    assert not any(looks(ear()))
