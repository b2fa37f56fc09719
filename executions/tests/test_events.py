"""Flower hears of each attempt, also of those that shared a message."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app

from executions import events
from executions.events import Ran
from executions.models import Execution
from jobs.kinds.base import Failed, Succeeded
from tests.factories import ExecutionFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard() -> Iterator[dict[str, Any]]:
    """The newest event of each task that somebody who listens has heard."""
    found: dict[str, Any] = {}

    with current_app.connection_for_read() as connection:
        receiver = current_app.events.Receiver(
            connection, handlers={"*": lambda event: found.update({event["uuid"]: event})}
        )
        capture = {"limit": None, "timeout": None, "wakeup": False}
        thread = threading.Thread(target=receiver.capture, kwargs=capture, daemon=True)
        thread.start()
        yield found
        receiver.should_stop = True
        thread.join(5)


def attempt() -> Execution:
    return ExecutionFactory.create(attempt=1)


def test_each_attempt_is_told_under_its_own_id(heard: dict[str, Any]) -> None:
    good, bad = attempt(), attempt()
    ran = [Ran(good, Succeeded(), 100.0, 0.5), Ran(bad, Failed("raised", "no"), 100.5, 0.1)]

    def told() -> bool:
        events.tell(ran, worker="io@a")
        return good.task_id in heard and bad.task_id in heard

    eventually(told, within=10)

    first, second = heard[good.task_id], heard[bad.task_id]
    assert (first["type"], first["result"], first["hostname"]) == (
        "task-succeeded",
        "succeeded",
        "io@a",
    )
    assert (first["name"], first["started"], first["runtime"]) == ("executions.run", 100.0, 0.5)
    assert (second["type"], second["exception"]) == ("task-failed", "raised: no")
