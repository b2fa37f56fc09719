"""Beats, workers and people at once, in real threads: nothing deadlocks, doubles or vanishes."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from accounts.models import Team
from executions import (
    clock,
    dispatch,
    endings,
    maintenance,
    queues,
    redrives,
    scheduler,
    transitions,
)
from executions.models import UNFINISHED, AuditFinding, Execution, Queue
from executions.transitions import StaleExecutionError
from jobs import definitions
from jobs.kinds.base import Failed, Succeeded
from jobs.models import Job, Limit, Schedule
from jobs.policies import Overlap
from tests.simulation import verdict
from tests.simulation.people import ACTOR, REFUSALS
from tests.simulation.plans import WORDS, Step
from tests.simulation.verbs import PEOPLE_DO as VERBS
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[random.Random], None]

SECOND = timedelta(seconds=1)
JOBS = 10
PEOPLE = (
    "run_now run_now run_now cancel redrive redrive_group pause resume resume change change "
    "archive restore restore pause_queue resume_queue"
)


def _beat(dice: random.Random) -> None:
    scheduler.fire_due(clock.now())
    dispatch.queue_due(clock.now())
    maintenance.wake_paused(clock.now())
    for duty in (redrives.advance, *maintenance.PASSES, *maintenance.AUDITS):
        if dice.random() < 0.2:
            duty(clock.now())


def _worker(dice: random.Random) -> None:
    """Take what is queued; one time in six die of it, and now and then settle after the lease."""
    for row in list(Execution.objects.filter(status="queued").order_by("?")[:3]):
        lease = dice.choice((30, 30, 1)) * SECOND
        execution = transitions.claim(row.pk, worker="w", now=clock.now(), lease=lease)
        if execution is None or (lease == SECOND and dice.random() < 0.5):
            continue
        outcome = Succeeded() if dice.random() < 0.7 else Failed("raised", "ValueError: no")
        try:
            endings.record(execution, outcome, now=clock.now())
        except StaleExecutionError:
            endings.keep_late(execution, outcome, now=clock.now(), output=[])


class Town:
    """The place of a storm: time is what it is."""

    def seen(self, step: Step) -> datetime:
        return clock.now()

    def pick_job(self, pick: int) -> Job:
        return Job.objects.order_by("pk")[pick % JOBS]

    def pick_execution(self, pick: int) -> Execution | None:
        return Execution.objects.filter(status__in=UNFINISHED).order_by("?").first()


def _person(dice: random.Random) -> None:
    verb = dice.choice(PEOPLE.split())
    word = dice.choice(WORDS.get(verb, ("",)))
    VERBS[verb](Town(), Step(verb, dice.randrange(100), word=word))
    time.sleep(0.01)  # people think


def _job(number: int) -> dict[str, Any]:
    return {
        "name": f"Job {number}",
        "schedule": {"type": "interval", "every_seconds": 1 + number % 3},
        "retry": {"max_attempts": 2, "strategy": "fixed", "base_seconds": 0, "max_seconds": 0},
        "policy": {
            "timeout_seconds": 300,
            "overlap": list(Overlap)[number % len(Overlap)].value,
            "misfire": "all",
            "priority": "normal",
            "queue": ("default", "mail")[number % 2],
            "on_lost": "retry",
            "concurrency": (None, 2)[number % 2],
            "limit": (None, "shared")[number % 3 == 0],
        },
    }


def _go_on(act: Act, name: str, until: float) -> Counter[str]:
    """Do it again and again; return what else than a refusal came of it."""
    dice, odd = random.Random(name), Counter[str]()
    while time.monotonic() < until:
        try:
            act(dice)
        except REFUSALS:
            pass
        except Exception as exc:  # noqa: BLE001  whatever it is, it is what this is about
            odd[f"{name}: {exc!r}"] += 1
    connections.close_all()
    return odd


@pytest.mark.crash
def test_nothing_is_odd_after_a_storm() -> None:
    team = Team.objects.create(name="Storm")
    Limit.objects.create(team=team, name="shared", concurrency=3, rate=20, per_seconds=5)
    for name in ("default", "mail"):
        Queue.objects.get_or_create(name=name)
    for number in range(JOBS):
        definitions.create(team, _job(number), actor=None, now=clock.now())

    until = time.monotonic() + max(10, int(os.environ.get("CHRONOS_CRASH_N") or "20") // 10)
    acts: list[Act] = [_beat, _worker, _person] * 3
    with ThreadPoolExecutor(len(acts)) as pool:
        runs = [
            pool.submit(_go_on, act, f"{act.__name__} {number}", until)
            for number, act in enumerate(acts)
        ]
    assert not sum((run.result() for run in runs), Counter())

    Schedule.objects.update(enabled=False)
    for queue in Queue.objects.all():
        queues.resume(queue, now=clock.now(), actor=ACTOR)
    dice = random.Random(0)

    def drained() -> bool:
        _beat(dice)
        _worker(dice)
        return not Execution.objects.filter(status__in=UNFINISHED).exists()

    eventually(drained, within=300, what=Execution.objects.filter(status__in=UNFINISHED))
    verdict.judge_rows(clock.now())
    assert not AuditFinding.objects.exists()
