"""The Celery app: its queues, its workers' signs of life, and how tasks use the database."""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import Celery, signals
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")


class KeepConnections(DjangoWorkerFixup):  # type: ignore[misc]  # untyped library
    """Keeps connections between tasks, as Django does between requests.

    Celery's own closes them before and after every task, which costs more than the task.
    """

    def close_database(self, **kwargs: Any) -> None:
        from django.db import close_old_connections  # noqa: PLC0415  after django.setup()

        close_old_connections()

    def close_cache(self) -> None:
        """No cache is used in workers."""


class Fixup(DjangoFixup):  # type: ignore[misc]  # untyped library
    """Celery's Django fixup, with ``KeepConnections``."""

    _worker_fixup: KeepConnections | None

    @property
    def worker_fixup(self) -> KeepConnections:
        if self._worker_fixup is None:  # not before the app is configured
            self._worker_fixup = KeepConnections(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> Fixup:
    """What Celery calls to install the fixup."""
    installed = Fixup(app)
    installed.install()
    return installed


app = Celery(
    "chronos",
    fixups={"chronos_project.celery:fixup"},
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

COMPUTE = "compute"  # jobs.kinds.base.Fleet; apps are not loaded yet when this is read

_hearts: list[Any] = []


def _queues_of(fleet: str) -> list[Any]:
    from executions import dispatch  # noqa: PLC0415  after django.setup()
    from executions.models import Queue  # noqa: PLC0415

    return [dispatch.celery_queue(name, fleet) for name in Queue.objects.names()]


@signals.celeryd_after_setup.connect
def choose_queues(instance: Any, **_: Any) -> None:
    """A worker without ``-Q`` takes every queue of its fleet, and Celery's own."""
    if instance.options.get("queues"):
        return
    fleet = os.environ.get("CHRONOS_FLEET", COMPUTE)
    queues = instance.app.amqp.queues
    chosen = [queues.add(queue).name for queue in _queues_of(fleet)]
    queues.select([*chosen, "celery"] if fleet == COMPUTE else chosen)


@signals.worker_ready.connect
def start_heart(sender: Any, **_: Any) -> None:
    """Tell the database of this worker, and follow queues that are added while it runs."""
    from executions import heartbeats  # noqa: PLC0415  after django.setup()
    from executions.models import Worker  # noqa: PLC0415

    fleet = os.environ.get("CHRONOS_FLEET", COMPUTE)

    def follow_queues() -> None:
        for queue in _queues_of(fleet):
            if queue.name not in sender.app.amqp.queues.consume_from:
                sender.app.amqp.queues.add(queue)
                sender.call_soon(sender.add_task_queue, queue.name)

    pulse = heartbeats.Pulse(
        Worker,
        sender.hostname or socket.gethostname(),
        fleet=fleet,
        slots=sender.controller.concurrency,
        queues=sorted(sender.app.amqp.queues.consume_from),
    )
    heart = heartbeats.Heart(pulse, follow_queues)
    heart.start()
    _hearts.append(heart)


@signals.worker_shutdown.connect
def stop_hearts(**_: Any) -> None:
    """Write down that this worker ended in order."""
    while _hearts:
        _hearts.pop().stop()
