"""The broker as workers see it: its real lists, from which messages get lost, doubled and late."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

from django.conf import settings

from executions import bell, broker


class Network:
    """Messages stay where dispatch put them until a worker takes them, or something happens.

    ``late`` are messages that left the broker and did not arrive yet.
    """

    def __init__(self) -> None:
        self._client: Any = bell.client()
        self._client.flushdb()
        self._prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
        self.late: list[bytes] = []
        broker._asked_again_at = 0.0

    def pass_time(self, seconds: float) -> None:
        """What this process waits for in real time has waited for ``seconds`` more."""
        broker._asked_again_at -= seconds

    def messages(self) -> bool:
        """Say whether any message waits anywhere."""
        return bool(self.late or self._lists())

    def take(self, pick: int) -> bytes | None:
        """Take a message as a worker does, from the end of a list; some that are late come first.

        Picks above 49 take one from anywhere in the list: the order is no promise.
        """
        if self.late and pick % 3 == 1:
            return self.late.pop(pick % len(self.late))
        lists = self._lists()
        if not lists:
            return self.late.pop() if self.late else None
        name = lists[pick % len(lists)]
        if pick < 50:
            taken: bytes | None = self._client.rpop(name)
            return taken
        messages = self._client.lrange(name, 0, -1)
        return self._remove(name, messages[pick % len(messages)])

    def put_back(self, message: bytes) -> None:
        """Celery's own retry: the message is published again, as it was."""
        self.late.append(message)

    def lose(self, pick: int) -> None:
        self.take(pick)

    def delay(self, pick: int) -> None:
        message = self.take(pick)
        if message is not None:
            self.late.append(message)

    def double(self, pick: int) -> None:
        message = self.take(pick)
        if message is not None:
            self.late += [message, message]

    def flush(self) -> None:
        """Redis lost everything."""
        self._client.flushdb()

    def _lists(self) -> list[bytes]:
        return sorted(
            name for name in self._client.keys(f"{self._prefix}*") if b"_kombu" not in name
        )

    def _remove(self, name: bytes, message: bytes) -> bytes:
        self._client.lrem(name, 1, message)
        return message


def named_in(message: bytes) -> UUID:
    """Read which execution a message names; it may say nothing else."""
    args, kwargs, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    (name,) = args
    assert not kwargs
    return UUID(name)
