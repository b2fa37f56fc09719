"""Whatever happens to a schedule, each of its slots is decided once, and one after the other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import policies, slots
from jobs.models import Schedule
from jobs.policies import Misfire
from jobs.slots import Stretch, Why
from tests.factories import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SECOND = timedelta(seconds=1)


class Life:
    """A schedule in memory, and the slots that were decided since its last edit."""

    def __init__(self, misfire: Misfire, every: int, most: int | None = None) -> None:
        self.now = NOON
        self.schedule = Schedule(type="interval", misfire=misfire, catch_up_max=50, missed="")
        self.schedule.fired, self.schedule.max_executions = 0, most
        self.ran: list[datetime] = []
        self.begin(every)

    def begin(self, every: int) -> None:
        """Fire each ``every`` seconds from the next slot on."""
        self.since = self.now
        self.every = every * SECOND
        self.decided: list[datetime] = []
        self.schedule.every_seconds, self.schedule.anchor = every, NOON
        self.schedule.next_fire_at = None
        self.over: datetime | None = self.now
        if self.schedule.left != 0:
            self.schedule.next_fire_at, self.over = self.schedule.trigger.after(self.now), None

    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    def take(self) -> None:
        if self.schedule.next_fire_at and self.schedule.next_fire_at <= self.now:
            taken = self.schedule.take_slots(self.now)
            self.decided += taken.run
            self.ran += taken.run
            self.skip(taken.skipped)
            self.over = None if self.schedule.next_fire_at else self.now

    def resume(self, missed: str) -> None:
        if missed == Misfire.SKIP:
            self.skip(self.schedule.pass_over(self.now, Why.PAUSED))
        else:
            self.schedule.owe(Misfire(missed), until=self.now)

    def edit(self, every: int) -> None:
        self.skip(self.schedule.pass_over(self.now, Why.EDITED))
        self.check()
        self.begin(every)

    def skip(self, stretches: Sequence[Stretch]) -> None:
        for stretch in stretches:
            number = (stretch.last - stretch.first) // self.every + 1
            assert stretch.count == number
            self.decided += [stretch.first + n * self.every for n in range(number)]

    def check(self) -> None:
        """All slots up to now are decided, each once: counted by hand, not by a trigger.

        Those after the end of a schedule that has run as often as it may are none.
        """
        first = NOON + ((self.since - NOON) // self.every + 1) * self.every
        number = max(0, ((self.over or self.now) - first) // self.every + 1)
        assert sorted(self.decided) == [first + n * self.every for n in range(number)]


STEPS = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 20_000)),
    st.tuples(st.just("take")),
    st.tuples(st.just("resume"), st.sampled_from([*map(str, Misfire)])),
    st.tuples(st.just("edit"), st.integers(1, 4000)),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    misfire=st.sampled_from(Misfire),
    every=st.integers(1, 4000),
    most=st.none() | st.integers(1, 60),
    steps=st.lists(STEPS, max_size=20),
)
def test_no_slot_is_lost_or_doubled_over_waits_takes_resumes_and_edits(
    misfire: Misfire, every: int, most: int | None, steps: list[tuple[str, ...]]
) -> None:
    life = Life(misfire, every, most)

    for verb, *values in steps:
        getattr(life, verb)(*values)
    while life.schedule.next_fire_at and life.schedule.next_fire_at <= life.now:
        life.take()

    life.check()
    assert life.ran == sorted(set(life.ran))
    assert life.schedule.fired == len(life.ran) <= (most or 10**9)
    assert not life.schedule.missed


def test_a_debt_is_settled_batch_by_batch() -> None:
    life = Life(Misfire.SKIP, every=1)
    life.schedule.catch_up_max = 10_000
    life.wait(policies.BATCH * 2)
    life.resume("all")

    life.take()
    assert (len(life.ran), life.schedule.missed) == (policies.BATCH, "all")
    life.take()

    assert (len(life.ran), life.schedule.missed) == (2 * policies.BATCH, "")
    assert life.ran[-1] == life.now


def test_the_books_of_a_schedule_begin_with_its_first_slot() -> None:
    life = Life(Misfire.ALL, every=60)
    first = life.schedule.next_fire_at
    life.wait(600)

    life.take()

    assert life.schedule.audited_until == first


def test_after_a_fixed_delay_there_is_one_slot_and_no_next_one() -> None:
    schedule = Schedule(
        type="interval", mode="fixed_delay", every_seconds=60, next_fire_at=NOON, missed=""
    )

    taken = schedule.take_slots(NOON + timedelta(minutes=10))

    assert taken == slots.Taken([NOON], (), None, late=1)
    assert (schedule.next_fire_at, schedule.fired) == (None, 1)
