"""What a job starts ends with it, however it tries to get away, and however its worker ends."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from executions.models import Status
from tests.crash import work
from tests.crash.ground import Ground
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

SECONDS = 5.0
GRACE = 5.0


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS | {"CHRONOS_LEASE_SECONDS": "30"}) as ground:
        yield ground


def test_what_a_job_leaves_running_is_killed_before_its_end_is_recorded(ground: Ground) -> None:
    ground.staff(io=0, compute=1, slots=2)
    execution = work.start(ground, "breed", then="end")
    family = work.bred(ground, execution)

    execution = work.ended(execution, within=2 * SECONDS)

    assert work.alive(family) == []
    assert (execution.status, execution.result) == (Status.SUCCEEDED, "left them")


def test_a_job_that_times_out_takes_all_its_processes_with_it(ground: Ground) -> None:
    ground.staff(io=0, compute=1, slots=2)
    execution = work.start(ground, "breed", version={"timeout_seconds": 2}, then="swallow")
    family = work.bred(ground, execution)

    execution = work.ended(execution, within=2 + GRACE + SECONDS)

    assert work.alive(family) == []
    assert execution.reason == "timeout"


def test_the_processes_of_a_child_that_died_are_killed_by_its_parent(ground: Ground) -> None:
    ground.staff(io=0, compute=1, slots=2)
    execution = work.start(ground, "breed", version={"on_lost": "fail"}, then="die")
    family = work.bred(ground, execution)

    work.ended(execution, within=SECONDS)

    work.gone(family, within=SECONDS)


def test_a_fork_bomb_is_defused(ground: Ground) -> None:
    ground.staff(io=0, compute=1, slots=2)
    other = work.start(ground, "work", seconds=4)
    execution = work.start(ground, "bomb")
    identity = str(execution.pk)
    many = eventually(lambda: len(work.carrying("UNRULY", identity)) > 50, within=20)

    execution = work.ended(execution, within=3 * SECONDS)

    assert many
    assert work.carrying("UNRULY", identity) == []
    assert work.ended(other, within=20).attempt == 1


def test_nothing_survives_the_kill_of_a_whole_worker(ground: Ground) -> None:
    ground.staff(io=0, compute=1, slots=2)
    worker = ground.compute[0]
    execution = work.start(ground, "breed", version={"on_lost": "fail"}, then="work")
    family = work.bred(ground, execution)
    family.append(work.child_of(execution))

    worker.send(signal.SIGKILL)

    work.gone(family, within=SECONDS)
    worker.process.wait(timeout=SECONDS)
    work.cancel(execution)
