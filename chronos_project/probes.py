"""Questions to the parts that Chronos needs, each answered in bounded time."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from django.conf import settings
from django.db import connection

from executions import alive, bell, clock
from executions.heartbeats import SILENT_AFTER
from executions.models import AuditFinding, Worker
from jobs.kinds.base import Fleet

log = structlog.get_logger(__name__)

PATIENCE = 1.5  # seconds that all parts together are waited for
KEEP_SECONDS = 1.0  # an answer this young is given again: many callers cost as much as one
MIN_FREE_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Component:
    """One part: whether it is up, and what only people with the right are told about it."""

    up: bool
    detail: Mapping[str, Any] = field(default_factory=dict)


Answer: TypeAlias = dict[str, Component]


class Probe:
    """One question, asked in a thread of its own; callers share the one that is under way.

    So a part that hangs holds one thread, however often it is asked for. ``names`` are the
    components that the answer tells of: without an answer in time all of them are down.
    """

    def __init__(self, ask: Callable[[], Answer], *names: str) -> None:
        self._ask = ask
        self._names = names
        self._lock = threading.Lock()
        self._asked: Future[Answer] | None = None
        self._asked_at = 0.0

    def start(self) -> None:
        """Ask, unless an answer is on its way or still young."""
        with self._lock:
            if self._asked and not self._asked.done():
                return
            if self._asked and time.monotonic() - self._asked_at < KEEP_SECONDS:
                return
            self._asked, self._asked_at = Future(), time.monotonic()
            threading.Thread(target=self._run, args=[self._asked], daemon=True).start()

    def wait(self, until: float) -> Answer:
        """Return the answer, waiting for it ``until`` an instant of the monotonic clock."""
        assert self._asked is not None  # noqa: S101  start() comes first
        try:
            return self._asked.result(timeout=max(0.0, until - time.monotonic()))
        except TimeoutError:
            silent = Component(up=False, detail={"error": f"no answer within {PATIENCE} s"})
            return dict.fromkeys(self._names, silent)

    def _run(self, asked: Future[Answer]) -> None:
        try:
            asked.set_result(self._ask())
        except Exception as exc:  # noqa: BLE001  whatever went wrong there: the part is not up
            log.warning("health.part_down", parts=self._names, error=repr(exc))
            down = Component(up=False, detail={"error": type(exc).__name__})
            asked.set_result(dict.fromkeys(self._names, down))


def ask_database() -> Answer:
    """Ask PostgreSQL for its time, and for the processes that were heard of."""
    started = time.monotonic()
    try:
        now = clock.read()
        took = {"milliseconds": round((time.monotonic() - started) * 1000, 1)}
        workers = Worker.objects.fresh(now - SILENT_AFTER)
        fleets = {worker.name: worker.fleet for worker in workers}
        mismatches = AuditFinding.objects.count()
        return {
            "database": Component(up=True, detail=took),
            "scheduler": Component(alive.beat(now), {"audit_mismatches": mismatches}),
            "workers": Component(set(Fleet) <= set(fleets.values()), {"workers": fleets}),
        }
    finally:
        connection.close()


def ask_broker() -> Answer:
    started = time.monotonic()
    bell.client().ping()
    took = {"milliseconds": round((time.monotonic() - started) * 1000, 1)}
    return {"broker": Component(up=True, detail=took)}


def disk_space() -> Component:
    """Say whether there is room where Chronos lives; needs no waiting."""
    free = shutil.disk_usage(settings.BASE_DIR).free
    return Component(up=free >= MIN_FREE_BYTES, detail={"free_bytes": free})


def new_probes() -> tuple[Probe, ...]:
    return (
        Probe(ask_database, "database", "scheduler", "workers"),
        Probe(ask_broker, "broker"),
    )


PROBES = new_probes()  # shared by all requests of the process


def report() -> Answer:
    """Return every component by its name, within ``PATIENCE``."""
    until = time.monotonic() + PATIENCE
    for probe in PROBES:
        probe.start()
    components = {"disk_space": disk_space()}
    for probe in PROBES:
        components |= probe.wait(until)
    return dict(sorted(components.items()))
