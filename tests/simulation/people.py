"""What people do, through the API and the admin: start, cancel, redrive, pause, edit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from executions import deadletters, queues, redrives, scheduler, transitions
from executions.deadletters import NotDeadError
from executions.models import Execution, Queue, Redrive
from executions.redrives import RedriveRunningError
from executions.transitions import TransitionError
from jobs import bodies, definitions
from jobs.definitions import DefinitionError

if TYPE_CHECKING:
    from jobs.models import Job
    from tests.simulation.plans import Step

REFUSALS = (DefinitionError, RedriveRunningError, NotDeadError, TransitionError)
ACTOR = "ann@example.org"


class Place(Protocol):
    """Where people act: a simulated history, or a storm."""

    def seen(self, step: Step) -> datetime: ...
    def pick_job(self, pick: int) -> Job: ...
    def pick_execution(self, pick: int) -> Execution | None: ...


def run_now(place: Place, step: Step) -> None:
    payload = {"customer": step.pick % 3} if step.pick % 2 else None
    job = place.pick_job(step.pick)
    scheduler.run_now(job, now=place.seen(step), actor=ACTOR, payload=payload)


def cancel(place: Place, step: Step) -> None:
    execution = place.pick_execution(step.pick)
    if execution is not None:
        transitions.cancel(execution, now=place.seen(step), actor=ACTOR)


def redrive(place: Place, step: Step) -> None:
    dead = list(Execution.objects.dead().order_by("pk"))
    if dead:
        one = dead[step.pick % len(dead)]
        deadletters.redrive(one, now=place.seen(step), actor=ACTOR)


def redrive_group(place: Place, step: Step) -> None:
    dead = Execution.objects.dead().order_by("pk").first()
    if dead is not None:
        mode, now = Redrive.Mode(step.word), place.seen(step)
        group = redrives.plan(
            dead.team, dead.fingerprint, mode=mode, rate=0.5, now=now, actor=ACTOR
        )
        if group is not None:
            redrives.start(group, now=now)


def pause(place: Place, step: Step) -> None:
    now = place.seen(step)
    definitions.pause(place.pick_job(step.pick), now=now, actor=None, until=_end(step, now))


def resume(place: Place, step: Step) -> None:
    missed: Any = step.word
    definitions.resume(place.pick_job(step.pick), now=place.seen(step), actor=None, missed=missed)


def change(place: Place, step: Step) -> None:
    job = place.pick_job(step.pick)
    now = place.seen(step)
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


def archive(place: Place, step: Step) -> None:
    definitions.archive(place.pick_job(step.pick), now=place.seen(step), actor=None)


def restore(place: Place, step: Step) -> None:
    definitions.restore(place.pick_job(step.pick), now=place.seen(step), actor=None)


def pause_queue(place: Place, step: Step) -> None:
    now = place.seen(step)
    queues.pause(_queue(step), now=now, actor=ACTOR, until=_end(step, now))


def resume_queue(place: Place, step: Step) -> None:
    queues.resume(_queue(step), now=place.seen(step), actor=ACTOR)


def _end(step: Step, now: datetime) -> datetime | None:
    return now + timedelta(seconds=15) if step.word else None


def _queue(step: Step) -> Queue:
    return Queue.objects.get(name=("default", "mail")[step.pick % 2])
