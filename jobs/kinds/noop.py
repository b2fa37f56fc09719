"""Do nothing and return the payload: for a first try, for tests and for measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from jobs.kinds.base import Context, Kind, Outcome, Succeeded


class NoopPayload(serializers.Serializer[Any]):
    """Any JSON object."""

    def to_internal_value(self, data: Any) -> Any:
        return dict(data) if isinstance(data, Mapping) else super().to_internal_value(data)

    def to_representation(self, instance: Any) -> Any:
        return instance


class NoopKind(Kind):
    name = "noop"
    label = "Nothing"
    payload = NoopPayload

    def run(self, payload: dict[str, Any], context: Context) -> Outcome:
        context.log("nothing to do")
        return Succeeded(payload)


KIND = NoopKind()
