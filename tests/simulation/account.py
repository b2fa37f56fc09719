"""What the simulator itself knows of a history, and what it calls a violation as it happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from executions.models import FINISHED, Execution
from tests.simulation.caps import Caps
from tests.simulation.looking import Row, look, must
from tests.simulation.slots import Slots

if TYPE_CHECKING:
    from tests.simulation.plans import Step
    from tests.simulation.workers import Run

GUARDED = ("status", "reason", "attempt", "failures", "losses", "finished_at")


# A start by hand is queued at once, and cancelled if its job was archived meanwhile.
STARTS = {("", now) for now in ("scheduled", "queued", "cancelled")} | {
    ("scheduled", now) for now in ("queued", "cancelled")
}

# From the status before a step to the one after it, by the verb that may do so.
ARROWS: dict[str, set[tuple[str, str]]] = {
    "fire": {("", "scheduled"), ("", "skipped")},
    "queue": {("scheduled", "queued"), ("scheduled", "skipped")}
    | {(was, "cancelled") for was in ("scheduled", "queued", "running", "waiting")},
    "deliver": {("queued", "running")},
    "finish": {("running", to) for to in ("succeeded", "failed", "scheduled", "waiting")},
    "give_back": {("running", "succeeded"), ("running", "failed"), ("running", "scheduled")},
    "crash": {("running", "scheduled"), ("running", "failed")},
    "sweep": {
        *(("running", "scheduled"), ("running", "failed")),
        *(("scheduled", "skipped"), ("queued", "skipped")),
        *(("waiting", "scheduled"), ("waiting", "failed")),
    },
    "cancel": {(was, "cancelled") for was in ("scheduled", "queued", "running", "waiting")},
    "run_now": STARTS,
    "resume": {("", "skipped")},
    "change": {("", "skipped")},
    "archive": {("", "skipped")},
    "restore": {("", "skipped")},
    "redrive": STARTS,
    "advance": {("", "scheduled")},
}


@dataclass(slots=True)
class Account:
    """Compares what is stored after each step with what may have happened in it."""

    now: datetime
    rows: dict[UUID, Row] = field(default_factory=dict)
    slots: dict[UUID, Slots] = field(default_factory=dict)
    jobs: dict[UUID, Row] = field(default_factory=dict)
    starts: Counter[UUID] = field(default_factory=Counter)
    caps: Caps = field(default_factory=Caps)
    overlaps: dict[UUID, str] = field(default_factory=dict)

    def started(self, execution: Execution, runs: list[Run]) -> None:
        """A worker began an attempt: never early, never beside another that is not ended."""
        for run in runs:
            beside = run.execution.pk == execution.pk and run.works()
            must(not beside, f"{execution} works twice at once")
        before = self.rows[execution.pk]
        must(before["status"] == "queued", f"{execution} started while {before['status']}")
        must(execution.attempt == before["attempt"] + 1, f"{execution} reuses or skips an attempt")
        slot = execution.scheduled_for
        must(slot is None or slot <= self.now, f"{execution} started before its slot")
        believed = execution.started_at or self.now
        self.caps.started(before, self.now, believed=believed)
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
        """A beat fired all that was due at ``now``, undisturbed, and believed in that time."""
        for job in self.jobs.values():
            slots = self.slots[job["schedule_id"]]
            if slots.active and not job["missed"]:
                cap = job["catch_up_max"]
                slots.expect(now, misfire=job["misfire"], cap=cap)
            if slots.active:
                slots.pass_by(now)

    def observe(self, step: Step, believed: datetime, runs: list[Run]) -> None:
        """Look at all that is stored, and compare it with what was before ``step``."""
        now = look()
        self._account_for(now.executions)  # before a changed job is noticed
        for job in now.jobs:
            self._observe_job(job, step, believed)
        self.caps.look(now.jobs, now.queues, now.limits)
        must(not now.findings, f"the audit found: {now.findings}")
        seen = {row["id"]: row for row in now.executions}
        must(self.rows.keys() <= seen.keys(), "an execution vanished")
        for pk, row in seen.items():
            before = self.rows.get(pk)
            if row != before:
                self._moved(before, row, step)
                if before and row["status"] == "queued" != before["status"]:
                    self._queued(row, seen, believed)
                if before and before["status"] == "running" and step.verb == "sweep":
                    self._rescued(row, runs)
        self.rows = seen

    def _account_for(self, rows: list[Row]) -> None:
        for row in rows:
            if row["schedule_id"] and row["id"] not in self.rows:
                self.slots[row["schedule_id"]].account_for(row)
        for slots in self.slots.values():
            slots.judge_misfire()

    def _moved(self, before: Row | None, after: Row, step: Step) -> None:
        was, now = before["status"] if before else "", after["status"]
        name = f"execution {after['id']}"
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

    def _queued(self, row: Row, seen: dict[UUID, Row], believed: datetime) -> None:
        """It was time, and with a policy that forbids overlap every earlier slot is finished."""
        must(row["due_at"] <= believed, f"execution {row['id']} was queued early")
        self.caps.queued(row, seen.values())
        if row["attempt"] or self.overlaps.get(row["schedule_id"], "allow") == "allow":
            return
        for other in seen.values():
            if other["schedule_id"] == row["schedule_id"] and other["status"] not in FINISHED:
                earlier = other["scheduled_for"] < row["scheduled_for"]
                must(not earlier, f"execution {row['id']} overlaps {other['id']}")

    def _rescued(self, row: Row, runs: list[Run]) -> None:
        for run in runs:
            ours = run.execution.pk == row["id"] and run.execution.attempt == row["attempt"]
            must(
                not (ours and run.healthy(self.now)),
                f"{run.execution} was taken from a live worker",
            )

    def _observe_job(self, job: Row, step: Step, believed: datetime) -> None:
        before = self.jobs.get(job["id"])
        if before is None:
            self._new_schedule(job, believed)
        elif job != before:
            self._changed_job(before, job, step, believed)
        self.jobs[job["id"]] = job
        self.overlaps[job["schedule_id"]] = job["overlap"]

    def _new_schedule(self, job: Row, now: datetime) -> None:
        every = timedelta(seconds=job["every_seconds"])
        self.slots[job["schedule_id"]] = Slots(job["anchor"], every, decided=now)

    def _changed_job(self, before: Row, after: Row, step: Step, believed: datetime) -> None:
        slots = self.slots[after["schedule_id"]]
        active = not (after["paused_at"] or after["archived_at"])
        spec = ("anchor", "every_seconds")
        if any(before[name] != after[name] for name in spec):
            anchor, every = (after[name] for name in spec)
            slots.begin(believed, self.now, anchor=anchor, every=every)
        if bool(before["archived_at"]) != bool(after["archived_at"]):
            slots.pass_by(believed)
        if before["paused_at"] and not after["paused_at"] and step.word == "skip":
            slots.pass_by(believed)
        slots.active = active
