"""Which due slots run and which are skipped: none is lost, none is there twice."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import policies
from jobs.policies import Misfire
from jobs.slots import NO_GRACE, Rule, Stretch, Taken, Why, due_at, pass_over, slots_to_run
from jobs.triggers import Trigger, build

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


def every(seconds: int) -> Trigger:
    return build({"type": "interval", "every_seconds": seconds})


def take(trigger: Trigger, since: timedelta, misfire: Misfire, **options: Any) -> Taken:
    """Take at noon, with the cursor ``since`` before it."""
    return slots_to_run(trigger, NOON - since, NOON, Rule(misfire=misfire, **options))


@pytest.mark.parametrize("misfire", Misfire)
def test_nothing_is_taken_before_it_is_due(misfire: Misfire) -> None:
    assert take(every(60), -SECOND, misfire) == Taken([], (), NOON + SECOND)


@pytest.mark.parametrize("misfire", Misfire)
def test_punctual_slots_all_run(misfire: Misfire) -> None:
    taken = take(every(10), policies.GRACE, misfire)

    assert taken.run == [NOON - MINUTE + n * 10 * SECOND for n in range(7)]
    assert taken.skipped == ()
    assert taken.cursor == NOON + 10 * SECOND


def test_skip_leaves_out_late_slots_and_runs_punctual_ones() -> None:
    taken = take(every(30), 10 * MINUTE, Misfire.SKIP)

    assert taken.skipped == (Stretch(NOON - 10 * MINUTE, NOON - 90 * SECOND, 18),)
    assert taken.run == [NOON - MINUTE, NOON - 30 * SECOND, NOON]
    assert taken.cursor == NOON + 30 * SECOND


def test_skip_of_all_due_slots_moves_the_cursor_past_now() -> None:
    daily = build({"type": "cron", "cron": "0 9 * * *"})

    taken = take(daily, timedelta(days=2, hours=3), Misfire.SKIP)

    assert taken.run == []
    (skipped,) = taken.skipped
    assert (skipped.count, skipped.last) == (3, NOON - 3 * HOUR)
    assert taken.cursor == NOON + 21 * HOUR


def test_latest_ends_a_pause_of_any_length_with_one_run() -> None:
    for seconds, since in ((3600, 5 * HOUR), (60, HOUR), (1, HOUR), (1, 61 * SECOND)):
        taken = take(every(seconds), since, Misfire.LATEST)

        assert taken.run == [NOON]
        last = NOON - seconds * SECOND
        assert taken.skipped == (Stretch(NOON - since, last, since // (seconds * SECOND)),)


def test_latest_runs_the_only_missed_slot() -> None:
    once = build({"type": "once", "run_at": NOON - HOUR})

    assert take(once, HOUR, Misfire.LATEST) == Taken([NOON - HOUR], (), None, late=1)
    assert take(once, HOUR, Misfire.ALL) == Taken([NOON - HOUR], (), None, late=1)
    skipped = Stretch(NOON - HOUR, NOON - HOUR, 1)
    assert take(once, HOUR, Misfire.SKIP) == Taken([], (skipped,), None)


def test_all_runs_every_missed_slot_oldest_first() -> None:
    taken = take(every(3600), 5 * HOUR, Misfire.ALL)

    assert taken.run == [NOON - n * HOUR for n in (5, 4, 3, 2, 1, 0)]
    assert taken.skipped == ()


def test_all_goes_on_with_the_next_batch_where_the_last_one_ended() -> None:
    trigger, since = every(1), 1_200 * SECOND
    batches = [take(trigger, since, Misfire.ALL)]
    while (cursor := batches[-1].cursor) and cursor <= NOON:
        batches.append(slots_to_run(trigger, cursor, NOON, Rule(misfire=Misfire.ALL)))

    run = [slot for taken in batches for slot in taken.run]
    assert run == [NOON - since + n * SECOND for n in range(1_201)]
    assert {len(taken.run) for taken in batches} == {policies.BATCH, 201}


def test_all_skips_what_is_older_than_its_cap() -> None:
    taken = take(every(3600), 100 * HOUR, Misfire.ALL, cap=3)

    assert taken.run == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert taken.skipped == (Stretch(NOON - 100 * HOUR, NOON - 3 * HOUR, 98, Why.CATCH_UP_CAP),)


def test_cursor_off_the_grid_is_still_a_slot() -> None:
    """A schedule keeps the slot that it promised when its zone's rules changed meanwhile."""
    taken = slots_to_run(every(3600), NOON - 90 * MINUTE, NOON, Rule(misfire=Misfire.ALL))

    assert taken.run == [NOON - 90 * MINUTE, NOON - HOUR, NOON]


