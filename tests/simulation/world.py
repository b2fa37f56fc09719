"""One history, played on the real database: the clock, the processes, and what befalls them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import OperationalError, connection

from accounts.models import Team
from executions.models import Execution, Queue
from jobs import definitions
from jobs.models import Job, Limit
from tests.factories import NOON
from tests.simulation import dry, timeline, verdict
from tests.simulation.account import Account
from tests.simulation.faults import Died, befalls
from tests.simulation.network import Network
from tests.simulation.people import REFUSALS
from tests.simulation.plans import Plan, Step
from tests.simulation.verbs import PEOPLE_DO, VERBS
from tests.simulation.workers import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executions.ahead import Foreseen

ASIDE = frozenset(
    {"kill", "freeze", "thaw", "lose", "delay", "double", "flush"}
)  # nothing is stored

EMPTY = """
DELETE FROM executions_auditfinding; DELETE FROM executions_auditmark;
DELETE FROM django_celery_results_taskresult; DELETE FROM executions_outboxevent;
DELETE FROM executions_logchunk; DELETE FROM executions_executionevent;
DELETE FROM executions_attempt; DELETE FROM executions_execution;
DELETE FROM executions_redrive; DELETE FROM jobs_schedule; UPDATE jobs_job SET current_id = NULL;
DELETE FROM jobs_jobversion; DELETE FROM jobs_job; DELETE FROM jobs_limit;
DELETE FROM executions_queue;
INSERT INTO executions_queue (name, description, paused_reason, created_at)
VALUES ('default', '', '', now()), ('mail', '', '', now())
"""


def play(plan: Plan) -> World:
    """Run ``plan`` to its end on an empty engine and judge it. Raises ``Violation``."""
    world = World(plan)
    for step in plan.steps:
        world.take(step)
    dry.run(world)
    verdict.judge(world)
    return world


class World:
    """What is there besides the database: time, messages on their way, workers at work."""

    def __init__(self, plan: Plan) -> None:
        random.seed(plan.seed)
        timeline.follow()
        with connection.cursor() as cursor:
            cursor.execute(EMPTY)
        self.now = NOON
        self.account = Account(NOON)
        self.set_clock()
        self.network = Network()
        self.runs: list[Run] = []
        self.foreseen: Sequence[Foreseen] = ()
        self.overtaking = False
        team = Team.objects.get_or_create(name="Simulation")[0]
        Queue.objects.filter(name=plan.one_at_a_time).update(concurrency=1)
        if plan.limit:
            Limit.objects.create(team=team, name="shared", **plan.limit)
        self._jobs = [definitions.create(team, job, actor=None, now=NOON) for job in plan.jobs]
        self.account.observe(Step("tick"), NOON, [])

    def set_clock(self) -> None:
        timeline.set_to(self.now)
        self.account.now = self.now

    def seen(self, step: Step) -> datetime:
        """The time as the process of ``step`` knows it: it may have slept since it looked."""
        return max(NOON, self.now - timedelta(seconds=step.amount))

    def take(self, step: Step) -> None:
        """Let a process take ``step``, and look at what is stored afterwards."""
        refusals = REFUSALS if step.verb in PEOPLE_DO else ()
        with (
            suppress(Died, OperationalError, *refusals),
            befalls(step.fault, lambda: elsewhere.submit(self._overtake, step).result()),
        ):
            VERBS[step.verb](self, step)
        if step.verb not in ASIDE:
            self._look(step)

    def _look(self, step: Step) -> None:
        believed = self.now if step.verb == "tick" else self.seen(step)
        self.account.observe(step, believed, self.runs)

    def _overtake(self, step: Step) -> None:
        """On a connection of its own, which does not wait long for a lock, overtake ``step``."""
        if connection.connection is None:
            timeline.follow()
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '10ms'")
        self._look(step)  # what it has committed so far
        if step.meanwhile is not None:
            self.overtaking = True
            self.take(step.meanwhile)
            self.overtaking = False

    def pick_run(self, pick: int, *, frozen: bool | None = None) -> Run | None:
        free = [run for run in self.runs if not run.settles]
        runs = [run for run in free if frozen is None or run.frozen is frozen]
        return runs[pick % len(runs)] if runs else None

    def pick_execution(self, pick: int) -> Execution | None:
        executions = Execution.objects.order_by("pk")
        count = executions.count()
        return executions[pick % count] if count else None

    def pick_job(self, pick: int) -> Job:
        return Job.objects.get(pk=self._jobs[pick % len(self._jobs)].pk)


elsewhere = ThreadPoolExecutor(1, thread_name_prefix="overtaking")
