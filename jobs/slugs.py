"""The short names of jobs in URLs: what they may look like, and how a name becomes one."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from django.utils.text import slugify

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_LENGTH = 80
PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
RESERVED = frozenset(["by-slug"])  # a path of its own below /jobs


def is_valid(slug: str) -> bool:
    """Say whether ``slug`` may stand in a URL where an id may stand as well."""
    readable = len(slug) <= MAX_LENGTH and PATTERN.fullmatch(slug)
    return bool(readable) and slug not in RESERVED and not UUID.fullmatch(slug)


def of_name(name: str) -> str:
    """Return a valid slug for ``name``; a name without a Latin letter or digit gives ``job``."""
    slug = re.sub(r"[-_]+", "-", slugify(name))[:MAX_LENGTH].strip("-")
    return slug if is_valid(slug) else f"job-{slug}"[:MAX_LENGTH].strip("-")


def free(slug: str, taken: Collection[str]) -> str:
    """Return ``slug``, or the first of ``slug-2``, ``slug-3``, … that is not ``taken``."""
    if slug not in taken:
        return slug
    return next(candidate for candidate in numbered(slug) if candidate not in taken)


def numbered(slug: str) -> Iterator[str]:
    """Yield ``slug-2``, ``slug-3``, … without end."""
    return (f"{slug[: MAX_LENGTH - 1 - len(str(n))].rstrip('-')}-{n}" for n in count(2))
