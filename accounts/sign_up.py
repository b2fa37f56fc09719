"""Making an account for oneself."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError

from accounts.models import User


class EmailTakenError(Exception):
    """Somebody has an account with this address."""


def is_open() -> bool:
    """Say whether people may make accounts for themselves here."""
    return str(settings.CHRONOS_REGISTRATION) == "open"


def sign_up(*, email: str, name: str, password: str) -> User:
    """Create a user with a personal team. Raises ``EmailTakenError``, also when two race."""
    try:
        return User.objects.create_user(email, password, name=name)
    except IntegrityError as exc:
        if User.objects.filter(email=email.lower()).exists():
            raise EmailTakenError from exc
        raise
