"""Redis is gone, empty, full, read-only or silent: work is accepted and starts afterwards."""

from __future__ import annotations

import json
import signal
from base64 import b64decode
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from executions import bell
from executions.models import Execution
from tests.crash.infrastructure import servers
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.ground import Ground
    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

PROGRESS_SECONDS = 30  # P12
SLOTS = 4


def test_redis_killed_and_started_empty(ground: Ground) -> None:
    with _under_load(ground, "Redis killed, started empty") as trial:
        server = servers.redis_server()
        with trial.fault():
            server.end(signal.SIGKILL)
            _work_is_stored_and_waits(ground, trial)
            server.start()


def test_redis_is_silent(ground: Ground) -> None:
    with (
        _under_load(ground, "Redis silent (SIGSTOP)") as trial,
        trial.fault(),
        servers.redis_server().frozen(),
    ):
        _work_is_stored_and_waits(ground, trial)


@pytest.mark.parametrize(
    ("name", "setting", "bad", "good"),
    [
        ("Redis out of memory", "maxmemory", "1", "0"),
        ("Redis refuses writes", "min-replicas-to-write", "3", "0"),
    ],
)
def test_redis_takes_no_writes(
    ground: Ground, name: str, setting: str, bad: str, good: str
) -> None:
    with _under_load(ground, name) as trial, trial.fault(), _configured(setting, bad, good):
        _work_is_stored_and_waits(ground, trial)


def test_redis_flushed_under_a_backlog(ground: Ground) -> None:
    ground.staff(beats=1, io=1, slots=SLOTS)
    with ground.trial("Redis flushed under a backlog") as trial:
        ground.target.gate.clear()
        for _ in ground.io:
            trial.http(SLOTS, path="/gated")
        trial.await_starts(SLOTS * len(ground.io))
        trial.http(trial.size)
        trial.bites("messages on the broker", lambda: _named() == trial.size)
        with trial.fault():
            bell.client().flushall()
        ground.target.gate.set()
        _all_starts(trial)


@contextmanager
def _under_load(ground: Ground, name: str) -> Iterator[Trial]:
    """The block breaks Redis and mends it while work runs and slots fall due."""
    ground.staff(beats=1, io=2, slots=SLOTS)
    with ground.trial(name) as trial:
        trial.http(trial.size, path="/work?seconds=0.1")
        trial.slots(number=5)
        trial.await_starts(2)
        yield trial
        _all_starts(trial)


def _work_is_stored_and_waits(ground: Ground, trial: Trial) -> None:
    said = sum(beat.output.count("broker_away") for beat in ground.beats)
    ids = trial.http(trial.size)
    waiting = Execution.objects.filter(pk__in=ids, started_at=None)
    trial.bites(
        "the beat could not publish",
        lambda: sum(beat.output.count("broker_away") for beat in ground.beats) > said,
    )
    eventually(waiting.exists, within=1, what="work that waits for Redis")


def _named() -> int:
    """How many executions the messages on the broker name."""
    broker = bell.client()
    messages = [
        message for key in broker.scan_iter("*default.io*") for message in broker.lrange(key, 0, -1)
    ]
    bodies = [b64decode(json.loads(message)["body"]) for message in messages]
    return sum(len(args) for args, *_ in map(json.loads, bodies))


def _all_starts(trial: Trial) -> None:
    verdict = trial.verdict(within=90)

    assert verdict.holds, verdict.violations
    assert (verdict.first_progress or 0) <= PROGRESS_SECONDS


@contextmanager
def _configured(setting: str, bad: str, good: str) -> Iterator[None]:
    bell.client().config_set(setting, bad)
    try:
        yield
    finally:
        bell.client().config_set(setting, good)
