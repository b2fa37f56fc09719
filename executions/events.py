"""Celery's events for attempts that shared a message, so that Flower shows each of them.

Celery itself tells of the message, whose id is that of the first one's task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from celery import current_app
from django.conf import settings

from executions import broker
from executions.dispatch import BROKER_AWAY, RUN_TASK
from jobs.kinds.base import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executions.models import Execution
    from jobs.kinds.base import Outcome

log = structlog.get_logger(__name__)


class Ran(NamedTuple):
    """An attempt that is over: it began at this second of the epoch, and took so many."""

    execution: Execution
    outcome: Outcome
    began: float
    seconds: float

    @property
    def task_id(self) -> str:
        return self.execution.task_id


def tell(ran: Sequence[Ran], *, worker: str) -> None:
    """Send one event for each of ``ran``, all in one message; without a broker nobody listens."""
    if not ran or not settings.CELERY_WORKER_SEND_TASK_EVENTS:
        return
    try:
        broker.check()
        with (
            current_app.producer_pool.acquire(block=True, timeout=2) as producer,
            current_app.events.Dispatcher(
                producer.connection,
                hostname=worker,
                buffer_while_offline=False,
                buffer_group={"task"},
                buffer_limit=len(ran) + 1,
            ) as dispatcher,
        ):
            for one in ran:
                dispatcher.send(**_event(one))
            dispatcher.flush()
    except BROKER_AWAY as exc:
        broker.rest()
        log.info("events.broker_away", error=repr(exc))


def _event(one: Ran) -> dict[str, Any]:
    event: dict[str, Any] = {
        "uuid": one.task_id,
        "name": RUN_TASK,
        "args": f"('{one.execution.pk}',)",
        "kwargs": "{}",
        "received": one.began,
        "started": one.began,
        "runtime": one.seconds,
    }
    if isinstance(one.outcome, Failed):
        exception = f"{one.outcome.reason}: {one.outcome.message}"[:1000]
        return event | {"type": "task-failed", "exception": exception, "traceback": ""}
    return event | {"type": "task-succeeded", "result": type(one.outcome).__name__.lower()}
