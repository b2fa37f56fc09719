"""What the simulator itself knows of a history, and what it calls a violation as it happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from executions.models import FINISHED, Execution
from jobs.models import Job
from tests.simulation.slots import Slots

if TYPE_CHECKING:
    from tests.simulation.plans import Step
    from tests.simulation.processes import Run

LOOK = (
    "pk", "job_id", "schedule_id", "scheduled_for", "origin", "status", "reason", "attempt",
    "failures", "losses", "due_at", "finished_at", "lease_expires_at", "queue",
)  # fmt: skip
GUARDED = ("status", "reason", "attempt", "failures", "losses", "finished_at")


class Violation(AssertionError):  # noqa: N818  a finding, not an error of the test
    """The engine broke a promise."""


def must(holds: object, sentence: str) -> None:
    if not holds:
        raise Violation(sentence)


Row = dict[str, Any]

# From the status before a step to the one after it, by the verb that may do so. A verb whose
# process can also queue what it made has those arrows as well.
ARROWS: dict[str, set[tuple[str, str]]] = {
    "fire": {("", "scheduled"), ("", "skipped")},
    "queue": {("scheduled", "queued"), ("scheduled", "skipped")},
    "deliver": {("queued", "running")},
    "finish": {("running", "succeeded"), ("running", "failed"), ("running", "scheduled")},
    "give_back": {("running", "succeeded"), ("running", "failed"), ("running", "scheduled")},
    "sweep": {("running", "scheduled"), ("running", "failed")},
    "cancel": {(was, "cancelled") for was in ("scheduled", "queued", "running", "waiting")},
    "run_now": {("", "scheduled"), ("", "queued")},
    "redrive": {("", "scheduled"), ("", "queued")},
}


@dataclass(slots=True)
class Account:
    """Compares what is stored after each step with what may have happened in it."""

    now: datetime
    rows: dict[UUID, Row] = field(default_factory=dict)
    slots: dict[UUID, Slots] = field(default_factory=dict)
    jobs: dict[UUID, Row] = field(default_factory=dict)
    starts: Counter[UUID] = field(default_factory=Counter)
    running: dict[UUID, tuple[int, bool]] = field(default_factory=dict)
    changed_overlap: set[UUID] = field(default_factory=set)

    def started(self, execution: Execution) -> None:
        """A worker began an attempt: never early, never beside another that is not ended."""
        before = self.rows[execution.pk]
        must(before["status"] == "queued", f"{execution} started while {before['status']}")
        must(execution.attempt == before["attempt"] + 1, f"{execution} reuses or skips an attempt")
        slot = execution.scheduled_for
        must(slot is None or slot <= self.now, f"{execution} started before its slot")
        self.starts[execution.pk] += 1

    def settled(self, execution: Execution) -> None:
        """A worker was told that its outcome counts: its attempt must have been the open one."""
        before = self.rows[execution.pk]
        open_attempt = before["status"] == "running" and before["attempt"] == execution.attempt
        must(open_attempt, f"{execution}: a late write was accepted")

    def refused(self, execution: Execution) -> None:
        """A worker was told that its outcome does not count: somebody must have ended its try."""
        before = self.rows[execution.pk]
        open_attempt = before["status"] == "running" and before["attempt"] == execution.attempt
        must(not open_attempt, f"{execution}: an outcome that counts was refused")

    def fired(self, now: datetime) -> None:
        for slots in self.slots.values():
            slots.fired(now)

    def observe(self, step: Step, believed: datetime, runs: list[Run]) -> None:
        """Look at all that is stored, and compare it with what was before ``step``."""
        self._observe_jobs(step, believed)
        seen = {row["pk"]: row for row in Execution.objects.values(*LOOK)}
        must(self.rows.keys() <= seen.keys(), "an execution vanished")
        for pk, row in seen.items():
            before = self.rows.get(pk)
            if row != before:
                self._moved(before, row, step)
                if before and before["status"] == "running" and step.verb == "sweep":
                    self._rescued(row, runs)
        self.rows = seen

    def _moved(self, before: Row | None, after: Row, step: Step) -> None:
        was, now = before["status"] if before else "", after["status"]
        name = f"execution {after['pk']}"
        if before and was in FINISHED:
            same = all(before[field] == after[field] for field in GUARDED)
            must(same, f"{name} was {was} and moved again to {now}")
        if was != now:
            allowed = ARROWS.get(step.verb, set())
            must((was, now) in allowed, f"{name}: {was or 'nothing'} -> {now} by {step.verb}")
        attempt = before["attempt"] if before else 0
        must(
            after["attempt"] - attempt in {0, 1}, f"{name}: attempt {attempt} -> {after['attempt']}"
        )
        must(after["losses"] <= 3, f"{name} was lost {after['losses']} times")

    def _rescued(self, row: Row, runs: list[Run]) -> None:
        for run in runs:
            ours = run.execution.pk == row["pk"] and run.execution.attempt == row["attempt"]
            must(
                not (ours and run.healthy(self.now)),
                f"{run.execution} was taken from a live worker",
            )

    def _observe_jobs(self, step: Step, believed: datetime) -> None:
        fields = ("pk", "paused_at", "archived_at", "schedule__pk", "schedule__anchor",
                  "schedule__every_seconds", "schedule__overlap")  # fmt: skip
        for job in Job.objects.values(*fields):
            before = self.jobs.get(job["pk"])
            if before is None:
                self._new_schedule(job, believed)
            elif job != before:
                self._changed_job(before, job, step, believed)
            self.jobs[job["pk"]] = job

    def _new_schedule(self, job: Row, now: datetime) -> None:
        every = timedelta(seconds=job["schedule__every_seconds"])
        self.slots[job["schedule__pk"]] = Slots(job["schedule__anchor"], every, decided=now)

    def _changed_job(self, before: Row, after: Row, step: Step, believed: datetime) -> None:
        slots = self.slots[after["schedule__pk"]]
        active = not (after["paused_at"] or after["archived_at"])
        spec = ("schedule__anchor", "schedule__every_seconds")
        if any(before[name] != after[name] for name in spec):
            every = timedelta(seconds=after["schedule__every_seconds"])
            slots.begin(believed, anchor=after["schedule__anchor"], every=every)
        if before["archived_at"] and not after["archived_at"]:
            slots.forget(believed)
        if before["paused_at"] and not after["paused_at"] and step.word == "skip":
            slots.forget(believed)
        if before["schedule__overlap"] != after["schedule__overlap"]:
            self.changed_overlap.add(after["schedule__pk"])
        slots.active = active
