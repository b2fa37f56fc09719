"""What people do, through the API and the admin: start, cancel, redrive, pause, edit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from executions import deadletters, queues, redrives, scheduler, transitions
from executions.deadletters import NotDeadError
from executions.models import Execution, Queue, Redrive
from executions.redrives import RedriveRunningError
from executions.transitions import TransitionError
from jobs import bodies, definitions
from jobs.definitions import DefinitionError

if TYPE_CHECKING:
    from tests.simulation.plans import Step
    from tests.simulation.world import World

REFUSALS = (DefinitionError, RedriveRunningError, NotDeadError, TransitionError)
ACTOR = "ann@example.org"


def run_now(world: World, step: Step) -> None:
    payload = {"customer": step.pick % 3} if step.pick % 2 else None
    job = world.pick_job(step.pick)
    scheduler.run_now(job, now=world.seen(step), actor=ACTOR, payload=payload)


def cancel(world: World, step: Step) -> None:
    execution = world.pick_execution(step.pick)
    if execution is not None:
        transitions.cancel(execution, now=world.seen(step), actor=ACTOR)


def redrive(world: World, step: Step) -> None:
    dead = list(Execution.objects.dead().order_by("pk"))
    if dead:
        one = dead[step.pick % len(dead)]
        deadletters.redrive(one, now=world.seen(step), actor=ACTOR)


def redrive_group(world: World, step: Step) -> None:
    dead = Execution.objects.dead().order_by("pk").first()
    if dead is not None:
        mode, now = Redrive.Mode(step.word), world.seen(step)
        group = redrives.plan(
            dead.team, dead.fingerprint, mode=mode, rate=0.5, now=now, actor=ACTOR
        )
        if group is not None:
            redrives.start(group, now=now)


def pause(world: World, step: Step) -> None:
    now = world.seen(step)
    definitions.pause(world.pick_job(step.pick), now=now, actor=None, until=_end(step, now))


def resume(world: World, step: Step) -> None:
    missed: Any = step.word
    definitions.resume(world.pick_job(step.pick), now=world.seen(step), actor=None, missed=missed)


def change(world: World, step: Step) -> None:
    job = world.pick_job(step.pick)
    now = world.seen(step)
    definitions.change(job, _changed(bodies.of(job), step.word), actor=None, now=now)


def _changed(body: dict[str, Any], word: str) -> dict[str, Any]:
    match word:
        case "schedule":
            every = 20 if body["schedule"]["every_seconds"] == 60 else 60
            return {"schedule": {"type": "interval", "every_seconds": every}}
        case "policy":
            overlap = "skip" if body["policy"]["overlap"] == "allow" else "allow"
            return {"policy": {**body["policy"], "overlap": overlap}}
    return {"description": body["description"] + "x"}


def archive(world: World, step: Step) -> None:
    definitions.archive(world.pick_job(step.pick), now=world.seen(step), actor=None)


def restore(world: World, step: Step) -> None:
    definitions.restore(world.pick_job(step.pick), now=world.seen(step), actor=None)


def pause_queue(world: World, step: Step) -> None:
    now = world.seen(step)
    queues.pause(_queue(step), now=now, actor=ACTOR, until=_end(step, now))


def resume_queue(world: World, step: Step) -> None:
    queues.resume(_queue(step), now=world.seen(step), actor=ACTOR)


def _end(step: Step, now: datetime) -> datetime | None:
    return now + timedelta(seconds=15) if step.word else None


def _queue(step: Step) -> Queue:
    return Queue.objects.get(name=("default", "mail")[step.pick % 2])
