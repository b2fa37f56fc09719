"""The judgement of a whole history: what is stored, against what the simulator knows."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from executions import maintenance
from executions.models import Attempt, AuditFinding, Execution, ExecutionEvent, OutboxEvent
from tests.simulation.looking import must

if TYPE_CHECKING:
    from tests.simulation.looking import Row
    from tests.simulation.world import World


A_DAY = timedelta(days=1)  # audits leave what is young alone


def judge(world: World) -> None:
    """Raise ``Violation`` for the first promise that this history broke."""
    judge_rows(world.now)
    for pk, attempt in Execution.objects.values_list("pk", "attempt"):
        starts = world.account.starts[pk]
        must(starts <= attempt, f"execution {pk}: {starts} starts, {attempt} attempts")
    for slots in world.account.slots.values():
        slots.judge(world.now)


def judge_rows(now: datetime) -> None:
    """The same for what the rows of ended executions alone tell."""
    executions = list(Execution.objects.select_related("version", "schedule").order_by("pk"))
    attempts = _by_execution(Attempt.objects.order_by("number").values())
    events = _by_execution(ExecutionEvent.objects.values())
    for execution in executions:
        _judge_attempts(execution, attempts[execution.pk])
        _judge_events(execution, events[execution.pk])
    _judge_outbox(executions)
    _judge_audit(now)
    _judge_redrives(executions, events)


def _by_execution(rows: Any) -> dict[UUID, list[Row]]:
    grouped: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["execution_id"]].append(row)
    return grouped


def _judge_attempts(execution: Execution, attempts: list[Row]) -> None:
    numbers = [attempt["number"] for attempt in attempts]
    must(numbers == list(range(1, execution.attempt + 1)), f"{execution}: attempts {numbers}")
    must(
        all(one["finished_at"] and one["outcome"] for one in attempts), f"{execution}: open attempt"
    )
    outcomes = Counter(one["outcome"] for one in attempts)
    counted = (outcomes["failed"], outcomes["lost"])
    must(counted == (execution.failures, execution.losses), f"{execution}: counts {counted}")
    if execution.version.on_lost == "fail":
        before = {one["outcome"] for one in attempts[:-1]}
        must(before <= {"failed"}, f"{execution} started again after {before}")
    must(execution.failures <= execution.version.max_attempts, f"{execution}: too many failures")
    last = attempts[-1]["outcome"] if attempts else ""
    ended = {"succeeded": {"succeeded"}, "failed": {"failed", "lost"}, "skipped": {""}}
    allowed = ended.get(execution.status)
    must(allowed is None or last in allowed, f"{execution}: {execution.status} after {last}")


def _judge_events(execution: Execution, events: list[Row]) -> None:
    told = Counter(event["what"] for event in events)
    must(told["cancelled"] == (execution.status == "cancelled"), f"{execution}: {told}")
    must(told["requested"] == (execution.origin != "schedule"), f"{execution}: {told}")
    must(told["redriven"] + told["resolved"] == bool(execution.resolved_at), f"{execution}: {told}")
    if execution.status == "skipped":
        must(execution.reason, f"{execution} was skipped for no reason")
        told_why = told["skipped"] or execution.result
        must(told_why, f"{execution} was skipped without an event")


def _judge_redrives(executions: list[Execution], events: dict[UUID, list[Row]]) -> None:
    """Each new start of a dead letter is named by exactly one event, and by the one it resolved."""
    told = [event for rows in events.values() for event in rows if event["what"] == "redriven"]
    named = Counter(event["detail"]["as"] for event in told)
    started = Counter(str(one.pk) for one in executions if one.origin == "redrive")
    must(named == started, f"redriven: {started}, told: {named}")


def _judge_outbox(executions: list[Execution]) -> None:
    """The outside hears of every end, once."""
    told = Counter(OutboxEvent.objects.values_list("subject", "topic"))
    for execution in executions:
        times = told[(execution.pk, f"execution.{execution.status}")]
        must(times == 1, f"{execution}: its end was told {times} times")


def _judge_audit(now: datetime) -> None:
    """The engine's own audit finds nothing to complain of in a sound history."""
    for audit in maintenance.AUDITS:
        while audit(now + A_DAY):
            pass
    found = list(AuditFinding.objects.values_list("message", flat=True))
    must(not found, f"the audit found: {found}")
