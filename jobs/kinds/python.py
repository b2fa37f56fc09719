"""Call a Python function that an app has registered, in a worker process."""

from __future__ import annotations

import json
import traceback
from typing import Any

from rest_framework import serializers

from jobs.kinds.base import Context, Failed, Fleet, Kind, Outcome, Succeeded, Waiting, class_names
from jobs.kinds.functions import RetryLater, functions
from lib.faults import unknown
from lib.serializers import StrictSerializer
from lib.text import storable_json

MAX_RESULT = 256 * 1024  # characters of JSON


class PythonPayload(StrictSerializer):
    function = serializers.CharField(max_length=200)
    args = serializers.ListField(child=serializers.JSONField(allow_null=True), default=list)
    kwargs = serializers.DictField(child=serializers.JSONField(allow_null=True), default=dict)

    def validate_function(self, name: str) -> str:
        if name not in functions():
            raise serializers.ValidationError([unknown([name], functions(), what="function")[name]])
        return name

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        signature = functions()[attrs["function"]].signature
        try:
            if signature is not None:
                signature.bind(*attrs["args"], **attrs["kwargs"])
        except TypeError as exc:
            fault = f"{attrs['function']}{signature}: {exc}."
            raise serializers.ValidationError({"args": fault}, code="bad_arguments") from exc
        return attrs


class PythonKind(Kind):
    name = "python"
    label = "Python function"
    payload = PythonPayload
    fleet = Fleet.COMPUTE
    reasons = ("unknown_function", "retry_later", "gave_up", "bad_result")

    def run(self, payload: dict[str, Any], context: Context) -> Outcome:
        name = payload["function"]
        if name not in functions():  # retryable: a newer worker may know it
            return Failed("unknown_function", f"This worker has no function {name!r}.")
        try:
            returned = functions()[name].run(
                context, payload.get("args", []), payload.get("kwargs", {})
            )
        except RetryLater as exc:
            return _failed_for_now(exc)
        return _outcome(returned)


def _failed_for_now(exc: RetryLater) -> Failed:
    return Failed(
        "retry_later" if exc.cause is None else "raised",
        str(exc),
        retry_in=exc.delay,
        max_attempts=exc.max_attempts,
        trace="".join(traceback.format_exception(exc.cause)) if exc.cause else "",
        labels=class_names(exc.cause) if exc.cause else (),
    )


def _outcome(returned: Any) -> Outcome:
    if isinstance(returned, Failed | Waiting):
        return returned
    try:
        return Succeeded(_as_json(returned.result if isinstance(returned, Succeeded) else returned))
    except (TypeError, ValueError, RecursionError) as exc:
        fault = f"The function returned what cannot be stored as JSON: {exc}"
        return Failed("bad_result", fault[:500], retryable=False)


def _as_json(value: Any) -> Any:
    """Return ``value`` as it will be read again: tuples as lists, keys and dates as text.

    Raises ``TypeError``, ``ValueError`` or ``RecursionError`` for what cannot be stored: other
    types, NaN, circles, more than ``MAX_RESULT`` characters.
    """
    text = storable_json(value)
    if len(text) > MAX_RESULT:
        raise ValueError(f"{len(text)} characters, at most {MAX_RESULT} are kept")
    return json.loads(text)


KIND = PythonKind()
