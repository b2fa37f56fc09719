"""Messages between dispatch and the workers: lost, doubled, late and reordered at will."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import UUID

from django.conf import settings

from executions import bell


class Network:
    """Takes each message off the real broker's lists as soon as it is there."""

    def __init__(self) -> None:
        self._prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
        self.messages: list[UUID] = []
        bell.client().flushdb()

    def collect(self) -> None:
        """Take over what was published since the last call, the oldest of each queue first."""
        client: Any = bell.client()
        for name in sorted(client.keys(f"{self._prefix}*")):
            if b"_kombu" not in name:
                raw = client.lrange(name, 0, -1)
                client.delete(name)
                self.messages += [_named_in(one) for one in reversed(raw)]

    def take(self, pick: int) -> UUID | None:
        """Deliver a message, not always the oldest."""
        return self.messages.pop(pick % len(self.messages)) if self.messages else None

    def double(self, pick: int) -> None:
        if self.messages:
            self.messages.append(self.messages[pick % len(self.messages)])


def _named_in(raw: bytes) -> UUID:
    """Read which execution a message names; it may say nothing else."""
    args, kwargs, _ = json.loads(base64.b64decode(json.loads(raw)["body"]))
    (name,) = args
    assert not kwargs
    return UUID(name)
