"""The steps that processes take: each calls the engine's own verb with the time it believes in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import OperationalError

from executions import (
    clock,
    deadletters,
    dispatch,
    endings,
    leases,
    maintenance,
    queues,
    redrives,
    scheduler,
    transitions,
)
from executions.deadletters import NotDeadError
from executions.leases import Held
from executions.logs import Output
from executions.models import Execution, Queue, Redrive
from executions.redrives import RedriveRunningError
from executions.stops import Stop
from executions.transitions import StaleExecutionError, TransitionError
from jobs import bodies, definitions
from jobs.definitions import DefinitionError
from jobs.kinds.base import Context, Failed, Outcome, Succeeded
from tests.simulation.network import named_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.plans import Step
    from tests.simulation.world import World

PASSES = {one.__name__: one for one in maintenance.PASSES}
REFUSALS = (DefinitionError, RedriveRunningError, NotDeadError, TransitionError)
ACTOR = "ann@example.org"


@dataclass(eq=False, slots=True)
class Run:
    """An attempt as its worker knows it. ``until``: when its lease ends, in simulated time.

    ``outcome`` and ``over_at`` are set once the job is over; a worker repeats them until they are
    stored.
    """

    execution: Execution
    held: Held
    until: datetime
    frozen: bool = False
    outcome: Outcome | None = None
    over_at: datetime | None = None

    def healthy(self, now: datetime) -> bool:
        return not self.frozen and not self.held.stop and self.until >= now


def fire(world: World, step: Step) -> None:
    """A beat fires what is due, batch after batch, as long as there is more."""
    now = world.seen(step)
    while scheduler.fire_due(now):
        pass
    if step.fault is None:
        world.account.fired(now)


def queue(world: World, step: Step) -> None:
    dispatch.queue_due(world.seen(step), limit=1 + step.pick % 5)


def sweep(world: World, step: Step) -> None:
    PASSES[step.word](world.seen(step))


def audit(world: World, step: Step) -> None:
    """Look for what does not add up; ``account`` says that there is nothing."""
    for one in maintenance.AUDITS:
        one(world.seen(step))


def deliver(world: World, step: Step) -> None:
    """A worker takes a message. One that finds no database has Celery send it again."""
    message = world.network.take(step.pick)
    if message is None:
        return
    now = world.seen(step)
    worker = f"worker-{step.pick}"
    try:
        execution = transitions.claim(
            named_in(message), worker=worker, now=now, lease=leases.length()
        )
    except OperationalError:
        world.network.put_back(message)
        raise
    if execution is not None:
        world.runs.append(_begun(execution, now))
        world.account.started(execution)


def _begun(execution: Execution, now: datetime) -> Run:
    output = Output(lambda: now)
    context = Context(
        execution_id=execution.pk,
        job_id=execution.job_id,
        attempt=execution.attempt,
        failures=execution.failures,
        scheduled_for=execution.scheduled_for,
        timeout=timedelta(seconds=execution.version.timeout_seconds),
        write=output.write,
    )
    context.log(f"attempt {execution.attempt}")
    held = Held(execution.pk, execution.attempt, context, output, until=0)
    return Run(execution, held, now + leases.length())


def finish(world: World, step: Step) -> None:
    """A worker settles what it did; without a database it tries again at its next step."""
    run = world.pick_run(step.pick, frozen=False)
    if run is None:
        return
    outcome = run.outcome = run.outcome or _outcome(step.word)
    now = run.over_at = run.over_at or world.seen(step)
    output = run.held.output.rest()
    try:
        if run.held.stop and isinstance(outcome, Failed):
            endings.give_back(run.execution, now=now, output=output, stop=run.held.stop)
        else:
            endings.record(run.execution, outcome, now=now, output=output)
    except StaleExecutionError:
        world.account.refused(run.execution)
        endings.keep_late(run.execution, outcome, now=now, output=output)
    else:
        world.account.settled(run.execution)
    world.runs.remove(run)


def _outcome(word: str) -> Outcome:
    if word == "succeed":
        return Succeeded({"n": 1})
    return Failed("raised", "ValueError: no", retryable=word == "fail")


def give_back(world: World, step: Step) -> None:
    """A worker that is told to stop hands its work back."""
    run = world.pick_run(step.pick, frozen=False)
    if run is not None and run.outcome is None:
        run.held.give_up(Stop.WORKER)
        run.outcome = Failed("stopped")
        finish(world, step)


def crash(world: World, step: Step) -> None:
    """A pool child dies with its job, and its parent settles the attempt."""
    run = world.pick_run(step.pick, frozen=False)
    if run is not None:
        world.runs.remove(run)
        endings.crashed(
            run.execution.pk,
            worker=run.execution.worker,
            pid=os.getpid(),
            how="signal 11",
            now=world.seen(step),
        )


def kill(world: World, step: Step) -> None:
    run = world.pick_run(step.pick)
    if run is not None:
        world.runs.remove(run)


def freeze(world: World, step: Step) -> None:
    run = world.pick_run(step.pick, frozen=False)
    if run is not None:
        run.frozen = True


def thaw(world: World, step: Step) -> None:
    run = world.pick_run(step.pick, frozen=True)
    if run is not None:
        run.frozen = False


def tick(world: World, step: Step) -> None:
    """Time goes on, and living workers renew their leases in time."""
    world.now += timedelta(seconds=step.amount)
    world.set_clock()
    world.network.pass_time(step.amount)
    alive = [run for run in world.runs if not run.frozen]
    for run in alive:
        run.held.until = clock.ticks() + (run.until - world.now).total_seconds()
    leases.tend([run.held for run in alive])
    for run in alive:
        seconds = run.held.until - clock.ticks()
        run.until = world.now + timedelta(seconds=seconds)


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


def advance(world: World, step: Step) -> None:
    redrives.advance(world.seen(step))


def run_now(world: World, step: Step) -> None:
    payload = {"customer": step.pick % 3} if step.pick % 2 else None
    job = world.pick_job(step.pick)
    scheduler.run_now(job, now=world.seen(step), actor=ACTOR, payload=payload)


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


def lose(world: World, step: Step) -> None:
    world.network.lose(step.pick)


def delay(world: World, step: Step) -> None:
    world.network.delay(step.pick)


def double(world: World, step: Step) -> None:
    world.network.double(step.pick)


def flush(world: World, step: Step) -> None:
    world.network.flush()


VERBS: dict[str, Callable[[World, Step], None]] = {
    verb.__name__: verb
    for verb in (
        *(tick, lose, delay, double, flush),
        *(fire, queue, sweep, audit),
        *(deliver, finish, give_back, crash, kill, freeze, thaw),
        *(run_now, cancel, redrive, redrive_group, advance, pause_queue, resume_queue),
        *(pause, resume, change, archive, restore),
    )
}
