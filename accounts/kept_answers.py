"""How long answers are kept. Apart from ``idempotency``: who forgets them needs no cryptography."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from accounts.models import KeptAnswer

if TYPE_CHECKING:
    from datetime import datetime

KEPT_FOR = timedelta(hours=24)


def prune(now: datetime, limit: int = 1000) -> int:
    """Delete up to ``limit`` answers that are kept no longer, the oldest first; return how many."""
    old = KeptAnswer.objects.filter(created_at__lte=now - KEPT_FOR).order_by("created_at")
    return KeptAnswer.objects.filter(pk__in=old.values("pk")[:limit]).delete()[0]
