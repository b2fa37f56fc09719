"""A worker that is connected to its broker and gets nothing from it notices, and starts again."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from chronos_project import celery_app
from executions import clock, scheduler
from executions.models import Execution, Status
from tests.crash import work
from tests.crash.ground import Ground
from tests.crash.infrastructure.proxy import PIECE, Proxy
from tests.factories import JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

NOTICED_WITHIN = 60
LEAVES_WITHIN = 15


class Forgetful(Proxy):
    """Keeps connections open and can forget those that it has: no byte of them arrives any more."""

    def __enter__(self) -> Forgetful:
        self._forgotten: set[socket.socket] = set()
        super().__enter__()
        return self

    def forget(self) -> None:
        with self._lock:
            self._forgotten = {end for pair in self._pairs for end in pair}

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if source not in self._forgotten:
                    sink.sendall(piece)


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS) as ground:
        ground.staff(beats=1, io=0)
        yield ground


def noop(ground: Ground) -> Execution:
    job = JobFactory.create(team=ground.team)
    return scheduler.run_now(job, now=clock.read(), actor="test")


def succeeded(execution: Execution) -> bool:
    return Execution.objects.filter(pk=execution.pk, status=Status.SUCCEEDED).exists()


def test_a_worker_that_no_longer_consumes_starts_again(ground: Ground) -> None:
    worker = ground.stack.worker("io")
    first = noop(ground)
    eventually(lambda: succeeded(first), within=20)

    assert celery_app.control.broadcast("deafen", destination=[worker.name], reply=True, timeout=10)
    second = noop(ground)

    assert worker.process.wait(timeout=NOTICED_WITHIN + LEAVES_WITHIN) == os.EX_TEMPFAIL
    assert "worker.deaf" in worker.output
    ground.staff(io=1)  # what a supervisor does
    eventually(lambda: succeeded(second), within=30)
    second.refresh_from_db()
    assert second.attempt == 1


def test_a_worker_whose_consumer_was_cancelled_takes_it_up_again(ground: Ground) -> None:
    ground.staff(io=1)
    worker = ground.io[0]

    celery_app.control.cancel_consumer("default.io", destination=[worker.name], reply=True)
    execution = noop(ground)

    eventually(lambda: succeeded(execution), within=NOTICED_WITHIN)


def test_a_worker_whose_connection_died_in_silence_makes_a_new_one(ground: Ground) -> None:
    for part in ground.io:
        part.kill()
    at = urlsplit(settings.REDIS_URL)
    assert at.hostname is not None
    assert at.port is not None
    with Forgetful((at.hostname, at.port)) as proxy:
        url = at._replace(netloc=at.netloc.replace(f":{at.port}", f":{proxy.port}")).geturl()
        worker = ground.stack.worker("io", env={"REDIS_URL": url})
        first = noop(ground)
        eventually(lambda: succeeded(first), within=20)

        proxy.forget()
        second = noop(ground)

        eventually(lambda: succeeded(second), within=NOTICED_WITHIN)
        worker.kill()
