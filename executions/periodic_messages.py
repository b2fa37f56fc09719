"""What a slot of a ``PeriodicTask`` sends: the row's task with its arguments and options."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from datetime import datetime

    from django_celery_beat.models import PeriodicTask

SLOTS = UUID("6f0a6c0e-1c5b-5d55-9a4e-3d0f6c1b8a27")
"""The namespace of the task ids: a slot that is sent twice has the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A slot on its way to a worker; ``options`` are as ``apply_async`` takes them."""

    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


def message_of(row: PeriodicTask, slot: datetime) -> Message:
    """Return what to send for ``slot``. Raises ``ValueError`` for arguments that are not JSON."""
    options = {
        name: value
        for name in ("queue", "exchange", "routing_key", "priority")
        if (value := getattr(row, name)) not in (None, "")
    }
    headers = {
        "celery_beat_task": True,
        "periodic_task_name": row.name,
        "periodic_task_slot": slot.isoformat(),
    }
    return Message(
        task=row.task,
        args=_read(row, "args", list),
        kwargs=_read(row, "kwargs", dict),
        options={
            **options,
            "task_id": str(uuid5(SLOTS, f"{row.pk} {slot.isoformat()}")),
            "expires": expiry(row, slot),
            "headers": _read(row, "headers", dict) | headers,
        },
    )


def expiry(row: PeriodicTask, slot: datetime) -> datetime | None:
    """Return when a message for ``slot`` is worth nothing any more."""
    if row.expire_seconds is not None:
        return slot + timedelta(seconds=row.expire_seconds)
    instant: datetime | None = row.expires
    return instant


def _read(row: PeriodicTask, name: str, sort: type[Any]) -> Any:
    text = getattr(row, name)
    value = json.loads(text) if text else sort()
    if not isinstance(value, sort):
        raise ValueError(f"{name}: a JSON {sort.__name__} is needed.")  # noqa: TRY004  as json does
    return value
