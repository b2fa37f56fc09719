"""What is wrong with a request, said so that a program and a person can both act on it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

from rest_framework.exceptions import APIException, ErrorDetail, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SHOWN = 20  # names that an answer lists, and unknown names for which it looks for a neighbour


class Code(str):
    """A stable word for a fault, with what helps to mend it.

    DRF carries the ``code`` of an ``ErrorDetail`` through all its layers untouched, so the hint
    and the allowed values travel in it up to ``chronos_project.api_errors``.
    """

    hint: str
    allowed: list[str] | None

    def __new__(cls, word: str, hint: str = "", allowed: Sequence[str] | None = None) -> Code:
        code = super().__new__(cls, word)
        code.hint = hint
        code.allowed = None if allowed is None else list(allowed)
        return code


def fault(
    message: str, code: str, hint: str = "", allowed: Sequence[str] | None = None
) -> ErrorDetail:
    """Return one fault, to be raised in a ``ValidationError`` at the place where it is."""
    return ErrorDetail(message, code=Code(code, hint, allowed))


def unknown(names: Iterable[str], known: Iterable[str], *, what: str) -> dict[str, ErrorDetail]:
    """Return a fault ``unknown_<what>`` for each of ``names``, with the nearest of ``known``.

    Only the first ``MAX_SHOWN`` names get a neighbour: looking for one takes time, and whoever
    sends ten thousand unknown names does not read them.
    """
    allowed = sorted(known)
    message, code = f"There is no such {what}.", f"unknown_{what}"
    return {
        name: fault(message, code, _did_you_mean(name, allowed) if n < MAX_SHOWN else "", allowed)
        for n, name in enumerate(names)
    }


def _did_you_mean(name: str, known: list[str]) -> str:
    near = get_close_matches(name[:100].lower(), known, n=2)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"Known: {', '.join(known[:MAX_SHOWN])}." if known else ""


class ParameterError(ValidationError):
    """Faults of the query string, by the name of the parameter."""

    place: ClassVar[str] = "parameter"


class HeaderError(ValidationError):
    """Faults of the request's headers, by their name."""

    place: ClassVar[str] = "header"


class BodyTooLargeError(APIException):
    """The body is longer than Chronos reads."""

    status_code = 413
    default_detail = "The body is longer than 1 MiB."
    default_code = "body_too_large"
