"""The Celery beat scheduler: fires due schedules, wakes workers, sweeps, and waits for the bell."""

from __future__ import annotations

import os
import socket
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import (
    Error,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)
from django_celery_beat.schedulers import DatabaseScheduler
from redis import RedisError

from executions import (
    bell,
    broker,
    clock,
    dispatch,
    heartbeats,
    limits,
    maintenance,
    outbox,
    periodic,
    redrives,
    scheduler,
)
from executions.models import Beat, Execution
from jobs.models import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from executions.periodic_messages import Message

log = structlog.get_logger(__name__)

LONGEST_WAIT = 1.0  # seconds; a ring that was lost delays nothing by more
MOST_TOLD = 5_000  # events a second
PATIENCE = 1.5  # seconds for the broker to take messages; a worker may listen longer
BREATH = 0.05  # seconds between two looks into full queues, which let in what workers took


class Timer:
    """Says when something is to be done again, on this process's monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._at = 0.0

    def due(self) -> bool:
        if time.monotonic() < self._at:
            return False
        self._at = time.monotonic() + self._seconds
        return True


class ChronosScheduler(DatabaseScheduler):  # type: ignore[misc]  # untyped library
    """Reads only what is due, from indexes; keeps nothing in memory; any number may run.

    ``PeriodicTask`` rows are honoured by ``periodic``; the machinery that loads, compares and
    saves them as a whole is switched off.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._listener = bell.Listener()
        self._pulse = heartbeats.Pulse(Beat, os.environ.get("CHRONOS_BEAT_NAME") or _host())
        self._heartbeat = Timer(heartbeats.EVERY_SECONDS)
        self._each_second = Timer(1.0)
        self._adoption = periodic.Adoption()
        self._sweep = Timer(settings.CHRONOS_SWEEP_SECONDS)
        self._ticking = False
        super().__init__(*args, **kwargs)
        options = self.app.conf.broker_transport_options
        options["socket_timeout"] = min(PATIENCE, options["socket_timeout"])

    @property
    def schedule(self) -> dict[str, Any]:
        """Nothing is held in memory."""
        return {}

    def setup_schedule(self) -> None:
        """Write the system's own ticks into the table, where operators can see them."""
        self.update_from_dict(self.app.conf.beat_schedule)

    def reserve(self, entry: Any) -> Any:
        return entry

    def sync(self) -> None:
        """There is nothing to save: progress is written where it is made."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Do all that is due, then wait inside for the bell or the next instant."""
        self._ticking = True
        try:
            return self._tick()
        finally:
            self._ticking = False

    def _tick(self) -> float:
        try:
            close_old_connections()
            seconds = self._work()
            if seconds is None:
                seconds = self._seconds_to_next(clock.now())
        except Error as exc:
            log.warning("beat.database_away", error=repr(exc))
            connection.close()
            return LONGEST_WAIT
        return self._wait(seconds) if seconds else 0.0

    def close(self) -> None:
        """Say goodbye.

        At a SIGTERM Celery calls this from the signal's handler, where the connection that the
        tick was using must not be used, and again when the tick has unwound.
        """
        if self._ticking:
            return
        self._listener.close()
        try:
            self._pulse.stop(clock.now())
        except Error as exc:
            log.warning("beat.database_away", error=repr(exc))

    @property
    def info(self) -> str:
        return "    . db -> only what is due; any number of beats may run"

    def _work(self) -> float | None:
        """Do one batch of every duty that is due; say in how many seconds there may be more of it.

        One batch each, so that a backlog of one duty keeps no other from its turn.
        """
        duties = (
            *(maintenance.wake_paused, maintenance.rearm),  # what they do may be due at once
            *(scheduler.fire_due, dispatch.queue_due),
        )
        *made, queued = [_guarded(partial(_once, duty)) for duty in duties]
        if self._each_second.due():
            _guarded(lambda: self._adoption.advance(clock.now()))
            _guarded(lambda: periodic.fire_periodic(clock.now(), send=self._send))
            _guarded(partial(_once, redrives.advance))
            _guarded(lambda: outbox.deliver(clock.now(), limit=MOST_TOLD))
        if self._sweep.due():
            for one in maintenance.PASSES:
                _guarded(partial(_once, one))
        if self._heartbeat.due():
            self._pulse.touch(clock.now())
        if any(made):
            return 0.0
        return BREATH if queued else None

    def _send(self, message: Message) -> None:
        broker.check()  # fails sooner than a producer would
        task = self.app.tasks.get(message.task)
        send = task.apply_async if task else partial(self.app.send_task, message.task)
        with self.app.producer_pool.acquire(block=True, timeout=2) as producer:
            send(message.args, message.kwargs, producer=producer, **message.options)

    def _seconds_to_next(self, now: datetime) -> float:
        coming = [
            Schedule.objects.next_instant(now),
            Execution.objects.next_instant(now),
            limits.next_room(now),
        ]
        seconds = [(instant - now).total_seconds() for instant in coming if instant]
        return max(0.0, min([LONGEST_WAIT, *seconds]))

    def _wait(self, seconds: float) -> float:
        try:
            self._listener.wait(seconds)
        except RedisError as exc:
            log.warning("beat.broker_away", error=repr(exc))
            return min(seconds, LONGEST_WAIT)
        return 0.0


def _guarded(duty: Callable[[], object]) -> object:
    """Do ``duty``; one that fails must not keep the beat from its other duties."""
    try:
        return duty()
    except (OperationalError, InterfaceError):
        raise  # the database is away: that is every duty's trouble
    except Exception:
        log.exception("beat.duty_failed")
        return None


def _once(duty: Callable[[datetime], int]) -> int:
    return duty(clock.now())


def _host() -> str:
    return f"beat@{socket.gethostname()}"
