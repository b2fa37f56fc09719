"""What beats do: fire, queue, sweep, audit, redrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executions import ahead, dispatch, maintenance, redrives, scheduler

if TYPE_CHECKING:
    from tests.simulation.plans import Step
    from tests.simulation.world import World

PASSES = {one.__name__: one for one in maintenance.PASSES}


def fire(world: World, step: Step) -> None:
    """A beat fires what it saw coming the last time, then what else is due; and looks ahead."""
    now = world.seen(step)
    foreseen, world.foreseen = world.foreseen, ()
    scheduler.fire_foreseen(foreseen, now)
    while scheduler.fire_due(now):
        pass
    if step.fault is None and not world.overtaking:  # else it may have left out what is locked
        world.account.fired(now)
    world.foreseen = ahead.look(now).foreseen


def queue(world: World, step: Step) -> None:
    dispatch.queue_due(world.seen(step), limit=1 + step.pick % 5)


def sweep(world: World, step: Step) -> None:
    PASSES[step.word](world.seen(step))


def audit(world: World, step: Step) -> None:
    """Look for what does not add up; ``account`` says that there is nothing."""
    for one in maintenance.AUDITS:
        one(world.seen(step))


def advance(world: World, step: Step) -> None:
    redrives.advance(world.seen(step))
