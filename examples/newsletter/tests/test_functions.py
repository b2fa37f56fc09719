"""The worked example does what its README says."""

from __future__ import annotations

import pytest

from examples.newsletter.functions import broken, digest, flaky
from jobs.kinds.base import Failed
from jobs.kinds.functions import functions
from jobs.kinds.python import KIND
from jobs.tests.contexts import a_context


def test_the_functions_are_registered() -> None:
    assert {"newsletter.digest", "newsletter.flaky", "newsletter.broken"} <= set(functions())


def test_a_digest_tells_how_far_it_is() -> None:
    written: list[str] = []
    context = a_context(write=lambda stream, text: written.append(text))

    result = digest(7, topics=["retries", "workers"], context=context)

    assert result == {"issue": 7, "articles": 2, "words": 380}
    assert written == ["1 of 2: retries\n", "2 of 2: workers\n"]


def test_flaky_heals_on_the_second_attempt() -> None:
    with pytest.raises(ConnectionError):
        flaky(context=a_context(attempt=1))

    assert flaky(context=a_context(attempt=2)) == "delivered on attempt 2"


def test_flaky_gives_up_where_no_try_would_help() -> None:
    outcome = KIND.run({"function": "newsletter.flaky", "args": [0]}, a_context())

    assert isinstance(outcome, Failed)
    assert not outcome.retryable


def test_broken_says_what_is_wrong() -> None:
    with pytest.raises(LookupError, match=r"nobody@example\.com"):
        broken()
