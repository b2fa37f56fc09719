"""The seats of pool children: what one side writes the other reads, and nothing hits the next."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator
from uuid import uuid4

import pytest

from executions import clock
from executions.board import Board, Seat
from executions.stops import Stop


@pytest.fixture(autouse=True)
def _deaf_to_alarms() -> Iterator[None]:
    """A stop is told by SIGALRM; here both sides are one process."""
    was = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGALRM, was)


@pytest.fixture
def board() -> Board:
    return Board("test", seats=2)


@pytest.fixture
def seat(board: Board) -> Seat:
    seat = board.sit(0)
    assert seat is not None
    return seat


def test_the_main_process_sees_what_a_child_runs(board: Board, seat: Seat) -> None:
    execution = uuid4()

    assert board.taken() == []
    seat.take(execution, 3, until=10.5, deadline=20.5)

    (taken,) = board.taken()
    assert (taken.pid, taken.execution_id, taken.attempt) == (os.getpid(), execution, 3)
    assert (taken.until, taken.deadline) == (10.5, 20.5)
    assert (taken.stop, taken.asked) == (Stop.NO, math.inf)
    seat.leave()
    assert board.taken() == []


def test_a_child_sees_how_long_its_lease_is_kept_and_that_it_must_stop(
    board: Board, seat: Seat
) -> None:
    seat.take(uuid4(), 1, until=10.0, deadline=20.0)
    (taken,) = board.taken()

    taken.keep_until(40.0)
    taken.give_up(Stop.WORKER)
    taken.give_up(Stop.GONE)

    assert (seat.until, seat.stop) == (40.0, Stop.WORKER)  # the first reason stays
    assert board.taken()[0].stop == Stop.WORKER


def test_a_child_that_stops_by_itself_says_since_when(board: Board, seat: Seat) -> None:
    seat.take(uuid4(), 1, until=10.0, deadline=20.0)
    before = clock.ticks()

    seat.give_up(Stop.LEASE)

    (taken,) = board.taken()
    assert taken.stop == Stop.LEASE
    assert before <= taken.asked <= clock.ticks()


def test_what_comes_too_late_for_an_attempt_does_not_hit_the_next(board: Board, seat: Seat) -> None:
    seat.take(uuid4(), 1, until=10.0, deadline=20.0)
    (taken,) = board.taken()
    seat.leave()
    seat.take(uuid4(), 1, until=50.0, deadline=60.0)

    taken.give_up(Stop.GONE)
    taken.keep_until(0.0)
    taken.clear()

    assert (seat.stop, seat.until) == (Stop.NO, 50.0)
    assert len(board.taken()) == 1


def test_nobody_interrupts_an_outcome_that_is_being_recorded(board: Board, seat: Seat) -> None:
    seat.take(uuid4(), 1, until=10.0, deadline=20.0)
    seat.finish()

    (taken,) = board.taken()
    taken.give_up(Stop.WORKER)

    assert taken.settling
    assert seat.stop == Stop.NO


def test_a_board_has_only_so_many_seats_and_tells_when_nothing_may_begin(board: Board) -> None:
    assert board.sit(2) is None
    assert not board.closed
    board.close()
    assert board.closed
