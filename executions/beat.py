"""The Celery beat scheduler: fires due schedules, wakes workers, sweeps, and waits for the bell."""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from celery.signals import beat_init
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
    ahead,
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
from executions.ending import Ending
from executions.maintenance.rearm import is_on_its_way
from executions.models import Beat
from jobs.models import plan_anew
from lib import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from executions.periodic_messages import Message

    Duty: TypeAlias = Callable[[datetime], int]

log = structlog.get_logger(__name__)

LONGEST_WAIT = 1.0  # seconds; a ring that was lost delays nothing by more
MOST_TOLD = 1_000  # events at once; more would make slots wait
PATIENCE = 1.5  # seconds for the broker to take messages; a worker may listen longer
# Seconds from a tick that did something to the next one. What becomes due meanwhile is done
# together: a tick costs nearly the same for fifty slots as for one.
BREATH = ahead.SOON
# The same while a queue is full: what waits longer than a tick waits for room, or for the end of a
# pause. A worker that is done with one finds others in the window; room is used for many at once.
LONG_BREATH = 0.12
BEHIND = timedelta(seconds=ahead.LATELY)  # overdue by so much: no time for a breath
FULL = 500  # executions; who queued so many at once has more of them
RINGS_APART = 0.005  # seconds; a thousand rings a second are answered by two hundred looks


class Rota:
    """Deals duties out evenly, each once in so many seconds, so that no tick has to do them all."""

    def __init__(self, duties: Sequence[Duty], seconds: float) -> None:
        self._duties = cycle(duties)
        self._most = len(duties)
        self._apart = seconds / len(duties)
        self._dealt_at = time.monotonic() - seconds

    def due(self) -> list[Duty]:
        """Return those whose turn has come; all of them after a long wait."""
        elapsed = time.monotonic() - self._dealt_at
        number = min(int(elapsed / self._apart), self._most)
        if number:
            self._dealt_at = time.monotonic()
        return [next(self._duties) for _ in range(number)]


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

    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._at - time.monotonic())


def _begin(sender: Any, **_: Any) -> None:
    sender.scheduler.ending.follow()
    memory.settle()


beat_init.connect(_begin)


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
        self._sweep = Rota(maintenance.PASSES, settings.CHRONOS_SWEEP_SECONDS)
        self._todo: set[str] = set()
        self._looked_at: datetime | None = None
        self._foreseen: Sequence[ahead.Foreseen] = ()
        self._fruitless = 0  # looks in a row that found nothing to do
        self._chores: dict[str, Callable[[], object]] = {  # each says whether there is more to do
            "pauses": partial(_fills, maintenance.wake_paused, 200),
            "delays": self._rearm,
            "rows": self._fire_rows,
            "redrives": partial(_fills, redrives.advance, 500),
            "events": partial(_fills, outbox.deliver, MOST_TOLD),
        }
        self.ending = Ending()
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
        self.ending.check()
        try:
            close_old_connections()
            seconds = self._work()
        except Error as exc:
            log.warning("beat.database_away", error=repr(exc))
            connection.close()
            return LONGEST_WAIT
        with self.ending.waiting():
            return self._wait(seconds) if seconds else 0.0

    def close(self) -> None:
        """Say goodbye."""
        self._listener.close()
        try:
            self._pulse.stop(clock.now())
        except Error as exc:
            log.warning("beat.database_away", error=repr(exc))

    @property
    def info(self) -> str:
        return "    . db -> only what is due; any number of beats may run"

    def _work(self) -> float:
        """Do one batch of every duty that is due; say in how many seconds there may be more of it.

        One batch each, so that a backlog of one duty keeps no other from its turn.
        """
        fired = self._fire_foreseen()
        queued = _counted(dispatch.queue_due) if fired else 0
        if self._each_second.due():
            _guarded(lambda: self._adoption.advance(clock.now()))
            self._todo |= ahead.chores(clock.now())
        self._do("pauses", "delays")  # what they do may be due at once
        now = clock.now()
        seen, since = ahead.look(now), self._looked_at
        self._looked_at, self._foreseen = now, seen.foreseen
        is_left = seen.slot_is_due(now) and not (fired and seen.is_foreseen)
        others = _counted(scheduler.fire_due) if is_left else 0
        if not fired and (others or seen.is_blocked or seen.execution_is_due(now)):
            queued = _counted(dispatch.queue_due)
        self._look_after()
        fired += others
        if (fired and seen.is_behind(now, BEHIND)) or queued >= FULL:
            return 0.0
        is_crowded = since is not None and seen.execution_is_due(since) and queued < FULL / 2
        is_busy = bool(fired or queued or self._todo or seen.slot_is_due(now))  # or others hold it
        return self._rest(seen, is_busy=is_busy, is_crowded=is_crowded)

    def _fire_foreseen(self) -> int:
        """Fire what was foreseen the last time."""
        seen, self._foreseen = self._foreseen, ()  # what fails is to be seen anew
        return _counted(partial(scheduler.fire_foreseen, seen))

    def _rest(self, seen: ahead.Ahead, *, is_busy: bool, is_crowded: bool) -> float:
        """Say for how many seconds nothing has to be looked at, or too little."""
        self._fruitless = 0 if is_busy else min(self._fruitless + 1, 4)
        if is_busy and not is_crowded:
            return BREATH
        longest = LONG_BREATH * 2**self._fruitless if is_crowded else LONGEST_WAIT
        seconds = min(longest, self._seconds_to_next(seen, clock.now()))
        return max(BREATH, seconds) if is_busy else min(seconds, self._each_second.left())

    def _look_after(self) -> None:
        """Do what keeps nobody waiting."""
        self._do("rows", "redrives", "events")
        for one in self._sweep.due():
            _counted(one)
        if self._heartbeat.due():
            self._pulse.touch(clock.now())
            plan_anew()  # tables may have grown

    def _do(self, *names: str) -> None:
        """Do one batch of the chores ``names`` that are to be done; what has more stays so."""
        for name in names:
            if name in self._todo and not self._chores[name]():
                self._todo.discard(name)

    def _rearm(self) -> bool:
        _counted(maintenance.rearm)
        return is_on_its_way()

    def _fire_rows(self) -> None:
        _guarded(lambda: periodic.fire_periodic(clock.now(), send=self._send))

    def _send(self, message: Message) -> None:
        broker.check()  # fails sooner than a producer would
        task = self.app.tasks.get(message.task)
        send = task.apply_async if task else partial(self.app.send_task, message.task)
        with self.app.producer_pool.acquire(block=True, timeout=2) as producer:
            send(message.args, message.kwargs, producer=producer, **message.options)

    def _seconds_to_next(self, seen: ahead.Ahead, now: datetime) -> float:
        coming = [seen.next, limits.next_room(now) if seen.is_blocked else None]
        seconds = [(instant - now).total_seconds() for instant in coming if instant]
        return max(0.0, min([LONGEST_WAIT, *seconds]))

    def _wait(self, seconds: float) -> float:
        began = time.monotonic()
        try:
            if self._listener.wait(seconds):
                time.sleep(max(0.0, began + RINGS_APART - time.monotonic()))
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


def _counted(duty: Callable[[datetime], int]) -> int:
    """Do a pass; return how many rows it handled, none when it failed."""
    made = _guarded(lambda: duty(clock.now()))
    return made if isinstance(made, int) else 0


def _fills(duty: Callable[..., int], limit: int) -> bool:
    """Do a pass over up to ``limit`` rows; say whether there may be more of them."""
    return _counted(partial(duty, limit=limit)) >= limit


def _host() -> str:
    return f"beat@{socket.gethostname()}"
