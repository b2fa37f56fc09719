"""The executions of one message: short ones are claimed together, and settled together.

A message names several when more wait than workers are free. How many are claimed at once follows
from how long executions took lately in this process, so that what is claimed together is over in
``TOGETHER_SECONDS``; the next message of slow ones is worked off one by one. If one takes longer
than was to be expected, another thread returns the rest, and stores what is done.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import structlog

from executions import claims, clock, endings, leases, runner, settling, shutdown
from executions.chores import see_to
from executions.events import Ran
from executions.rounds import Rounds
from executions.settling import Done
from jobs.kinds.base import Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from executions.claims import Claimed
    from executions.leases import Lease
    from executions.logs import Output
    from executions.models import Execution
    from jobs.kinds.base import Outcome

log = structlog.get_logger(__name__)

TOGETHER_SECONDS = 0.05  # what is claimed at once should be over by then
STUCK_SECONDS = 0.25  # an execution that takes longer holds up nobody behind it
ROUND_SECONDS = 0.1
WEIGHT = 0.1  # of the newest duration in the mean: a busy machine's hiccup is soon forgotten,
MOST_SECONDS = 1.0  # and so is one that took for ever


class Pace:
    """How long executions took lately in this process: a moving mean."""

    def __init__(self) -> None:
        self.seconds = TOGETHER_SECONDS

    def observe(self, seconds: float) -> None:
        self.seconds += (min(seconds, MOST_SECONDS) - self.seconds) * WEIGHT

    def fitting(self) -> int:
        """How many should be over in ``TOGETHER_SECONDS``; at least one."""
        return max(1, int(TOGETHER_SECONDS / max(self.seconds, 1e-6)))


class Hand:
    """What a thread has taken on: not claimed, claimed and not begun, done and not stored.

    Whatever is taken out of it, by its own thread or by another, is the taker's to look after.
    """

    def __init__(self, ids: Sequence[UUID]) -> None:
        self._lock = threading.Lock()
        self._ids = deque(ids)
        self._claimed: deque[Claimed] = deque()
        self._done: list[Done] = []
        self._busy_since = math.inf  # while none runs, be it that some are claimed or settled

    def ids(self, number: int) -> list[UUID]:
        """Take up to ``number`` of what is not claimed."""
        with self._lock:
            return [self._ids.popleft() for _ in range(min(number, len(self._ids)))]

    def hold(self, claimed: Sequence[Claimed]) -> None:
        with self._lock:
            self._claimed.extend(claimed)

    def begin(self) -> Claimed | None:
        """Take the next one to run."""
        with self._lock:
            self._busy_since = clock.ticks() if self._claimed else math.inf
            return self._claimed.popleft() if self._claimed else None

    def keep(self, execution: Execution, outcome: Outcome, lease: Lease, output: Output) -> None:
        """Keep an outcome to be stored with others; what is out of the ordinary is stored now."""
        if lease.stop or output.snapshot.rows or isinstance(outcome, Waiting):
            settling.settle(execution, outcome, lease, output)
            return
        with output.storing:
            one = Done(execution, outcome, output.rest())
        with self._lock:
            self._done.append(one)

    def done(self) -> list[Done]:
        """Take what is to be stored."""
        with self._lock:
            done, self._done = self._done, []
            return done

    def stuck(self, now: float) -> bool:
        with self._lock:
            others = self._ids or self._claimed or self._done
            return bool(others) and now > self._busy_since + STUCK_SECONDS

    def put_down(self) -> None:
        """Let others have all that is not begun, and have stored what is done, soon."""
        ids, done = self.ids(len(self._ids)), self.done()
        with self._lock:
            claimed, self._claimed = self._claimed, deque()
        log.info("batch.put_down", claimed=len(claimed), unclaimed=len(ids), done=len(done))
        see_to(partial(settling.settle_all, done))
        see_to(partial(claims.decline, ids))
        for execution, _ in claimed:
            see_to(partial(_return, execution))


def run(ids: Sequence[UUID], *, worker: str) -> list[Ran]:
    """Run one attempt of each execution that can be claimed, and record how they ended."""
    hand = Hand(ids)
    ran: list[Ran] = []
    if len(ids) > 1:  # else it holds up nobody
        watcher.add(hand)
    try:
        while some := hand.ids(pace.fitting()):
            ran += _run_together(some, hand, worker=worker[:200])
            if shutdown.asked():
                hand.put_down()
    finally:
        watcher.remove(hand)
    return ran


def _run_together(ids: Sequence[UUID], hand: Hand, *, worker: str) -> list[Ran]:
    store = hand.keep if len(ids) > 1 else settling.settle
    hand.hold(claims.claim(ids, worker=worker))
    ran = []
    while claimed := hand.begin():
        if leases.too_old(claimed.since):  # this process slept meanwhile
            see_to(partial(_return, claimed.execution))
            continue
        began, since = time.time(), clock.ticks()
        outcome = runner.work(claimed, store)
        ran.append(Ran(claimed.execution, outcome, began, clock.ticks() - since))
        pace.observe(ran[-1].seconds)
    settling.settle_all(hand.done())
    return ran


def _return(execution: Execution) -> None:
    endings.not_begun(execution, now=clock.now())


def _watch(hands: Sequence[Hand]) -> None:
    for hand in hands:
        if hand.stuck(clock.ticks()):
            hand.put_down()


pace = Pace()
watcher: Rounds[Hand] = Rounds("batches", _watch, seconds=ROUND_SECONDS)
