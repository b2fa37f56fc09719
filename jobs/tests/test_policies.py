"""Which slots run after a pause, and when a failed attempt is tried again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import policies
from jobs.kinds.base import class_names
from jobs.policies import Jitter, Misfire, Priority, RetryPolicy, RetryStrategy, Taken, slots_to_run
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
    return slots_to_run(trigger, NOON - since, NOON, misfire, **options)


@pytest.mark.parametrize("misfire", Misfire)
def test_nothing_is_taken_before_it_is_due(misfire: Misfire) -> None:
    assert take(every(60), -SECOND, misfire) == Taken([], None, NOON + SECOND)


@pytest.mark.parametrize("misfire", Misfire)
def test_punctual_slots_all_run(misfire: Misfire) -> None:
    taken = take(every(10), policies.GRACE, misfire)

    assert taken.run == [NOON - MINUTE + n * 10 * SECOND for n in range(7)]
    assert taken.skipped is None
    assert taken.cursor == NOON + 10 * SECOND


def test_skip_leaves_out_late_slots_and_runs_punctual_ones() -> None:
    taken = take(every(30), 10 * MINUTE, Misfire.SKIP)

    assert taken.skipped == policies.Stretch(NOON - 10 * MINUTE, NOON - 90 * SECOND, 18)
    assert taken.run == [NOON - MINUTE, NOON - 30 * SECOND, NOON]
    assert taken.cursor == NOON + 30 * SECOND


def test_skip_of_all_due_slots_moves_the_cursor_past_now() -> None:
    daily = build({"type": "cron", "cron": "0 9 * * *"})

    taken = take(daily, timedelta(days=2, hours=3), Misfire.SKIP)

    assert taken.run == []
    assert taken.skipped is not None
    assert (taken.skipped.count, taken.skipped.last) == (3, NOON - 3 * HOUR)
    assert taken.cursor == NOON + 21 * HOUR


def test_latest_ends_a_pause_of_any_length_with_one_run() -> None:
    for seconds, since in ((3600, 5 * HOUR), (60, HOUR), (1, HOUR), (1, 61 * SECOND)):
        taken = take(every(seconds), since, Misfire.LATEST)

        assert taken.run == [NOON]
        assert taken.skipped is not None
        assert taken.skipped.first == NOON - since
        assert taken.skipped.last == NOON - seconds * SECOND
        assert taken.skipped.count == since // (seconds * SECOND)


def test_latest_runs_the_only_missed_slot() -> None:
    once = build({"type": "once", "run_at": NOON - HOUR})

    assert take(once, HOUR, Misfire.LATEST) == Taken([NOON - HOUR], None, None)
    assert take(once, HOUR, Misfire.ALL) == Taken([NOON - HOUR], None, None)
    skipped = policies.Stretch(NOON - HOUR, NOON - HOUR, 1)
    assert take(once, HOUR, Misfire.SKIP) == Taken([], skipped, None)


def test_all_runs_every_missed_slot_oldest_first() -> None:
    taken = take(every(3600), 5 * HOUR, Misfire.ALL)

    assert taken.run == [NOON - n * HOUR for n in (5, 4, 3, 2, 1, 0)]
    assert taken.skipped is None


def test_all_goes_on_with_the_next_batch_where_the_last_one_ended() -> None:
    trigger, since = every(1), 1_200 * SECOND
    batches = [take(trigger, since, Misfire.ALL)]
    while (cursor := batches[-1].cursor) and cursor <= NOON:
        batches.append(slots_to_run(trigger, cursor, NOON, Misfire.ALL))

    run = [slot for taken in batches for slot in taken.run]
    assert run == [NOON - since + n * SECOND for n in range(1_201)]
    assert {len(taken.run) for taken in batches} == {policies.BATCH, 201}


def test_all_skips_what_is_older_than_its_cap() -> None:
    taken = take(every(3600), 100 * HOUR, Misfire.ALL, cap=3)

    assert taken.run == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert taken.skipped == policies.Stretch(NOON - 100 * HOUR, NOON - 3 * HOUR, 98)


def test_cursor_off_the_grid_is_still_a_slot() -> None:
    """A schedule keeps the slot that it promised when its zone's rules changed meanwhile."""
    taken = slots_to_run(every(3600), NOON - 90 * MINUTE, NOON, Misfire.ALL)

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
    for _ in range(5):
        start = time.thread_time()
        taken = slots_to_run(trigger, cursor, NOON, misfire)
        seconds.append(time.thread_time() - start)

    assert min(seconds) < limit
    assert len(taken.run) <= policies.BATCH
    assert taken.skipped is not None
    assert taken.skipped.count > 1_000_000


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    seconds=st.integers(1, 4000),
    late=st.integers(0, 100_000),
    misfire=st.sampled_from(Misfire),
    cap=st.integers(1, 40),
)
def test_every_due_slot_is_run_or_skipped_or_still_due_exactly_once(
    seconds: int, late: int, misfire: Misfire, cap: int
) -> None:
    trigger = every(seconds)
    cursor = trigger.after(NOON - late * SECOND)
    assert cursor is not None
    taken = slots_to_run(trigger, cursor, NOON, misfire, cap=cap)
    assert taken.cursor is not None

    first = taken.skipped.first if taken.skipped else next(iter(taken.run), taken.cursor)
    skipped = taken.skipped.count if taken.skipped else 0
    assert first == cursor
    assert trigger.count(cursor - SECOND, taken.cursor - SECOND) == skipped + len(taken.run)
    assert taken.run == sorted(set(taken.run))
    assert taken.cursor > max([*taken.run, cursor - SECOND])


