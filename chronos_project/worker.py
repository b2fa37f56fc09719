"""The life of a worker's main process, and how its pool children begin: wires Celery to the engine.

Imported when a worker starts, after ``django.setup()``.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog
from billiard import current_process
from celery import signals
from celery.worker import state

from executions import board, children, clock, deafness, dispatch, forcing, heartbeats, shutdown
from executions.models import Queue, Worker
from jobs.kinds.base import Fleet
from lib import memory, processes
from lib.guardian import Guardian

if TYPE_CHECKING:
    from types import FrameType

log = structlog.get_logger(__name__)

MARK = "CHRONOS_WORKER_MARK"  # in the environment of all that a worker's jobs start
SPARE_SEATS = 64  # a new pool child may come before the seat of the one that it replaces is free


def fleet() -> str:
    return os.environ.get("CHRONOS_FLEET", Fleet.COMPUTE)


def queues_of(fleet: str) -> list[Any]:
    """The Celery queues of every queue there is."""
    return [dispatch.celery_queue(name, fleet) for name in Queue.objects.names()]


class MainProcess:
    """Made before the pool forks; follows Celery's signals from then on."""

    def __init__(self, controller: Any) -> None:
        self._controller = controller
        self._heart: heartbeats.Heart | None = None
        self._guardian: Guardian | None = None
        self._nursery: children.Nursery | None = None
        self._seats: board.Board | None = None
        if _forks(controller):
            self._prepare_for_children()
        signals.worker_process_init.connect(self.begin_child, weak=False)
        signals.worker_ready.connect(self.begin, weak=False)
        signals.task_received.connect(self.hear, weak=False)
        signals.worker_shutdown.connect(self.stop, weak=False)

    def begin_child(self, **_: Any) -> None:
        """A pool child, forked from this process, begins."""
        if self._seats is not None:
            children.begin(self._seats, current_process().index)

    def begin(self, sender: Any, **_: Any) -> None:
        """The worker consumes: tell the database of it, and answer for what runs in it."""
        self._consumer = sender
        name = self._controller.hostname or socket.gethostname()
        forcing.answer(
            name,
            seats=self._seats,
            nursery=self._nursery,
            died=self._replace_child,
            hung=self._too_many_hang,
        )
        self._shutdown = shutdown.Shutdown(
            self._seats, others=lambda: bool(state.active_requests), last=self.stop
        )
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(signum, self._on_signal)
        self._ear = deafness.Ear(fleet(), queues=self._queue_names, free=self._is_free)
        pulse = heartbeats.Pulse(
            Worker,
            name,
            fleet=fleet(),
            slots=self._controller.concurrency,
            queues=sorted(sender.app.amqp.queues.consume_from),
        )
        duties = [self._follow_queues, self._look_after_children, self._listen]
        self._heart = heartbeats.Heart(pulse, duties)
        self._heart.start()

    def hear(self, **_: Any) -> None:
        """A message has come."""
        self._ear.hear()

    def stop(self, **_: Any) -> None:
        """Write down that this worker ended in order."""
        heart, self._heart = self._heart, None
        if heart is not None:
            heart.stop()

    def end(self, status: int) -> None:
        """End in order, as after a signal; whoever supervises this worker starts it again."""
        self._shutdown.ask(status=status)
        state.should_stop = status

    def _prepare_for_children(self) -> None:
        mark = os.environ[MARK] = f"chronos-{uuid4().hex}"
        self._seats = board.Board(mark, seats=self._controller.concurrency + SPARE_SEATS)
        if not processes.LINUX:
            log.warning("worker.processes_not_contained", reason="only Linux can")
        guardian = self._guardian = Guardian(mark)
        self._nursery = children.Nursery(self._seats, spared=lambda: guardian.pid)

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        """Twice is at once, and SIGQUIT is at once; work is handed back all the same."""
        self._shutdown.ask(at_once=signum == signal.SIGQUIT)
        state.should_stop = state.should_stop or 0

    def _follow_queues(self) -> None:
        queues = self._consumer.app.amqp.queues
        for queue in queues_of(fleet()):
            if queue.name not in queues.consume_from:
                queues.add(queue)
                self._consumer.call_soon(self._consumer.add_task_queue, queue.name)

    def _look_after_children(self) -> None:
        if self._guardian is not None and self._nursery is not None:
            self._guardian.look()
            self._nursery.kill_orphans()

    def _listen(self) -> None:
        if not shutdown.asked() and self._ear.is_deaf(clock.now()):
            log.error("worker.deaf", reason="messages wait for it that it does not take")
            self.end(os.EX_TEMPFAIL)

    def _replace_child(self) -> None:
        """Celery learns of a death a moment too early to see it, and looks again after seconds."""
        self._consumer.call_soon(self._controller.pool.maintain_pool)

    def _too_many_hang(self, hung: int) -> None:
        """Threads that never return are lost until the process ends."""
        if hung * 2 > self._controller.concurrency:
            log.error("worker.threads_hang", hung=hung)
            self.end(os.EX_TEMPFAIL)

    def _queue_names(self) -> list[str]:
        suffix = f".{fleet()}"
        names = self._consumer.app.amqp.queues.consume_from
        return [name.removesuffix(suffix) for name in names if name.endswith(suffix)]

    def _is_free(self) -> bool:
        """Say whether it would take a message: while it looks for its broker it cannot."""
        if self._consumer.connection is None:
            return False
        return bool(len(state.active_requests) < self._controller.concurrency)


def _forks(controller: Any) -> bool:
    return "prefork" in controller.pool_cls.__module__


def set_up(controller: Any) -> None:
    """A worker is about to start: take all queues of its fleet if none are named."""
    MainProcess(controller)
    memory.settle()
    if controller.options.get("queues"):
        return
    queues = controller.app.amqp.queues
    chosen = [queues.add(queue).name for queue in queues_of(fleet())]
    queues.select([*chosen, "celery"] if fleet() == Fleet.COMPUTE else chosen)
