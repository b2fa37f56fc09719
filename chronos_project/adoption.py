"""Adopts Celery tasks as functions that jobs may name; their retry options keep their meaning."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from celery import Celery, Task
from celery.exceptions import Retry

from jobs.kinds.base import Failed, class_names
from jobs.kinds.functions import JobFunction, RetryLater, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.kinds.base import Context

NO_LIMIT = 1_000_000  # Celery itself raises the original error when its max_retries is used up


def adopt(app: Celery, patterns: Sequence[str]) -> list[str]:
    """Register every task of ``app`` whose name matches one of ``patterns``; return their names.

    ``patterns`` are shell-style (``billing.tasks.*``). Nothing is adopted that is not named: what
    a job may call is decided by whoever runs Chronos.
    """
    names = [
        name
        for name in sorted(app.tasks)
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    for name in names:
        task = app.tasks[name]
        register(JobFunction(name=name, run=_Adopted(task), summary=_summary(task)))
    return names


class _Adopted:
    """Calls a Celery task the way its worker would, except that the wait before a retry becomes
    the execution's ``due_at`` instead of a message with an ETA."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __call__(self, context: Context, args: list[Any], kwargs: dict[str, Any]) -> Any:
        # ``is_eager`` makes ``Task.retry`` raise ``Retry`` without publishing anything.
        self._task.push_request(
            id=f"{context.execution_id}-{context.attempt}",
            args=args,
            kwargs=kwargs,
            retries=context.failures,
            called_directly=False,
            is_eager=True,
        )
        try:
            return self._task.run(*args, **kwargs)
        except Retry as exc:
            raise RetryLater(_delay(exc), max_attempts=NO_LIMIT, cause=exc.exc or exc) from exc
        except Exception as exc:  # noqa: BLE001  Celery does not retry what it was not told to
            trace, labels = traceback.format_exc(), class_names(exc)
            return Failed("raised", repr(exc), retryable=False, trace=trace, labels=labels)
        finally:
            self._task.pop_request()


def _delay(exc: Retry) -> timedelta:
    """``Retry.when`` is a countdown in seconds, or an instant."""
    if isinstance(exc.when, datetime):
        when = exc.when if exc.when.tzinfo else exc.when.replace(tzinfo=UTC)
        return max(timedelta(0), when - datetime.now(UTC))
    return timedelta(seconds=float(exc.when or 0))


def _summary(task: Task) -> str:
    return (task.__doc__ or "").strip().partition("\n")[0]
