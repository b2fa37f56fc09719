"""One key, one effect: the first answer to a POST, kept for whoever repeats it.

All of a call happens in one transaction: the lock of its key, its effect, and the row with its
answer. So there is no moment at which the effect is there and the answer is not, and nothing to
clean up after a crash: while the first call runs its lock is taken, when its process dies
PostgreSQL undoes all of it, and when the commit came through but the answer was lost on the way
the repetition finds the row. A call that was refused keeps nothing and may be repeated.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection
from django.utils.crypto import salted_hmac

from accounts.kept_answers import KEPT_FOR
from accounts.models import KeptAnswer

if TYPE_CHECKING:
    from datetime import datetime

_NONCE = 12  # bytes, as AES-GCM wants it


class KeyReusedError(Exception):
    """The key was used for something else."""


class StillRunningError(Exception):
    """The first call with the key has not ended yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A POST with a key. ``asked`` is all that it says, in one spelling."""

    actor: str
    route: str
    key: str
    asked: str

    @property
    def name(self) -> str:
        return _digest("name", self.actor, self.route, self.key).hex()

    @property
    def request(self) -> str:
        """Told apart from other requests without telling what it says: it may hold a password."""
        return _digest("request", self.asked).hex()

    @property
    def seal(self) -> bytes:
        """The key that only this very request leads to."""
        return _digest("seal", self.actor, self.route, self.key, self.asked)


def begin(call: Call, now: datetime) -> str | None:
    """Lock the key of ``call`` until the transaction ends; return the answer if there is one.

    Needs a transaction, in which the effect must happen as well. Raises ``StillRunningError`` and
    ``KeyReusedError``.
    """
    if not _lock(call):
        raise StillRunningError
    # Not before the lock is held: a statement sees what was committed when it began.
    kept = KeptAnswer.objects.filter(pk=call.name, created_at__gt=now - KEPT_FOR).first()
    if kept is None:
        return None
    if kept.request != call.request:
        raise KeyReusedError
    return _opened(call, bytes(kept.answer))


def keep(call: Call, answer: str, now: datetime) -> None:
    """Write the answer of ``call`` in the transaction of its effect."""
    row = KeptAnswer(
        pk=call.name, request=call.request, answer=_sealed(call, answer), created_at=now
    )
    # In the place of one that is too old and was not pruned yet.
    KeptAnswer.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["request", "answer", "created_at"],
    )


def _lock(call: Call) -> bool:
    number = int.from_bytes(bytes.fromhex(call.name)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _sealed(call: Call, answer: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(call.seal).encrypt(nonce, answer.encode(), None)


def _opened(call: Call, sealed: bytes) -> str:
    return AESGCM(call.seal).decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()


def _digest(purpose: str, *parts: str) -> bytes:
    whole = b"".join(hashlib.sha256(part.encode()).digest() for part in parts)
    return salted_hmac(f"accounts.idempotency.{purpose}", whole, algorithm="sha256").digest()
