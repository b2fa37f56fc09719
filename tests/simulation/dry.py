"""After the faults: time goes on, every process lives, and all work must come to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executions.models import UNFINISHED, Execution, Queue
from jobs.models import Schedule
from tests.simulation.looking import must
from tests.simulation.plans import PASSES, Step

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.world import World

ROUNDS = 60
PAUSE = 5.0  # seconds to the next look when nothing has an instant of its own


def run(world: World) -> None:
    """Fire what is due, end all schedules, and work until nothing is unfinished."""
    for run in world.runs:
        run.frozen = run.cut = False
    Queue.objects.update(paused_at=None)
    world.take(Step("tick", amount=1))
    world.take(Step("fire"))
    Schedule.objects.update(enabled=False)
    for _ in range(ROUNDS):
        _work(world)
        unfinished = [row for row in world.account.rows.values() if row["status"] in UNFINISHED]
        if not unfinished:
            return
        world.take(Step("tick", amount=_seconds_to_next(world.now)))
        _sweep(world)
    names = [f"{row['id']} {row['status']} {row['reason']}".strip() for row in unfinished]
    must(False, f"stuck: {', '.join(names)}")


def _work(world: World) -> None:
    """Beats let in what may start, and workers do it."""
    world.take(Step("queue", 4))
    while world.network.messages():
        world.take(Step("deliver"))
    while world.runs:
        world.take(Step("finish", word="succeed"))


def _sweep(world: World) -> None:
    for word in PASSES:
        world.take(Step("sweep", word=word))
    world.take(Step("advance"))


def _seconds_to_next(now: datetime) -> float:
    """Seconds until the next thing can happen, at least one."""
    unfinished = Execution.objects.filter(status__in=UNFINISHED)
    instants = unfinished.values_list("due_at", "publish_at", "lease_expires_at")
    coming = [instant for row in instants for instant in row if instant and instant > now]
    return max(1.0, (min(coming) - now).total_seconds()) if coming else PAUSE
