"""The answer to many starts: what was made of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import APIException

from executions.api.submitting import Reading
from lib.faults import fault
from lib.places import faults_of

REUSED = fault(
    "This key was used for another start.",
    "idempotency_key_reused",
    hint="Send a new key with each new start.",
)


class KeysReusedError(APIException):
    """Keys of starts stand for other starts; ``detail`` says which, by their places."""

    status_code = 422


class FaultSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="In the body (RFC 6901).")
    code = serializers.CharField()
    detail = serializers.CharField()
    hint = serializers.CharField(required=False)
    allowed = serializers.ListField(child=serializers.CharField(), required=False)


class RefusedSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="The place of the start, from 0.")
    errors = FaultSerializer(many=True)  # type: ignore[assignment]  # shadows what nobody asks here


class SubmittedSerializer(serializers.Serializer[Any]):
    """What was made of each start, in their order."""

    ids = serializers.ListField(
        child=serializers.UUIDField(allow_null=True),
        help_text="The execution of each start; null for one that was refused.",
    )
    accepted = serializers.IntegerField(help_text="How many executions are new.")
    repeated = serializers.IntegerField(help_text="How many were there already, by their keys.")
    refused = RefusedSerializer(many=True, help_text="At most the first 1000.")


def submitted(
    reading: Reading, known: Mapping[UUID, UUID | None], *, partial: bool
) -> dict[str, Any]:
    """Say what was made of the starts in ``reading``. Raises ``KeysReusedError`` if not partial."""
    ids = [pk and known.get(pk, pk) for pk in reading.ids]
    places = [place for place, pk in enumerate(reading.ids) if pk and ids[place] is None]
    reused = {str(place): {"idempotency_key": [REUSED]} for place in places}
    if reused and not partial:
        raise KeysReusedError(reused)
    faults = reading.faults | reused
    return {
        "ids": [pk and str(pk) for pk in ids],
        "accepted": sum(pk is not None and pk not in known for pk in reading.ids),
        "repeated": sum(pk is not None for pk in known.values()),
        "refused": [
            {"index": int(place), "errors": list(faults_of(faults[place], (place,)))}
            for place in sorted(faults, key=int)
        ],
    }