@pytest.mark.parametrize(
    ("strategy", "delays"),
    [
        (RetryStrategy.NONE, [None]),
        (RetryStrategy.FIXED, [60, 60, 60, 60, None]),
        (RetryStrategy.LINEAR, [60, 120, 180, 240, None]),
        (RetryStrategy.EXPONENTIAL, [60, 120, 240, 300, None]),
        (RetryStrategy.LADDER, [60, 300, 900, 900, None]),
    ],
)
def test_failed_attempts_are_tried_again_until_the_budget_is_spent(
    strategy: RetryStrategy, delays: list[int | None]
) -> None:
    policy = RetryPolicy(5, strategy, base=MINUTE, cap=5 * MINUTE, jitter=Jitter.NONE)

    found = [
        policies.retry_at(failures, policy=policy, now=NOON)
        for failures in range(1, len(delays) + 1)
    ]

    assert found == [delay and NOON + timedelta(seconds=delay) for delay in delays]


def test_a_ladder_names_its_own_delays_and_the_last_one_repeats() -> None:
    rungs = (SECOND, HOUR)
    policy = RetryPolicy(9, RetryStrategy.LADDER, delays=rungs, jitter=Jitter.NONE)

    found = [policies.retry_at(failures, policy=policy, now=NOON) for failures in (1, 2, 3, 8, 9)]

    assert found == [NOON + SECOND, NOON + HOUR, NOON + HOUR, NOON + HOUR, None]


@pytest.mark.parametrize(
    "strategy", [one for one in RetryStrategy if one is not RetryStrategy.NONE]
)
def test_full_jitter_spreads_a_delay_over_the_whole_of_it(strategy: RetryStrategy) -> None:
    policy = RetryPolicy(3, strategy, base=MINUTE, cap=HOUR)
    found = [policies.retry_at(1, policy=policy, now=NOON) for _ in range(1_000)]

    delays = sorted((at - NOON) / MINUTE for at in found if at)
    assert len(delays) == 1_000
    assert 0 <= delays[0] < 0.05
    assert 0.4 < delays[500] < 0.6
    assert 0.95 < delays[-1] <= 1


@pytest.mark.parametrize(
    ("retry_on", "give_up_on", "words", "retried"),
    [
        ([], [], ["bad_status", "503", "5xx"], None),
        (["5xx"], [], ["bad_status", "503", "5xx"], True),
        (["503", "timeout"], [], ["timeout"], True),
        (["503"], [], ["bad_status", "502", "5xx"], False),
        ([], ["ValueError"], ["raised", "ValueError"], False),
        ([], ["ValueError"], ["raised", "KeyError"], None),
        (["raised"], ["ValueError"], ["raised", "ValueError"], False),
        (["5xx"], ["501"], ["bad_status", "501", "5xx"], False),
    ],
)
def test_what_to_give_up_on_goes_before_what_to_retry_on_before_what_the_kind_thinks(
    retry_on: list[str], give_up_on: list[str], words: list[str], retried: bool | None
) -> None:
    policy = RetryPolicy(
        3,
        RetryStrategy.FIXED,
        retry_on=frozenset(retry_on),
        give_up_on=frozenset(give_up_on),
    )

    for retryable in (True, False):
        expected = retryable if retried is None else retried
        assert policy.covers(words, retryable=retryable) is expected


def test_an_exception_is_named_by_its_class_and_by_those_it_derives_from() -> None:
    names = class_names(ConnectionResetError())

    assert names[:2] == ("ConnectionResetError", "builtins.ConnectionResetError")
    assert {"ConnectionError", "OSError", "Exception"} < set(names)
    assert "object" not in names


@pytest.mark.parametrize(
    ("retry_in", "waits"),
    [
        (timedelta(seconds=7), timedelta(seconds=7)),
        (timedelta(hours=9), timedelta(hours=9)),
        (timedelta(seconds=-1), timedelta(0)),
        (timedelta.max, YEAR),
    ],
)
def test_delay_that_the_kind_asks_for_goes_first(retry_in: timedelta, waits: timedelta) -> None:
    policy = RetryPolicy(3, RetryStrategy.EXPONENTIAL, base=MINUTE, cap=HOUR)

    assert policies.retry_at(2, policy=policy, now=NOON, retry_in=retry_in) == NOON + waits
    assert policies.retry_at(3, policy=policy, now=NOON, retry_in=retry_in) is None


@pytest.mark.parametrize("strategy", RetryStrategy)
def test_budget_that_the_kind_asks_for_goes_first(strategy: RetryStrategy) -> None:
    policy = RetryPolicy(3, strategy, base=MINUTE, cap=HOUR)

    assert policies.retry_at(4, policy=policy, now=NOON, max_attempts=5)
    assert policies.retry_at(1, policy=policy, now=NOON, max_attempts=1) is None
    assert policies.retry_at(5, policy=policy, now=NOON, max_attempts=5) is None


def test_policies_that_make_no_sense_still_give_a_finite_delay() -> None:
    for base, cap in ((timedelta.max, timedelta.max), (HOUR, MINUTE), (-HOUR, HOUR)):
        policy = RetryPolicy(10**9, RetryStrategy.EXPONENTIAL, base=base, cap=cap)
        again = policies.retry_at(10**8, policy=policy, now=NOON)

        assert again is not None
        assert NOON <= again <= NOON + YEAR


def test_priorities_are_stored_as_numbers_and_spelt_as_words() -> None:
    words = ["critical", "high", "normal", "low", "bulk"]

    assert [priority.word for priority in sorted(Priority)] == words
    assert [Priority.of(word).value for word in words] == [0, 1, 2, 3, 4]
    for word in ("urgent", "HIGH", ""):
        with pytest.raises(ValueError, match="critical, high"):
            Priority.of(word)
