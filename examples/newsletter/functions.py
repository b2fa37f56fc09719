"""Functions that jobs of the kind ``python`` may call; Chronos imports this module at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.kinds.functions import job_function

if TYPE_CHECKING:
    from jobs.kinds.base import Context

TOPICS = ("schedules", "retries", "workers", "dead letters")


@job_function("newsletter.digest")
def digest(
    issue: int = 1, *, topics: list[str] | None = None, context: Context
) -> dict[str, object]:
    """Collect the articles of one issue.

    Arguments come from the payload of the job, ``{"args": [7], "kwargs": {"topics": [...]}}``, and
    are checked when the job is saved. ``context`` is not one of them: Chronos fills it in. What is
    written to ``context.log`` or printed can be followed while the function runs, and what it
    returns, any JSON, is the result of the execution.
    """
    chosen = topics or list(TOPICS)
    words = 0
    for number, topic in enumerate(chosen, start=1):
        words += 120 + 10 * len(topic)
        context.log(f"{number} of {len(chosen)}: {topic}")
    return {"issue": issue, "articles": len(chosen), "words": words}


@job_function("newsletter.flaky", give_up_on=(ValueError,))
def flaky(heals_on: int = 2, *, context: Context) -> str:
    """Fail until attempt ``heals_on``, then succeed.

    An exception is a failed try, and the retry policy of the job says when the next one is due.
    ``give_up_on`` names those that no other try would heal: the execution ends with the first.
    """
    if heals_on < 1:
        raise ValueError("attempts count from 1")
    if context.attempt < heals_on:
        raise ConnectionError(f"the mail server hung up on attempt {context.attempt}")
    return f"delivered on attempt {context.attempt}"


@job_function("newsletter.broken")
def broken(address: str = "nobody@example.com") -> None:
    """Always fail, to show what an execution looks like when its last try is spent."""
    raise LookupError(f"no subscriber has the address {address}")