@pytest.mark.parametrize("misfire", Misfire)
@pytest.mark.parametrize(
    ("schedule", "limit"),
    [
        ({"type": "interval", "every_seconds": 1}, 0.010),
        ({"type": "cron", "cron": "* * * * * ?", "timezone": "Europe/Berlin"}, 0.050),
        ({"type": "cron", "cron": "*/5 * 1-5 * * ?", "timezone": "Europe/Berlin"}, 0.200),
    ],
)
def test_a_year_of_missed_seconds_is_settled_at_once(
    schedule: dict[str, Any], limit: float, misfire: Misfire
) -> None:
    trigger = build(schedule)
    cursor = trigger.after(NOON - YEAR)
    assert cursor is not None
    seconds = []
    for number in range(5):
        now = NOON + number * MINUTE  # triggers remember what they were asked
        start = time.thread_time()
        taken = slots_to_run(trigger, cursor, now, Rule(misfire=misfire))
        seconds.append(time.thread_time() - start)

    assert min(seconds) < limit
    assert len(taken.run) <= policies.BATCH
    (skipped,) = taken.skipped
    assert skipped.count > 1_000_000


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    seconds=st.integers(1, 4000),
    due=st.integers(0, 100_000),
    misfire=st.sampled_from(Misfire),
    cap=st.integers(1, 40),
    left=st.none() | st.integers(0, 40),
    grace=st.sampled_from([policies.GRACE, NO_GRACE]),
)
def test_every_due_slot_is_run_or_skipped_or_still_due_exactly_once(
    seconds: int, due: int, misfire: Misfire, cap: int, left: int | None, grace: timedelta
) -> None:
    cursor = every(seconds).after(NOON - due * SECOND)
    assert cursor is not None
    rule = Rule(misfire=misfire, cap=cap, left=left, grace=grace)
    taken = slots_to_run(every(seconds), cursor, NOON, rule)

    decided = [*taken.run]
    for stretch in taken.skipped:
        slots = [stretch.first + n * seconds * SECOND for n in range(stretch.count)]
        assert slots[-1] == stretch.last
        decided += slots
    ends = left is not None and len(taken.run) >= left and cursor <= NOON
    until = NOON + SECOND if ends else taken.cursor
    assert (taken.cursor is None) == ends
    assert until is not None
    number = max(0, -((cursor - until) // (seconds * SECOND)))
    assert sorted(decided) == [cursor + n * seconds * SECOND for n in range(number)]
    assert taken.run == sorted(taken.run)
    assert len(taken.run) <= min(policies.BATCH, 10**9 if left is None else left)


def test_a_schedule_that_may_run_three_times_ends_with_the_third() -> None:
    taken = take(every(3600), 5 * HOUR, Misfire.ALL, left=3)

    assert taken.run == [NOON - 5 * HOUR, NOON - 4 * HOUR, NOON - 3 * HOUR]
    assert taken.skipped == (Stretch(NOON - 2 * HOUR, NOON, 3, Why.ENDED),)
    assert taken.cursor is None


def test_a_schedule_whose_last_run_is_the_newest_slot_skips_nothing() -> None:
    assert take(every(60), -0 * SECOND, Misfire.ALL, left=1) == Taken([NOON], (), None)


def test_what_is_due_after_the_last_run_is_recorded_as_ended() -> None:
    taken = take(every(3600), 2 * HOUR, Misfire.LATEST, left=0)

    assert taken == Taken([], (Stretch(NOON - 2 * HOUR, NOON, 3, Why.ENDED),), None)


def test_passing_over_skips_punctual_slots_too() -> None:
    passed = pass_over(every(30), NOON - MINUTE, NOON, Why.PAUSED)

    assert passed.skipped == (Stretch(NOON - MINUTE, NOON, 3, Why.PAUSED),)
    assert (passed.run, passed.cursor) == ([], NOON + 30 * SECOND)


def test_late_slots_start_a_pace_apart_and_punctual_ones_on_time() -> None:
    taken = take(every(60), 3 * MINUTE, Misfire.ALL)
    starts = due_at(taken, jitter=SECOND, since=NOON, pace=10 * SECOND)

    assert taken.run == [NOON - n * MINUTE for n in (3, 2, 1, 0)]
    assert starts == [NOON, NOON + 10 * SECOND, NOON - MINUTE + SECOND, NOON + SECOND]


def test_nothing_starts_before_its_slot_and_its_jitter() -> None:
    taken = take(every(60), 61 * SECOND, Misfire.LATEST, grace=NO_GRACE)

    assert due_at(taken, jitter=20 * SECOND, since=NOON, pace=0 * SECOND) == [NOON + 20 * SECOND]
