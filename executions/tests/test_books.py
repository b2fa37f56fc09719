"""Whatever people do to a job, its slots add up: seeded lives that the audit looks over."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from executions import scheduler
from executions.maintenance import audit_slots, rearm, wake_paused
from executions.models import AuditFinding, Execution, Status
from jobs import bodies, definitions
from jobs.slots import Why
from tests.factories import TeamFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.models import Job

pytestmark = pytest.mark.django_db

SEEDS = 30
STEPS = 30
ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe"]


class Life:
    """One job, and what a seed lets happen to it. The seed is all that a failure needs."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = datetime(2027, 3, 27, tzinfo=UTC)  # the day before clocks change in Berlin
        body = {"name": "life", "schedule": self.schedule(), "policy": self.policy()}
        self.job: Job = definitions.create(TeamFactory.create(), body, actor=None, now=self.now)

    def schedule(self) -> dict[str, Any]:
        bounds: dict[str, Any] = {}
        if self.chance.random() < 0.3:
            bounds["max_executions"] = self.chance.randint(1, 40)
        if self.chance.random() < 0.2:
            bounds["ends_at"] = self.now + timedelta(hours=self.chance.randint(1, 72))
        if self.chance.random() < 0.2:
            bounds["starts_at"] = self.now + timedelta(minutes=self.chance.randint(-90, 90))
        if self.chance.random() < 0.2:
            bounds["jitter_seconds"] = 30
        every = {"type": "interval", "every_seconds": self.chance.choice([7, 60, 3600])}
        cron = self.chance.choice(["*/5 * * * *", "30 2 * * *", "0 0/10 * * * ?"])
        once = {"type": "once", "run_at": self.now + timedelta(minutes=self.chance.randint(1, 90))}
        clock = {"type": "cron", "cron": cron, "timezone": self.chance.choice(ZONES)}
        regular = [{**every, **bounds}, {**clock, **bounds}]
        return self.chance.choice([*regular * 3, once, {"type": "manual"}])

    def policy(self) -> dict[str, Any]:
        return {
            **bodies.DEFAULTS["policy"],
            "misfire": self.chance.choice(["skip", "latest", "all"]),
            "catch_up_max": self.chance.choice([1, 5, 10_000]),
        }

    def step(self) -> None:
        verbs: list[Callable[[], Any]] = [
            *[self.wait] * 6,
            *[self.fire] * 8,
            *[self.resume] * 3,
            *(self.edit, self.pause, self.archive, self.audit),
        ]
        with suppress(definitions.DefinitionError):  # not in this state: nothing happens
            self.chance.choice(verbs)()

    def wait(self) -> None:
        self.now += timedelta(seconds=self.chance.choice([1, 50, 700, 9_000, 100_000]))

    def fire(self) -> None:
        wake_paused(self.now)
        rearm(self.now)
        scheduler.fire_due(self.now)

    def edit(self) -> None:
        body = {"schedule": self.schedule(), "policy": self.policy()}
        definitions.change(self.job, body, actor=None, now=self.now)

    def pause(self) -> None:
        until = self.now + timedelta(hours=1) if self.chance.random() < 0.5 else None
        definitions.pause(self.job, now=self.now, actor=None, until=until)

    def resume(self) -> None:
        missed: Any = self.chance.choice(["skip", "latest", "all"])
        definitions.resume(self.job, now=self.now, actor=None, missed=missed)

    def archive(self) -> None:
        definitions.archive(self.job, now=self.now, actor=None)
        self.wait()
        definitions.restore(self.job, now=self.now, actor=None)

    def audit(self) -> None:
        audit_slots(self.now)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_life_adds_up(seed: int) -> None:
    life = Life(seed)
    for _ in range(STEPS):
        life.step()
    life.resume()
    while scheduler.fire_due(life.now):
        pass

    audit_slots(life.now)

    assert list(AuditFinding.objects.values_list("message", flat=True)) == []
    life.job.schedule.refresh_from_db()
    assert life.job.schedule.enabled


def test_lives_are_eventful() -> None:
    """Empty lives would prove nothing."""
    for seed in range(SEEDS):
        life = Life(seed)
        for _ in range(STEPS):
            life.step()

    skipped = Execution.objects.filter(status=Status.SKIPPED)
    assert set(skipped.values_list("reason", flat=True)) == {*map(str, Why)}
    assert Execution.objects.filter(status=Status.SCHEDULED).count() > 200
