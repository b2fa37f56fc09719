"""One key, one effect, for the items of one request: each may have a key of its own.

Keys are rows beside those of ``accounts.idempotency`` and are kept as long. A key is taken by the
row itself, in the transaction of the effect: whoever comes second waits until the first is done.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from accounts.idempotency import StillRunningError
from accounts.kept_answers import KEPT_FOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

# In one order for everybody: of two requests with the same keys one waits for the other.
TAKE = """
INSERT INTO accounts_keptanswer (id, request, answer, created_at)
SELECT item.name, item.request, uuid_send(item.effect), %(now)s
FROM unnest(%(names)s::text[], %(requests)s::text[], %(effects)s::uuid[])
    AS item (name, request, effect)
ORDER BY item.name
ON CONFLICT (id) DO UPDATE
    SET request = excluded.request, answer = excluded.answer, created_at = excluded.created_at
    WHERE accounts_keptanswer.created_at <= %(over)s
RETURNING id
"""
TAKEN = """
SELECT id, request, answer FROM accounts_keptanswer WHERE id = ANY(%(names)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item with a key; ``asked`` is all that it says, ``effect`` what it would make."""

    key: str
    asked: str
    effect: UUID


def take(scope: str, items: Sequence[Item], now: datetime) -> list[UUID | None]:
    """Return what was made for the key of each of ``items``, its own ``effect`` if that is new.

    ``None`` says that the key was used for something else. ``scope`` says whose keys these are.
    Needs a transaction, in which what is new must be made. Raises ``StillRunningError``.
    """
    names = [_digest("item", scope, item.key) for item in items]
    requests = [_digest("asked", item.asked) for item in items]
    kept: dict[str, tuple[str, UUID]] = {}
    for name, request, item in zip(names, requests, items, strict=True):
        kept.setdefault(name, (request, item.effect))
    old = kept.keys() - _take(kept, now)
    kept |= _taken(old) if old else {}
    pairs = zip((kept[name] for name in names), requests, strict=True)
    return [made if was == request else None for (was, made), request in pairs]


def _take(kept: dict[str, tuple[str, UUID]], now: datetime) -> set[str]:
    """Take what nobody has, or had for longer than keys are kept; return the names of these."""
    values: dict[str, Any] = {
        "names": list(kept),
        "requests": [request for request, _ in kept.values()],
        "effects": [effect for _, effect in kept.values()],
        "now": now,
        "over": now - KEPT_FOR,
    }
    with connection.cursor() as cursor:
        try:
            cursor.execute(TAKE, values)
        except OperationalError as exc:
            if isinstance(exc.__cause__, LockNotAvailable):
                raise StillRunningError from exc
            raise
        return {name for (name,) in cursor.fetchall()}


def _taken(names: Iterable[str]) -> dict[str, tuple[str, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, {"names": list(names)})
        return {
            name: (request, UUID(bytes=bytes(effect)))
            for name, request, effect in cursor.fetchall()
        }


def _digest(*parts: str) -> str:
    """Stands for ``parts`` without telling them: they may hold a password."""
    secret = settings.SECRET_KEY.encode()
    whole = "\0".join(("accounts.item_keys", *parts)).encode()
    return hmac.new(secret, whole, hashlib.sha256).hexdigest()
