"""The checker is tested too: each broken history is called broken, and a sound one is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.crash.facts import AttemptRow, Event, ExecutionRow, Fault, History, Plan, Start
from tests.crash.verdict import Verdict, judge
from tests.factories import NOON

FAULTS = [Fault(began_at=NOON, healed_at=NOON + timedelta(seconds=1))]
PLAN = Plan(executions=frozenset(["one"]))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def row(status: str = "succeeded", **changes: Any) -> ExecutionRow:
    return replace(ExecutionRow(id="one", status=status), **changes)


def attempt(number: int, begin: float, end: float | None, outcome: str) -> AttemptRow:
    finished_at = None if end is None else at(end)
    return AttemptRow(
        execution="one",
        number=number,
        started_at=at(begin),
        finished_at=finished_at,
        outcome=outcome,
    )


def start(number: int, seconds: float) -> Start:
    return Start(execution="one", attempt=number, at=at(seconds))


LOST = attempt(1, -2, 3, "lost")
AGAIN = attempt(2, 4, 6, "succeeded")
SOUND = History(
    executions=[row(wrote=2)], attempts=[LOST, AGAIN], starts=[start(1, -1), start(2, 5)]
)


def of(history: History, plan: Plan = PLAN) -> Verdict:
    return judge(plan, history, FAULTS)


def test_a_sound_history_holds_and_is_measured() -> None:
    verdict = of(SOUND)

    assert verdict.holds, verdict.violations
    assert (verdict.n, verdict.recovery_p99, verdict.first_progress) == (1, 5.0, 4.0)


def test_a_failed_try_may_be_followed_by_another() -> None:
    history = replace(SOUND, attempts=[attempt(1, -2, 3, "failed"), AGAIN])

    assert of(history).holds


def test_an_execution_that_is_not_there_is_lost() -> None:
    assert len(of(History()).lost) == 1


@pytest.mark.parametrize("status", ["scheduled", "queued", "running", "waiting"])
def test_an_unfinished_execution_is_lost_and_stuck(status: str) -> None:
    verdict = of(History(executions=[row(status)]))

    assert (len(verdict.lost), len(verdict.stuck)) == (1, 1)


def test_a_success_that_never_started_is_lost() -> None:
    assert len(of(replace(SOUND, starts=[])).lost) == 1


def test_a_failure_that_nothing_excuses_is_lost() -> None:
    failed = [attempt(1, -2, 3, "lost")]
    history = History(executions=[row("failed", reason="worker_lost")], attempts=failed)

    assert len(of(history).lost) == 1
    assert of(history, replace(PLAN, may_fail=frozenset(["one"]))).holds


@pytest.mark.parametrize("status", ["failed", "skipped", "cancelled"])
def test_an_end_that_nobody_explains_is_lost(status: str) -> None:
    excused = replace(PLAN, may_fail=frozenset(["one"]))

    assert len(of(History(executions=[row(status)]), excused).lost) == 1


def test_a_cancellation_with_its_event_is_explained() -> None:
    excused = replace(PLAN, may_fail=frozenset(["one"]))
    history = History(
        executions=[row("cancelled")], events=[Event(execution="one", what="cancelled")]
    )

    assert of(history, excused).holds


def test_a_slot_that_is_neither_executed_nor_skipped_is_lost() -> None:
    plan = Plan(slots=frozenset([("daily", at(0)), ("daily", at(1)), ("daily", at(2))]))
    done = ExecutionRow(id="a", status="succeeded", schedule="daily", slot=at(0))
    started = Start(execution="a", attempt=1, at=at(0))
    history = History(executions=[done], starts=[started])
    skipped = ExecutionRow(
        id="b", status="skipped", reason="misfire", schedule="daily", slot=at(1), until=at(2)
    )

    assert len(of(history, plan).lost) == 2
    assert len(of(replace(history, executions=[done, skipped]), plan).lost) == 1  # slot 1 must run
    excused = replace(plan, may_skip=frozenset(["daily"]))
    assert not of(replace(history, executions=[done, skipped]), excused).lost


def test_two_executions_of_a_slot_are_a_duplicate() -> None:
    twice = [
        ExecutionRow(id=name, status="succeeded", schedule="daily", slot=at(0)) for name in "ab"
    ]
    starts = [Start(execution=name, attempt=1, at=at(0)) for name in "ab"]

    assert len(of(History(executions=twice, starts=starts), Plan()).duplicates) == 1


def test_two_starts_of_what_may_start_once_are_a_duplicate() -> None:
    once = replace(PLAN, at_most_once=frozenset(["one"]))

    assert len(of(SOUND, once).duplicates) == 1


@pytest.mark.parametrize(
    ("attempts", "starts"),
    [
        pytest.param([LOST, AGAIN], [start(1, -1), start(2, 2.9)], id="before the end"),
        pytest.param(
            [attempt(1, -2, None, ""), AGAIN], [start(1, -1), start(2, 5)], id="without an end"
        ),
        pytest.param(
            [attempt(1, -2, 3, "succeeded"), attempt(2, 4, 6, "succeeded")],
            [start(1, -1), start(2, 5)],
            id="after the work was done",
        ),
        pytest.param([LOST, AGAIN], [start(1, -1), start(1, 2), start(2, 5)], id="twice"),
        pytest.param([LOST, AGAIN], [start(2, 5), start(1, 5.5)], id="by a zombie"),
        pytest.param([LOST, AGAIN], [start(1, -1), start(2, 5), start(3, 7)], id="by nobody"),
    ],
)
def test_a_second_start_needs_the_recorded_end_of_the_first(
    attempts: list[AttemptRow], starts: list[Start]
) -> None:
    history = replace(SOUND, attempts=attempts, starts=starts)

    assert len(of(history).unexplained_starts) == 1


def test_a_start_within_the_tolerance_of_the_clocks_is_explained() -> None:
    history = replace(SOUND, starts=[start(1, -1), start(2, 2.96)])

    assert not of(history).unexplained_starts


@pytest.mark.parametrize(
    ("written", "attempts"),
    [
        pytest.param(
            row(wrote=2), [attempt(1, -2, 5, "lost"), AGAIN], id="an end after the next began"
        ),
        pytest.param(
            row(wrote=2), [attempt(1, -2, 3, "succeeded"), AGAIN], id="two that succeeded"
        ),
        pytest.param(row(wrote=1), [LOST, AGAIN], id="a result of the one that was lost"),
        pytest.param(row(), [AGAIN, attempt(3, 7, 8, "lost")], id="a success after the loss"),
        pytest.param(
            row("failed", reason="worker_lost"), [LOST, AGAIN], id="a failure after the success"
        ),
    ],
)
def test_an_attempt_that_changes_what_others_ended_is_a_late_write(
    written: ExecutionRow, attempts: list[AttemptRow]
) -> None:
    assert of(replace(SOUND, executions=[written], attempts=attempts)).late_writes


def test_an_attempt_left_open_is_stuck() -> None:
    history = replace(SOUND, attempts=[LOST, attempt(2, 4, None, "succeeded")])

    assert len(of(history).stuck) == 1


def test_recovery_counts_only_what_the_fault_took() -> None:
    before = replace(LOST, finished_at=at(-0.5))

    assert of(replace(SOUND, attempts=[before, AGAIN])).recovery_p99 is None


def test_of_several_faults_the_first_that_hit_counts_and_the_slowest_progress() -> None:
    faults = [
        replace(FAULTS[0], began_at=at(number), healed_at=at(number)) for number in (-9, 1, 2)
    ]

    verdict = judge(PLAN, SOUND, faults)

    assert (verdict.recovery_p99, verdict.first_progress) == (4.0, 8.0)


def test_recovery_is_that_of_the_slowest_in_a_hundred() -> None:
    attempts = [replace(one, execution=str(name)) for name in range(200) for one in SOUND.attempts]
    starts = [Start(execution=str(name), attempt=2, at=at(4 + name / 100)) for name in range(200)]

    assert of(History(attempts=attempts, starts=starts), Plan()).recovery_p99 == 5.97
