"""`manage.py check`: settings that start without complaint and hurt at night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

SHORTEST_SECRET = 50  # characters, as Django's own generator makes them
SHORTEST_LEASE = 3  # seconds: below this a garbage collection may cost a worker its lease


@register(Tags.compatibility)
def lease_can_be_kept(**_: Any) -> Iterable[CheckMessage]:
    """A lease must outlive a pause of its worker."""
    if settings.CHRONOS_LEASE_SECONDS < SHORTEST_LEASE:
        yield Error(
            f"CHRONOS_LEASE_SECONDS is {settings.CHRONOS_LEASE_SECONDS}.",
            hint=f"Use {SHORTEST_LEASE} or more; 30 is the default.",
            id="chronos.E001",
        )


@register(Tags.compatibility)
def registration_is_known(**_: Any) -> Iterable[CheckMessage]:
    """A misspelt word must not open the door."""
    if settings.CHRONOS_REGISTRATION not in {"open", "closed"}:
        yield Error(
            f"CHRONOS_REGISTRATION is {settings.CHRONOS_REGISTRATION!r}.",
            hint="Use open or closed.",
            id="chronos.E002",
        )


@register(Tags.security)
def production_is_closed(**_: Any) -> Iterator[CheckMessage]:
    """In production nothing is open that only suits a desk."""
    if not settings.PRODUCTION:
        return
    if settings.DEBUG:
        yield Error("CHRONOS_DEBUG is on in production.", hint="Unset it.", id="chronos.E010")
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        yield Error(
            "CHRONOS_SECRET_KEY is too short.",
            hint=f"Use {SHORTEST_SECRET} random characters or more.",
            id="chronos.E011",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "CHRONOS_ALLOWED_HOSTS admits every name.",
            hint="List the names that Chronos is reached by.",
            id="chronos.E012",
        )
    if not urlsplit(settings.REDIS_URL).password:
        yield Error(
            "REDIS_URL has no password.",
            hint="Set one in Redis and in the URL: whoever reaches Redis could flush it.",
            id="chronos.E013",
        )
    if not settings.DATABASES["default"].get("PASSWORD"):
        yield Error("DATABASE_URL has no password.", hint="Set one.", id="chronos.E014")
