"""The answer to a start: an execution that is new, as it was stored, without reading it again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from executions.api.serializers import EventSerializer, ExecutionDetailSerializer
from executions.models import Status

if TYPE_CHECKING:
    from executions.models import Execution

_own = threading.local()


def is_as_stored(execution: Execution) -> bool:
    """Say whether a new ``execution`` was queued with its row, is not due, or is left to the beats.

    About any other it was decided since then.
    """
    left = execution.seen is not None and execution.seen.crowded
    return left or execution.status == Status.QUEUED or execution.due_at > execution.created_at


def accepted(execution: Execution, context: dict[str, Any]) -> dict[str, Any]:
    """Say of a new ``execution`` what ``ExecutionDetailSerializer`` would say of its row.

    A thread has one serializer for all: making its fields takes longer than what they do.
    """
    if not hasattr(_own, "serializer"):
        _own.serializer = _AcceptedSerializer()
    _own.serializer.given = context
    shown: dict[str, Any] = _own.serializer.to_representation(execution)
    return shown


class _AcceptedSerializer(ExecutionDetailSerializer):
    """Its history is the request."""

    given: dict[str, Any]

    attempts = serializers.SerializerMethodField()  # type: ignore[assignment]  # of the same shape
    events = serializers.SerializerMethodField()  # type: ignore[assignment]  # as above

    class Meta(ExecutionDetailSerializer.Meta):
        pass

    @property
    def context(self) -> dict[str, Any]:
        return self.given

    def get_attempts(self, execution: Execution) -> list[Any]:
        return []

    def get_events(self, execution: Execution) -> list[Any]:
        return [_event().to_representation(execution.request)]


def _event() -> EventSerializer:
    if not hasattr(_own, "event"):
        _own.event = EventSerializer()
    event: EventSerializer = _own.event
    return event
