"""When a failed attempt is tried again, and how policies are spelt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs import policies
from jobs.kinds.base import class_names
from jobs.policies import Jitter, Priority, RetryPolicy, RetryStrategy

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


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
