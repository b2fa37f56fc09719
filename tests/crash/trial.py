"""One fault under one load: what was promised, when it broke, how it bit, what became of it."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from executions import bell, clock
from executions.models import UNFINISHED, Attempt, Execution, Origin
from jobs.models import Job, Schedule
from jobs.policies import OnLost, Overlap
from tests.crash import records, report
from tests.crash.facts import Fault, Plan, Slot, Start
from tests.crash.verdict import Verdict, judge
from tests.factories import JobFactory
from tests.waiting import eventually, in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from uuid import UUID

    from django.db.models import QuerySet

    from tests.crash.ground import Ground

SETTLE_SECONDS = 60.0
LOAD_SECONDS = 0.2  # for each execution of a load, on a machine that is busy with others

_numbers = count(1)


class Trial:
    """Made by ``Ground.trial``. ``size`` is how many executions a load of one kind should have."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.name = name
        self.size = report.size()
        self.random = random.Random(f"{report.seed()}/{name}")
        self.jobs: list[Job] = []
        self.bit: dict[str, Callable[[], object]] = {}
        self._ground = ground
        self._executions: set[str] = set()
        self._slots: set[Slot] = set()
        self._at_most_once: set[str] = set()
        self._may_fail: set[str] = set()
        self._may_skip: set[str] = set()
        self._faults: list[Fault] = []

    # --- the load ---------------------------------------------------------------------------

    def http(
        self, number: int, *, path: str = "/work", over: float = 0.0, **version: Any
    ) -> list[UUID]:
        """Promise ``number`` executions that call the target, due within ``over`` seconds.

        ``version`` sets fields of the job's version. Returns the executions' ids.
        """
        return self.burst(self.http_job(path, **version), number, over=over)

    def compute(
        self, number: int, *, function: str = "crash.work", over: float = 0.0, **kwargs: Any
    ) -> list[UUID]:
        """Promise ``number`` executions of a function of ``app``, called with ``kwargs``."""
        return self.burst(self.python_job(function, **kwargs), number, over=over)

    def slots(self, *, number: int, every: int = 1, path: str = "/work") -> Schedule:
        """Promise ``number`` slots of a schedule, the first in about two seconds."""
        first = clock.read().replace(microsecond=0) + timedelta(seconds=2)
        job = self.http_job(path)
        Schedule.objects.filter(job=job).update(
            type=Schedule.Type.INTERVAL,
            every_seconds=every,
            anchor=first,
            next_fire_at=first,
            overlap=Overlap.ALLOW,
        )
        schedule = Schedule.objects.get(job=job)
        self.owe(schedule, [first + timedelta(seconds=every * one) for one in range(number)])
        return schedule

    def http_job(self, path: str = "/work", **version: Any) -> Job:
        payload = {"url": f"{self._ground.target.url}{path}"}
        return self._job(kind="http", payload=payload, **version)

    def python_job(
        self, function: str = "crash.work", *, version: dict[str, Any] | None = None, **kwargs: Any
    ) -> Job:
        payload = {"function": function, "args": [], "kwargs": kwargs}
        return self._job(kind="python", payload=payload, **(version or {}))

    def burst(
        self, job: Job, number: int, *, over: float = 0.0, ago: timedelta = timedelta()
    ) -> list[UUID]:
        """Promise ``number`` executions of ``job``, due evenly within ``over`` seconds.

        Those that were due ``ago`` have waited for so long.
        """
        now = clock.read() - ago
        step = timedelta(seconds=over / max(number, 1))
        rows = [
            Execution.of(job, now=now, due_at=now + one * step, origin=Origin.MANUAL)
            for one in range(number)
        ]
        Execution.objects.bulk_create(rows, batch_size=1000)
        ids = [row.pk for row in rows]
        assert job.current is not None
        if job.current.on_lost == OnLost.FAIL:
            self._at_most_once.update(map(str, ids))
            self._may_fail.update(map(str, ids))
        self.promise(ids)
        bell.ring()
        return ids

    def promise(self, ids: Iterable[UUID]) -> None:
        """Add executions to the plan that were made in another way, and that must succeed."""
        self._executions.update(map(str, ids))

    def owe(self, schedule: Schedule, slots: Iterable[datetime]) -> None:
        """Add slots of ``schedule`` to the plan."""
        self._slots.update((str(schedule.pk), slot) for slot in slots)

    def may_fail(self, ids: Iterable[UUID]) -> None:
        """These executions need not succeed, only finish with a reason."""
        self._may_fail.update(map(str, ids))

    def may_skip(self, schedule: Schedule) -> None:
        """The slots of ``schedule`` may be skipped, if a reason is given."""
        self._may_skip.add(str(schedule.pk))

    @property
    def plan(self) -> Plan:
        return Plan(
            executions=frozenset(self._executions),
            slots=frozenset(self._slots),
            at_most_once=frozenset(self._at_most_once),
            may_fail=frozenset(self._may_fail),
            may_skip=frozenset(self._may_skip),
        )

    # --- what is known ----------------------------------------------------------------------

    @property
    def executions(self) -> QuerySet[Execution]:
        return Execution.objects.filter(job__in=self.jobs)

    @property
    def attempts(self) -> QuerySet[Attempt]:
        return Attempt.objects.filter(execution__job__in=self.jobs)

    def starts(self) -> list[Start]:
        """What the target and the file saw start of this trial's executions."""
        known = {str(pk) for pk in self.executions.values_list("pk", flat=True)}
        seen = records.starts(self._ground.target, self._ground.record)
        return [start for start in seen if start.execution in known]

    def starts_of(self, ids: Iterable[UUID]) -> list[Start]:
        wanted = set(map(str, ids))
        return [start for start in self.starts() if start.execution in wanted]

    def ended(self, outcome: str) -> Callable[[], int]:
        """A check that counts the attempts that have ended with ``outcome``."""
        return self.attempts.filter(outcome=outcome).count

    def await_starts(self, number: int, *, within: float = 30.0) -> None:
        """Wait until ``number`` starts were seen."""
        eventually(lambda: len(self.starts()) >= number, within=within, what=f"{number} starts")

    # --- the fault --------------------------------------------------------------------------

    @contextmanager
    def fault(self) -> Iterator[None]:
        """Time a fault: the block breaks something and, unless it stays broken, mends it."""
        began_at = clock.read()
        yield
        self._faults.append(Fault(began_at=began_at, healed_at=clock.read()))

    def bites(self, what: str, check: Callable[[], object], *, within: float = 30.0) -> None:
        """Prove that the fault hit: ``check`` must become true. ``what`` goes into the report.

        A ``check`` that counts is asked again at the end, and its number is reported, too.
        """
        eventually(check, within=within, what=what)
        self.bit[what] = check

    def verdict(self, *, within: float = SETTLE_SECONDS) -> Verdict:
        """Wait until all is settled or time is over, judge, and report.

        Time is ``within`` seconds and what a load larger than usual needs.
        """
        assert self._faults, "there was no fault that ended"
        assert self.bit, "nothing proves that the fault bit"
        within += self.size * LOAD_SECONDS
        in_time(self._fired, within=within)
        Schedule.objects.filter(job__in=self.jobs).update(enabled=False)
        in_time(self._settled, within=within)
        history = records.read(
            [job.pk for job in self.jobs], target=self._ground.target, file=self._ground.record
        )
        verdict = judge(self.plan, history, self._faults)
        report.REPORT.add(report.Row(self.name, ", ".join(self._bitten()), verdict))
        return verdict

    def _bitten(self) -> Iterator[str]:
        for what, check in self.bit.items():
            value = check()
            yield f"{what} ({value})" if type(value) is int else what

    def _fired(self) -> bool:
        """Say whether every schedule has gone past the last slot that it owes."""
        last = dict(sorted(self._slots, key=lambda owed: owed[1]))
        cursors = Schedule.objects.filter(pk__in=last).values_list("pk", "next_fire_at")
        return all(cursor is None or cursor > last[str(pk)] for pk, cursor in cursors)

    def _settled(self) -> bool:
        return not self.executions.filter(status__in=UNFINISHED).exists()

    def _job(self, **version: Any) -> Job:
        number = next(_numbers)
        named = {f"version__{name}": value for name, value in version.items() if name != "kind"}
        job = JobFactory.create(
            team=self._ground.team,
            kind=version["kind"],
            name=f"{self.name} {number}",
            slug=f"crash-{number}",
            **named,
        )
        self.jobs.append(job)
        return job
