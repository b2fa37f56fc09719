"""An hour of random faults under a steady load: ``python -m tests.crash.soak``.

Starts its own PostgreSQL and Valkey, migrates, and runs a stack of two beats, two io workers and a
compute worker. Every few seconds one fault of ``weather`` hits, chosen by the seed; what died is
started again. A line a minute tells how it goes; at the end everything must settle and the verdict
must hold, else the exit status is 1. The same seed chooses the same faults, not the same moments.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import django

from embedded.throwaway import ThrowAway

if TYPE_CHECKING:
    from tests.crash.ground import Ground
    from tests.crash.trial import Trial
    from tests.crash.verdict import Verdict

CALM_SECONDS = 6.0  # between two faults
SETTLE_SECONDS = 180.0  # after the last one; a message that was lost is sent again after minutes
LOAD = 60  # executions that come due between two faults


def main() -> int:
    """Parse, start the servers, soak, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", default=str(random.randrange(10**6)))
    asked = parser.parse_args()

    servers = ThrowAway()
    os.environ |= {"DATABASE_URL": servers.postgres(), "REDIS_URL": servers.redis()}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings_test")
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  after django.setup()

    from tests.crash.ground import Ground  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    say(f"seed {asked.seed}, {asked.seconds:g} s")
    with Ground() as ground, ground.trial(f"soak with seed {asked.seed}") as trial:
        verdict = soak(ground, trial, seconds=asked.seconds, chance=random.Random(asked.seed))
    tell(verdict)
    return 0 if verdict.holds else 1


def soak(ground: Ground, trial: Trial, *, seconds: float, chance: random.Random) -> Verdict:
    """Let faults hit for so long, then wait until all has settled, and judge."""
    from tests.crash.weather import FAULTS  # noqa: PLC0415  after django.setup()

    began = time.monotonic()
    told = 0
    ground.staff(beats=2, io=2, compute=1)
    load = Load(trial)
    hits: Counter[str] = Counter()
    while (elapsed := time.monotonic() - began) < seconds:
        load.more()
        time.sleep(chance.uniform(CALM_SECONDS / 2, CALM_SECONDS))  # let the load run
        name = chance.choice(list(FAULTS))
        with trial.fault():
            FAULTS[name](ground, chance)
        hits[name] += 1
        ground.staff(beats=2, io=2, compute=1)
        if elapsed // 60 > told:
            told = int(elapsed // 60)
            say(f"{told} min: {progress(trial)}, {hits.total()} faults")
    trial.bites(", ".join(f"{number} times {name}" for name, number in hits.items()), hits.total)
    load.stop()
    return trial.verdict(within=SETTLE_SECONDS)


class Load:
    """Jobs of both fleets, one that may start only once, and a schedule of every second."""

    def __init__(self, trial: Trial) -> None:
        from jobs.policies import OnLost  # noqa: PLC0415  after django.setup()

        self._trial = trial
        self._schedule = trial.slots(number=1)
        self._jobs = [
            (trial.http_job("/work?seconds=0.2"), LOAD // 2),
            (trial.http_job("/work?seconds=2", on_lost=OnLost.FAIL), LOAD // 10),
            (trial.python_job(after=0.1), LOAD // 4),
            (trial.python_job(before=1.0, after=1.0), LOAD // 20),
        ]

    def more(self) -> None:
        """Promise what is to be done until the next fault."""
        for job, number in self._jobs:
            self._trial.burst(job, number, over=CALM_SECONDS)

    def stop(self) -> None:
        """End the schedule: all of its slots up to now are owed."""
        from datetime import timedelta  # noqa: PLC0415

        from executions import clock  # noqa: PLC0415
        from jobs.models import Schedule  # noqa: PLC0415

        Schedule.objects.filter(pk=self._schedule.pk).update(enabled=False)
        first = self._schedule.next_fire_at
        last = Schedule.objects.get(pk=self._schedule.pk).next_fire_at
        assert first and last  # noqa: PT018  a schedule of every second has both
        number = int((min(last, clock.read()) - first).total_seconds())
        slots = [first + timedelta(seconds=one) for one in range(number)]
        self._trial.owe(self._schedule, slots)


def progress(trial: Trial) -> str:
    """How many executions there are, by status, and how many attempts were lost."""
    statuses = Counter(trial.executions.values_list("status", flat=True))
    lost = trial.attempts.filter(outcome="lost").count()
    return ", ".join([*(f"{n} {status}" for status, n in sorted(statuses.items())), f"{lost} lost"])


def tell(verdict: Verdict) -> None:
    """Print the verdict, and every violation."""
    say(
        f"{verdict.n} promised; lost {len(verdict.lost)}, doubled {len(verdict.duplicates)}, "
        f"unexplained starts {len(verdict.unexplained_starts)}, "
        f"late writes {len(verdict.late_writes)}, stuck {len(verdict.stuck)}; "
        f"recovery p99 {verdict.recovery_p99} s, slowest progress {verdict.first_progress} s"
    )
    for violation in verdict.violations:
        say(violation)


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)  # noqa: T201  a script's output


if __name__ == "__main__":
    raise SystemExit(main())
