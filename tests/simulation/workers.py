"""What workers do: take messages, work, die, freeze, and settle what they did."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import OperationalError

from executions import endings, leases, transitions
from executions.leases import Held
from executions.logs import Output
from executions.models import Execution
from executions.stops import Stop
from executions.transitions import StaleExecutionError
from jobs.kinds.base import Context, Failed, Outcome, Succeeded, Waiting
from tests.simulation.faults import Died
from tests.simulation.network import named_in

if TYPE_CHECKING:
    from tests.simulation.plans import Step
    from tests.simulation.world import World


@dataclass(eq=False, slots=True)
class Run:
    """An attempt as its worker knows it. ``until``: when its lease ends, in simulated time.

    ``outcome`` and ``over_at`` are set once the job is over; a worker repeats them until they are
    stored. While it ``settles``, nothing else befalls it. One that is ``cut`` off works, and
    cannot reach the database.
    """

    execution: Execution
    held: Held
    until: datetime
    frozen: bool = False
    thawed: bool = False
    cut: bool = False
    outcome: Outcome | None = None
    over_at: datetime | None = None
    settles: bool = False

    def healthy(self, now: datetime) -> bool:
        return not (self.frozen or self.cut or self.held.stop) and self.until >= now

    def works(self) -> bool:
        """Say whether its job goes on; one that was just thawed has no time to stop."""
        return not (self.frozen or self.thawed or self.held.stop or self.outcome)


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
        world.account.started(execution, world.runs)
        world.runs.append(_begun(execution, now))


def forge(world: World, step: Step) -> None:
    """A worker takes a message that names what never was."""
    assert (
        transitions.claim(uuid4(), worker="forged", now=world.seen(step), lease=leases.length())
        is None
    )


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
    if run is None or run.cut:
        return
    run.over_at = run.over_at or world.seen(step)
    run.outcome = run.outcome or _outcome(step.word, run.over_at)
    run.settles = True
    try:
        _settle(world, run, run.outcome, run.over_at)
        world.runs.remove(run)
    except Died:
        world.runs.remove(run)
        raise
    finally:
        run.settles = False


def _settle(world: World, run: Run, outcome: Outcome, now: datetime) -> None:
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


def _outcome(word: str, now: datetime) -> Outcome:
    match word:
        case "succeed":
            return Succeeded({"n": 1})
        case "wait":
            return Waiting(now + timedelta(seconds=12))
    return Failed("raised", "ValueError: no", retryable=word == "fail")


def give_back(world: World, step: Step) -> None:
    """A worker that is told to stop hands its work back."""
    run = world.pick_run(step.pick, frozen=False)
    if run is not None and run.outcome is None and not run.cut:
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
        run.frozen, run.thawed = False, True


def cut(world: World, step: Step) -> None:
    """A worker cannot reach the database any more, and works on."""
    run = world.pick_run(step.pick, frozen=False)
    if run is not None:
        run.cut = True


def mend(world: World, step: Step) -> None:
    for run in world.runs:
        run.cut = False
