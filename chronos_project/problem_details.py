"""Problems as RFC 9457 wants them told: one shape for every error of every address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from chronos_project.problem_table import problem_of
from lib.places import clipped, faults_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

CONTENT_TYPE = "application/problem+json"
MAX_FAULTS = 100  # that one answer names
GENERAL = "validation_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong with a request. ``extra`` are further members of the answer."""

    status: int
    code: str
    detail: str
    errors: Sequence[dict[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def describe(request: HttpRequest | Request, failure: Failure) -> dict[str, Any]:
    """Return the body of the answer."""
    code = failure.code
    if failure.status == HTTPStatus.BAD_REQUEST and problem_of(code) is None:
        code = "invalid"  # a word of some validator's own; the page about faults explains it
    row = problem_of(code)
    body = {
        "type": f"/problems/{code}" if row else "about:blank",
        "title": row.title if row else HTTPStatus(failure.status).phrase,
        "status": failure.status,
        "detail": clipped(failure.detail),
        "instance": clipped(request.path),
        "code": failure.code,
        "request_id": getattr(request, "request_id", ""),
    }
    if failure.errors:
        body["errors"] = list(failure.errors)
    return body | dict(failure.extra)


def failure_of_faults(detail: Any, *, status: int = 400, place: str = "pointer") -> Failure:
    """Turn the detail of a DRF ``ValidationError`` into a failure that names every fault.

    ``place`` says what the keys are: fields (``pointer``), a ``parameter`` or a ``header``. The
    code is that of the faults if they agree, else ``validation_failed``.
    """
    found = faults_of(detail, place=place)
    errors = list(islice(found, MAX_FAULTS))
    more = next(found, None) is not None
    codes = {error["code"] for error in errors}
    return Failure(
        status=status,
        code=codes.pop() if len(codes) == 1 else GENERAL,
        detail=_summary(errors, more=more, place=place),
        errors=errors,
    )


def _summary(errors: list[dict[str, Any]], *, more: bool, place: str) -> str:
    if more:
        return f"More than {MAX_FAULTS} things are wrong; errors names the first {MAX_FAULTS}."
    if len(errors) == 1:
        where = errors[0][place].lstrip("/").replace("/", ".")
        return f"{where}: {errors[0]['detail']}" if where else str(errors[0]["detail"])
    return f"{len(errors)} things are wrong; errors names them."
