"""A worker that loses only PostgreSQL, or only Redis, or the answer to what it has committed."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings

from executions.models import Execution, Status
from tests.crash.ground import LEASE_SECONDS
from tests.crash.infrastructure.proxy import Mood, Proxy
from tests.stack import database_url
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from tests.crash.ground import Ground
    from tests.crash.trial import Trial
    from tests.stack import Part

pytestmark = pytest.mark.crash

RECOVERY_SECONDS = 15  # P6
HELD = 3


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.SWALLOW])
def test_worker_cut_off_from_postgres(ground: Ground, mood: Mood) -> None:
    with _victim(ground, "DATABASE_URL", database_url()) as (proxy, victim):
        name = f"one worker cut off from PostgreSQL ({mood.value})"
        with ground.trial(name) as trial:
            held = _held_by(ground, trial, victim)
            with trial.fault():
                proxy.become(mood)
                trial.bites("the rescue took its work", trial.ended("lost"))
                ground.target.gate.set()
                _all_finished(held)
                proxy.become(Mood.PASS)
            verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert (verdict.recovery_p99 or 0) <= RECOVERY_SECONDS


def test_the_answer_to_a_commit_is_lost(ground: Ground) -> None:
    with (
        _victim(ground, "DATABASE_URL", database_url()) as (proxy, victim),
        ground.trial("the answers to a worker's commits are lost") as trial,
    ):
        _held_by(ground, trial, victim)
        with trial.fault():
            proxy.become(Mood.DEAF_TO_ANSWERS)
            ground.target.gate.set()
            trial.bites("answers were lost", lambda: proxy.swallowed)
            time.sleep(LEASE_SECONDS / 3)  # how long the network is bad
            proxy.become(Mood.PASS)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations


@pytest.mark.parametrize("mood", [Mood.REFUSE, Mood.SWALLOW])
def test_worker_cut_off_from_redis(ground: Ground, mood: Mood) -> None:
    with _victim(ground, "REDIS_URL", settings.REDIS_URL) as (proxy, victim):
        name = f"one worker cut off from Redis ({mood.value})"
        with ground.trial(name) as trial:
            held = _held_by(ground, trial, victim)
            with trial.fault():
                proxy.become(mood)
                ground.target.gate.set()
                _all_finished(held)  # what it holds it finishes: the truth is in PostgreSQL
                trial.http(trial.size)
                trial.bites("Redis was out of reach", lambda: proxy.refused + proxy.swallowed)
                eventually(lambda: not _unfinished(trial), within=30)
                proxy.become(Mood.PASS)
            verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert not trial.attempts.filter(outcome="lost").exists()


@contextmanager
def _victim(ground: Ground, variable: str, url: str) -> Iterator[tuple[Proxy, Part]]:
    """A worker that reaches one of the servers through a proxy, beside others that need none."""
    ground.staff(beats=1, io=1)
    at = urlsplit(url)
    with Proxy((at.hostname or "", at.port or 0)) as proxy:
        account = at.netloc.rpartition("@")[0]
        through = at._replace(netloc=f"{account}@127.0.0.1:{proxy.port}")
        victim = ground.stack.worker("io", slots=HELD, env={variable: urlunsplit(through)})
        try:
            yield proxy, victim
        finally:
            victim.kill()


def _held_by(ground: Ground, trial: Trial, victim: Part) -> list[UUID]:
    """A load of which the victim holds something that waits for the target's gate."""
    ground.target.gate.clear()
    held = trial.http(4 * HELD, path="/gated", over=0.5)
    trial.http(trial.size)
    running = Execution.objects.filter(pk__in=held, status=Status.RUNNING, worker=victim.name)
    eventually(running.exists, within=20, what="something that the victim holds")
    return list(running.values_list("pk", flat=True))


def _all_finished(ids: list[UUID]) -> None:
    left = Execution.objects.filter(pk__in=ids).exclude(status=Status.SUCCEEDED)
    eventually(lambda: not left.exists(), within=30, what="what it held is finished")


def _unfinished(trial: Trial) -> bool:
    return bool(trial.executions.exclude(status=Status.SUCCEEDED).exists())
