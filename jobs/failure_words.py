"""The words by which a job names failures, in ``retry_on`` and ``give_up_on``."""

from __future__ import annotations

import re

from jobs import kinds

OF_ANY_KIND = ("timeout", "raised")

_STATUS = re.compile(r"[345](?:[0-9]{2}|xx)", re.ASCII)
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*", re.ASCII)


def reasons() -> list[str]:
    """Return every reason for which some kind fails, in alphabetical order."""
    own = {reason for kind in kinds.all_kinds().values() for reason in kind.reasons}
    return sorted(own | {*OF_ANY_KIND})


def known() -> list[str]:
    """Return the words that can be listed: reasons, and the classes of HTTP statuses."""
    return [*reasons(), "3xx", "4xx", "5xx"]


def names_failure(word: str) -> bool:
    """Whether a failure can have this word: a reason, an HTTP status, a class of them, or what
    looks like an exception, with or without its module.

    A reason in capitals is none of them, although an exception could be called so.
    """
    if word in reasons() or _STATUS.fullmatch(word):
        return True
    is_shouted = word.isupper() and word.lower() in reasons()
    return bool(_EXCEPTION.fullmatch(word)) and not is_shouted


def covers(word: str, other: str) -> bool:
    """Whether each failure that has the word ``other`` also has ``word``."""
    return word == other or bool(
        _STATUS.fullmatch(word) and _STATUS.fullmatch(other) and word == f"{other[0]}xx"
    )
