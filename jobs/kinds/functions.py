"""The Python functions that jobs may name: how they register, and how they ask for another try."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from jobs.kinds.base import Context, Failed, class_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

Runnable: TypeAlias = Callable[[Context, list[Any], dict[str, Any]], Any]
Exceptions: TypeAlias = tuple[type[Exception], ...]
F = TypeVar("F", bound=Callable[..., Any])


class RetryLater(Exception):  # noqa: N818 - reads as what it asks for, like Celery's ``Retry``
    """Raised by a function: this try failed, try again in ``delay``, ``max_attempts`` in all.

    What is None is left to the retry policy of the job. ``cause`` is shown as the error.
    """

    def __init__(
        self,
        delay: timedelta | None = None,
        *,
        max_attempts: int | None = None,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(repr(cause) if cause else "asked to be tried again")
        self.delay = delay
        self.max_attempts = max_attempts
        self.cause = cause


@dataclass(frozen=True, slots=True)
class JobFunction:
    """A function that jobs may name.

    ``signature`` is None if calls cannot be checked beforehand; ``summary`` is for lists.
    """

    name: str
    run: Runnable
    signature: inspect.Signature | None = None
    summary: str = ""


_functions: dict[str, JobFunction] = {}


def functions() -> Mapping[str, JobFunction]:
    """Return what jobs may name, as it stands now."""
    return MappingProxyType(_functions)


def register(function: JobFunction) -> None:
    """Let jobs name ``function``. Raises ``ValueError`` if the name is taken.

    ``function.run(context, args, kwargs)`` returns JSON or an ``Outcome``; it may raise
    ``RetryLater``. Plain functions are registered by ``job_function``.
    """
    if function.name in _functions:
        raise ValueError(f"There are two job functions called {function.name!r}.")
    _functions[function.name] = function


def job_function(
    name: str | None = None,
    *,
    retry_for: Exceptions = (Exception,),
    give_up_on: Exceptions = (),
) -> Callable[[F], F]:
    """Register the decorated function, so that jobs may call it by ``name``.

    Without ``name`` it is known as ``module.qualname``; a name of your own survives a move of the
    code. Arguments and the returned value are JSON. A keyword-only parameter ``context`` receives
    the ``Context`` of the attempt. An exception in ``retry_for`` is a failed try, and the retry
    policy of the job decides; any other, and each in ``give_up_on``, ends the execution at once.

    Raises ``TypeError`` for a coroutine function or a ``context`` that is not keyword-only.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError("Write @job_function(), with brackets.")

    def decorate(function: F) -> F:
        plain = _Plain(function, retry_for=retry_for, give_up_on=give_up_on)
        register(
            JobFunction(
                name=name or f"{function.__module__}.{function.__qualname__}",
                run=plain.run,
                signature=plain.signature,
                summary=(inspect.getdoc(function) or "").partition("\n")[0],
            )
        )
        return function

    return decorate


class _Plain:
    """A decorated function as the runnable that it is registered as."""

    def __init__(
        self, function: Callable[..., Any], *, retry_for: Exceptions, give_up_on: Exceptions
    ) -> None:
        if inspect.iscoroutinefunction(function):
            raise TypeError(f"{function.__qualname__} is a coroutine; jobs call plain functions.")
        parameters = dict(inspect.signature(function).parameters)
        context = parameters.pop("context", None)
        if context is not None and context.kind is not context.KEYWORD_ONLY:
            raise TypeError(f"Put a * before context in the parameters of {function.__qualname__}.")
        self._function = function
        self._takes_context = context is not None
        self._retry_for = retry_for
        self._give_up_on = give_up_on
        self.signature = inspect.Signature(list(parameters.values()))

    def run(self, context: Context, args: list[Any], kwargs: dict[str, Any]) -> Any:
        told = {"context": context} if self._takes_context else {}
        try:
            return self._function(*args, **kwargs | told)
        except Exception as exc:
            if self._may_be_retried(exc):
                raise  # to the boundary in the runner, which counts it as a failed try
            trace, labels = traceback.format_exc(), class_names(exc)
            return Failed("gave_up", repr(exc), retryable=False, trace=trace, labels=labels)

    def _may_be_retried(self, exc: Exception) -> bool:
        if isinstance(exc, RetryLater):
            return True
        return isinstance(exc, self._retry_for) and not isinstance(exc, self._give_up_on)
