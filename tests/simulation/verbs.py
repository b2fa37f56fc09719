"""Every step that a history may take, by its name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from executions import clock, leases
from tests.simulation.beats import advance, audit, fire, queue, sweep
from tests.simulation.people import (
    archive,
    cancel,
    change,
    pause,
    pause_queue,
    redrive,
    redrive_group,
    restore,
    resume,
    resume_queue,
    run_now,
)
from tests.simulation.workers import (
    crash,
    cut,
    deliver,
    finish,
    forge,
    freeze,
    give_back,
    kill,
    mend,
    thaw,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.people import Place
    from tests.simulation.plans import Step
    from tests.simulation.world import World


def tick(world: World, step: Step) -> None:
    """Time goes on, and living workers renew their leases in time."""
    world.now += timedelta(seconds=step.amount)
    world.set_clock()
    world.network.pass_time(step.amount)
    alive = [run for run in world.runs if not run.frozen]
    for run in alive:
        run.thawed = False
        run.held.until = clock.ticks() + (run.until - world.now).total_seconds()
    leases.tend([run.held for run in alive if not run.cut])
    leases.give_up_late([run.held for run in alive if run.cut])  # as ``tend`` does by itself
    for run in alive:
        seconds = run.held.until - clock.ticks()
        run.until = world.now + timedelta(seconds=seconds)


def lose(world: World, step: Step) -> None:
    world.network.lose(step.pick)


def delay(world: World, step: Step) -> None:
    world.network.delay(step.pick)


def double(world: World, step: Step) -> None:
    world.network.double(step.pick)


def flush(world: World, step: Step) -> None:
    world.network.flush()


PEOPLE_DO: dict[str, Callable[[Place, Step], None]] = {
    verb.__name__: verb
    for verb in (
        *(run_now, cancel, redrive, redrive_group, pause_queue, resume_queue),
        *(pause, resume, change, archive, restore),
    )
}
VERBS: dict[str, Callable[[World, Step], None]] = {
    **PEOPLE_DO,
    **{
        verb.__name__: verb
        for verb in (
            *(tick, lose, delay, double, flush),
            *(fire, queue, sweep, audit, advance),
            *(deliver, forge, finish, give_back, crash, kill, freeze, thaw, cut, mend),
        )
    },
}
