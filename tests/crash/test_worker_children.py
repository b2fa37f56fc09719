"""A pool child that dies, or whose job will not stop: settled by its parent within seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from executions.models import Attempt, Status
from tests.crash import work
from tests.crash.ground import Ground
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

SECONDS = 5.0  # from a death to its record
GRACE = 5.0  # between a time limit and force
CANCEL_SECONDS = 1.5  # from a cancel to the end of the job


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS | {"CHRONOS_LEASE_SECONDS": "30"}) as ground:
        ground.staff(beats=1, io=0, compute=1, slots=2)
        yield ground


def test_a_job_that_kills_its_worker_is_quarantined_and_harms_nobody_else(ground: Ground) -> None:
    other = work.start(ground, "work", seconds=6)
    work.begun(ground, other)

    deadly = work.ended(work.start(ground, "leave", status=7), within=6 * SECONDS)

    assert (deadly.status, deadly.reason) == (Status.FAILED, "quarantined")
    assert (deadly.failures, deadly.losses) == (0, 3)
    attempts = deadly.attempts.order_by("number")
    assert [one.outcome for one in attempts] == [Attempt.Outcome.LOST] * 3
    assert [one.reason for one in attempts] == ["worker_crashed"] * 2 + ["quarantined"]
    assert "ended with exitcode 7" in attempts[0].message
    other = work.ended(other, within=20)
    assert (other.status, other.attempt) == (Status.SUCCEEDED, 1)


def test_what_must_not_start_twice_fails_when_its_process_dies(ground: Ground) -> None:
    once = work.start(ground, "leave", version={"on_lost": "fail"}, status=0)

    once = work.ended(once, within=2 * SECONDS)

    assert (once.status, once.reason, once.attempt) == (Status.FAILED, "worker_crashed", 1)


def test_a_job_that_swallows_its_time_limit_is_killed(ground: Ground) -> None:
    limits = {"timeout_seconds": 1}

    slow = work.ended(work.start(ground, "swallow", version=limits), within=1 + GRACE + SECONDS)

    assert (slow.status, slow.reason, slow.failures) == (Status.FAILED, "timeout", 1)
    assert "would not stop" in slow.message


def test_a_job_that_holds_the_interpreter_keeps_its_lease_and_is_killed_at_its_limit(
    ground: Ground,
) -> None:
    limits = {"timeout_seconds": 2}

    hard = work.ended(work.start(ground, "compute", version=limits), within=2 + GRACE + SECONDS)

    assert (hard.status, hard.reason, hard.losses) == (Status.FAILED, "timeout", 0)


def test_a_cancelled_job_is_stopped_within_a_second(ground: Ground) -> None:
    execution = work.start(ground, "work")
    work.begun(ground, execution)
    child = work.child_of(execution)

    work.cancel(execution)
    said = eventually(execution.log_chunks.filter(text="stopped\n").first, within=10)

    assert said is not None
    cancelled = execution.events.get(what="cancelled")  # it said so when it was stopped
    assert (said.at - cancelled.at).total_seconds() < CANCEL_SECONDS
    assert work.alive([child])  # only its job was stopped


@pytest.mark.parametrize("function", ["swallow", "compute"])
def test_a_cancelled_job_that_will_not_stop_is_killed(ground: Ground, function: str) -> None:
    execution = work.start(ground, function)
    work.begun(ground, execution)
    child = work.child_of(execution)

    work.cancel(execution)

    work.gone([child], within=CANCEL_SECONDS + GRACE + SECONDS)
    execution.refresh_from_db()
    assert (execution.status, execution.attempt) == (Status.CANCELLED, 1)


def test_who_shares_a_message_with_a_deadly_job_pays_nothing_for_it(ground: Ground) -> None:
    quick, deadly = work.job(ground, "work", seconds=0), work.job(ground, "leave", status=9)
    work.start_all([quick] * 200)  # so that its processes know that they take no time
    mixed = work.start_all([quick] * 100 + [deadly] + [quick] * 100)

    ended = [work.ended(execution, within=6 * SECONDS) for execution in mixed]

    assert {one.status for one in ended if one.job == quick} == {Status.SUCCEEDED}
    assert {(one.failures, one.losses) for one in ended if one.job == quick} == {(0, 0)}
    assert [one.reason for one in ended if one.job == deadly] == ["quarantined"]
    again = Attempt.objects.filter(execution__in=mixed, outcome="handed_back")
    assert set(again.values_list("reason", flat=True)) <= {"worker_crashed"}
