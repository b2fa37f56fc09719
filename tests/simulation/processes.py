"""The steps that processes take: each calls the engine's own verb with the time it believes in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import OperationalError

from executions import (
    clock,
    deadletters,
    dispatch,
    leases,
    maintenance,
    queues,
    runner,
    scheduler,
    transitions,
)
from executions.deadletters import NotDeadError
from executions.logs import Output
from executions.models import Execution, Queue
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
REFUSALS = (DefinitionError, NotDeadError, TransitionError)
ACTOR = "ann@example.org"


@dataclass(eq=False, slots=True)
class Run:
    """An attempt as its worker knows it. ``until``: when its lease ends, in simulated time."""

    execution: Execution
    context: Context
    output: Output
    until: datetime
    frozen: bool = False
    outcome: Outcome | None = None

    def healthy(self, now: datetime) -> bool:
        return not self.frozen and not self.context.stop.is_set() and self.until >= now


def fire(world: World, step: Step) -> None:
    now = world.seen(step)
    scheduler.fire_due(now)
    if step.fault is None:
        world.account.fired(now)


def queue(world: World, step: Step) -> None:
    dispatch.queue_due(world.seen(step), limit=1 + step.pick % 5)


def sweep(world: World, step: Step) -> None:
    PASSES[step.word](world.seen(step))


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
    return Run(execution, context, output, now + leases.length())


def finish(world: World, step: Step) -> None:
    """A worker settles what it did; without a database it tries again at its next step."""
    run = world.pick_run(step.pick, frozen=False)
    if run is None:
        return
    outcome = run.outcome = run.outcome or _outcome(step.word)
    stopped = run.context.stop.is_set() and isinstance(outcome, Failed)
    try:
        if stopped:
            runner.give_back(run.execution, now=world.seen(step), output=run.output.take())
        else:
            runner.record(run.execution, outcome, now=world.seen(step), output=run.output.take())
    except StaleExecutionError:
        world.account.refused(run.execution)
    else:
        world.account.settled(run.execution)
    world.runs.remove(run)


def _outcome(word: str) -> Outcome:
    if word == "succeed":
        return Succeeded({"n": 1})
    return Failed("raised", "ValueError: no", retryable=word == "fail")


def give_back(world: World, step: Step) -> None:
    run = world.pick_run(step.pick, frozen=False)
    if run is not None:
        run.context.stop.set()
        run.outcome = run.outcome or Failed("stopped")
        finish(world, step)


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
    held = {id(run): _held(run, world.now) for run in alive}
    leases.tend(list(held.values()))
    for run in alive:
        seconds = held[id(run)].until - clock.ticks()
        run.until = world.now + timedelta(seconds=seconds)


def _held(run: Run, now: datetime) -> leases.Held:
    until = clock.ticks() + (run.until - now).total_seconds()
    return leases.Held(run.execution.pk, run.execution.attempt, run.context, run.output, until)


def cancel(world: World, step: Step) -> None:
    execution = world.pick_execution(step.pick)
    if execution is not None:
        transitions.cancel(execution, now=world.seen(step), actor=ACTOR)


def redrive(world: World, step: Step) -> None:
    dead = list(Execution.objects.dead().order_by("pk"))
    if dead:
        one = dead[step.pick % len(dead)]
        deadletters.redrive(one, now=world.seen(step), actor=ACTOR)


def run_now(world: World, step: Step) -> None:
    scheduler.run_now(world.pick_job(step.pick), now=world.seen(step), actor=ACTOR)


def pause(world: World, step: Step) -> None:
    definitions.pause(world.pick_job(step.pick), now=world.seen(step), actor=None)


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
    queues.pause(_queue(step), now=world.seen(step), actor=ACTOR)


def resume_queue(world: World, step: Step) -> None:
    queues.resume(_queue(step), now=world.seen(step), actor=ACTOR)


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
        tick, fire, queue, deliver, finish, sweep, kill, freeze, thaw, give_back, cancel, run_now,
        redrive, lose, delay, double, flush, pause, resume, change, archive, restore, pause_queue,
        resume_queue,
    )
}  # fmt: skip
