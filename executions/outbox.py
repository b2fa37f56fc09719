"""What the outside must hear: written where it happens, delivered afterwards, at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from executions.models import OutboxEvent

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from accounts.models import Team


def tell(
    topic: str, *, team: Team | None, subject: UUID | None, body: dict[str, Any], now: datetime
) -> None:
    """Write an event in the transaction of what happened, so that both are true or neither is.

    ``topic`` is a noun and a past participle (``redrive.stopped``); ``subject`` is the id of what
    it is about, ``team`` whose that is: everybody's without one.
    """
    OutboxEvent.objects.create(team=team, at=now, topic=topic, subject=subject, body=body)
