"""Whatever is lost or dies, statistics count each end and each attempt once."""

from __future__ import annotations

from collections import Counter

from django.db.models import F, Sum

from executions import outbox, rollups
from executions.models import Attempt, Execution, Rollup, Status
from executions.models.rollup import EVERYBODY, Grain
from tests.simulation.plans import draw
from tests.simulation.world import play

HISTORIES = 12


def test_statistics_add_up_to_what_is_stored() -> None:
    for seed in range(HISTORIES):
        Rollup.objects.all().delete()
        world = play(draw(seed))
        while outbox.deliver(world.now, limit=7, channels=()):
            pass

        for grain in Grain:
            assert _added(grain) == _stored(), (seed, grain)


def _added(grain: Grain) -> dict[str, int]:
    rows = Rollup.objects.filter(subject=EVERYBODY, grain=grain)
    sums = rows.aggregate(**{name: Sum(name, default=0) for name in rollups.COUNTS})
    return {name: int(number) for name, number in sums.items()}


def _stored() -> dict[str, int]:
    ends = Counter(Execution.objects.values_list("status", flat=True))
    skipped = Execution.objects.filter(status=Status.SKIPPED).values_list("result", flat=True)
    outcomes = Counter(Attempt.objects.values_list("outcome", flat=True))
    last = Attempt.objects.filter(number=F("execution__attempt"), outcome="failed")
    final = last.filter(execution__status=Status.FAILED).count()
    return {
        "started": sum(outcomes.values()),
        "succeeded": ends[Status.SUCCEEDED],
        "failed": ends[Status.FAILED],
        "skipped": sum((one or {}).get("count", 1) for one in skipped),
        "cancelled": ends[Status.CANCELLED],
        "retried": outcomes["failed"] - final,
        "lost": outcomes["lost"],
    }
