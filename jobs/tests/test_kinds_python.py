"""Rules of jobs/kinds/python.py and functions.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.kinds import functions
from jobs.kinds.base import Context, Failed, InterruptError, Outcome, Succeeded
from jobs.kinds.functions import JobFunction, RetryLater, job_function, register
from jobs.kinds.python import KIND, MAX_RESULT
from jobs.tests.contexts import a_context

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_functions", {})


def add(a: int, b: int = 2, *, context: Context) -> int:
    """Add two numbers.

    And nothing else.
    """
    context.log(f"{a} + {b}")
    return a + b


def call(function: Callable[..., Any], **options: Any) -> Outcome:
    job_function("it", **options)(function)
    return KIND.run({"function": "it", "args": [], "kwargs": {}}, a_context())


def returning(value: Any) -> Outcome:
    return call(lambda: value)


def faults(payload: dict[str, Any]) -> dict[str, tuple[str, str]]:
    checked = KIND.payload(data=payload)
    checked.is_valid()
    return {name: (str(fault[0]), fault[0].code) for name, fault in checked.errors.items()}


# Registering


def test_a_function_stays_callable_and_is_known_by_its_name() -> None:
    assert job_function("math.add")(add) is add
    assert functions.functions()["math.add"].summary == "Add two numbers."


def test_a_function_without_a_name_is_known_by_its_place() -> None:
    job_function()(add)

    assert list(functions.functions()) == ["jobs.tests.test_kinds_python.add"]


def test_two_functions_cannot_have_one_name() -> None:
    job_function("math.add")(add)

    with pytest.raises(ValueError, match=r"two job functions called 'math\.add'"):
        job_function("math.add")(add)


def test_the_decorator_wants_brackets() -> None:
    with pytest.raises(TypeError, match="with brackets"):
        job_function(add)  # type: ignore[arg-type]


def test_a_coroutine_cannot_be_registered() -> None:
    async def later() -> None: ...

    with pytest.raises(TypeError, match="coroutine"):
        job_function()(later)


def test_a_context_is_keyword_only() -> None:
    def misplaced(context: Context) -> None: ...

    with pytest.raises(TypeError, match=r"Put a \* before context"):
        job_function()(misplaced)


# The payload


@pytest.mark.parametrize(
    ("args", "kwargs"), [([1], {}), ([1, 2], {}), ([], {"a": 1}), ([1], {"b": None})]
)
def test_a_call_that_fits_is_accepted(args: list[Any], kwargs: dict[str, Any]) -> None:
    job_function("math.add")(add)

    assert faults({"function": "math.add", "args": args, "kwargs": kwargs}) == {}


@pytest.mark.parametrize(
    ("args", "kwargs", "word"),
    [
        ([], {}, "missing a required argument: 'a'"),
        ([1, 2, 3], {}, "too many positional"),
        ([1], {"a": 1}, "multiple values"),
        ([1], {"c": 1}, "unexpected keyword argument 'c'"),
        ([1], {"context": 1}, "unexpected keyword argument 'context'"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(
    args: list[Any], kwargs: dict[str, Any], word: str
) -> None:
    job_function("math.add")(add)

    (text, code) = faults({"function": "math.add", "args": args, "kwargs": kwargs})["args"]

    assert code == "bad_arguments"
    assert word in text


def test_an_unknown_function_is_refused_with_the_nearest_names() -> None:
    job_function("newsletter.send")(add)

    (_, code) = faults({"function": "newsletter.sent"})["function"]

    assert code == "unknown_function"
    assert getattr(code, "hint", "").startswith("Did you mean 'newsletter.send'")


@pytest.mark.parametrize(
    "payload",
    [{}, {"function": "math.add", "args": {}}, {"function": "math.add", "kwargs": []}, {"fn": "x"}],
)
def test_a_payload_of_another_shape_is_refused(payload: dict[str, Any]) -> None:
    job_function("math.add")(add)

    assert faults(payload)


# Running


def test_arguments_and_context_reach_the_function_and_its_result_is_kept() -> None:
    job_function("math.add")(add)
    written: list[str] = []
    context = a_context(write=lambda stream, text: written.append(text))

    outcome = KIND.run({"function": "math.add", "args": [40], "kwargs": {"b": 2}}, context)

    assert outcome == Succeeded(42)
    assert written == ["40 + 2\n"]


def test_a_function_that_this_worker_does_not_know_may_be_known_to_the_next() -> None:
    outcome = KIND.run({"function": "gone"}, a_context())

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.retryable) == ("unknown_function", True)


def test_a_result_is_kept_as_it_will_be_read_again() -> None:
    value = {1: (datetime(2026, 1, 1, tzinfo=UTC), "a\0b\ud800")}

    assert returning(value) == Succeeded({"1": ["2026-01-01T00:00:00Z", "a\ufffdb?"]})


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "value",
    [object(), float("nan"), float("inf"), b"\xff", CIRCLE, DEEP, "x" * MAX_RESULT, {object(): 1}],
    ids=["object", "nan", "inf", "bytes", "circle", "deep", "long", "key"],
)
def test_a_result_that_cannot_be_stored_fails_for_good(value: Any) -> None:
    outcome = returning(value)

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.retryable) == ("bad_result", False)
    assert len(outcome.message) <= 500


@pytest.mark.parametrize("outcome", [Failed("mine", "really"), Succeeded([1])])
def test_a_function_may_return_an_outcome(outcome: Outcome) -> None:
    assert returning(outcome) == outcome


def explode() -> None:
    raise KeyError("no such reader")


def test_an_exception_goes_to_the_boundary() -> None:
    with pytest.raises(KeyError):
        call(explode)


def test_an_exception_to_retry_for_goes_to_the_boundary() -> None:
    with pytest.raises(KeyError):
        call(explode, retry_for=(LookupError,))


@pytest.mark.parametrize(
    "options",
    [
        {"retry_for": (ConnectionError,)},
        {"give_up_on": (LookupError,)},
        {"retry_for": (LookupError,), "give_up_on": (KeyError,)},
    ],
)
def test_another_exception_ends_the_execution(options: dict[str, Any]) -> None:
    outcome = call(explode, **options)

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("gave_up", "KeyError('no such reader')")
    assert not outcome.retryable
    assert {"KeyError", "LookupError"} < outcome.words
    assert "in explode" in outcome.trace


def test_an_interrupt_is_not_taken_for_the_functions_own() -> None:
    class TimeIsUpError(InterruptError):
        pass

    def slow() -> None:
        raise TimeIsUpError

    with pytest.raises(TimeIsUpError):
        call(slow, retry_for=(), give_up_on=(Exception,))


# What registers by hand: adopted Celery tasks


def test_a_runnable_gets_context_and_arguments_as_they_are() -> None:
    register(JobFunction("raw", lambda context, args, kwargs: [context.attempt, args, kwargs]))

    outcome = KIND.run({"function": "raw", "args": [1], "kwargs": {"a": 2}}, a_context(attempt=3))

    assert outcome == Succeeded([3, [1], {"a": 2}])
    assert faults({"function": "raw", "args": [1, 2, 3]}) == {}


def test_a_function_may_ask_to_be_tried_again() -> None:
    def busy() -> None:
        try:
            explode()
        except KeyError as exc:
            raise RetryLater(timedelta(seconds=8), max_attempts=5, cause=exc) from exc

    outcome = call(busy, retry_for=())

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.message) == ("raised", "KeyError('no such reader')")
    assert (outcome.retryable, outcome.retry_in) == (True, timedelta(seconds=8))
    assert outcome.max_attempts == 5
    assert "in explode" in outcome.trace


def test_asking_without_a_cause_leaves_all_to_the_policy_of_the_job() -> None:
    def busy() -> None:
        raise RetryLater

    assert call(busy) == Failed("retry_later", "asked to be tried again")
