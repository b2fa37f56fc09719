"""Errors that no view of the API answered: one shape for programs, a plain page for people."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from structlog.contextvars import bound_contextvars

from chronos_project.api_errors import FORBIDDEN, NOTHING_THERE, TOO_LARGE, unavailable
from chronos_project.body_limit import limit_of
from chronos_project.problem_details import CONTENT_TYPE, Failure, describe
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

FOR_PROGRAMS = re.compile(r"/(?:api|run|status|info)(?:/|\Z)")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_PAGES = ("", "text/html", "text/plain")

BY_STATUS = {
    403: FORBIDDEN,
    404: NOTHING_THERE,
    405: Failure(
        status=405, code="method_not_allowed", detail="This address does not take this method."
    ),
    413: TOO_LARGE,
}
BAD_REQUEST = Failure(status=400, code="bad_request", detail="The request cannot be read.")
OUR_FAULT = Failure(
    status=500, code="internal_error", detail="Something went wrong here; it has been written down."
)


class ProblemMiddleware:
    """Gives every request an id, and every error that Django itself makes the shape of ours.

    Stands first, so that it sees what all others answer. Answers of the API's views and pages
    rendered from templates are left as they are. A view that passes on the answer of another
    server sets ``passed_on = True`` on it to have it left alone as well.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._call_async(request)
        with bound_contextvars(request_id=_identify(request)):
            return _finish(request, _refusal(request) or self.get_response(request))

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        with bound_contextvars(request_id=_identify(request)):
            return _finish(request, _refusal(request) or await self.get_response(request))  # type: ignore[misc]  # is async here

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Remember what a view raised; Django goes on to log it."""
        request.raised = exception  # type: ignore[attr-defined]


def respond(request: HttpRequest, failure: Failure) -> HttpResponse:
    """Answer ``failure``, as JSON to programs and as a page to people."""
    return _write(request, HttpResponse(), failure)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What ``CSRF_FAILURE_VIEW`` names."""
    detail = "The proof that this comes from a page of Chronos is missing or too old."
    return respond(request, Failure(status=403, code="csrf_failed", detail=detail))


def wants_json(request: HttpRequest) -> bool:
    if FOR_PROGRAMS.match(request.path_info):
        return True
    kinds = ["text/html", "application/json", CONTENT_TYPE]
    return request.get_preferred_type(kinds) in kinds[1:]


def _identify(request: HttpRequest) -> str:
    """Take over the caller's ``X-Request-Id`` if it is harmless, else make one."""
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else str(new_id())
    request.request_id = request_id  # type: ignore[attr-defined]
    return request_id


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Answer what would only stumble over something further inside."""
    failure = _unreadable(request)
    return respond(request, failure) if failure else None


def _unreadable(request: HttpRequest) -> Failure | None:
    if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        detail = "The address has the character U+0000."
        return Failure(status=400, code="nul_character", detail=detail)
    try:
        request.get_host()
    except DisallowedHost:
        return Failure(status=400, code="bad_host", detail="No such host is known here.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return BAD_REQUEST
    return TOO_LARGE if int(length) > limit_of(request.path_info) else None


def _finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponse) and _is_made_by_django(response):
        response = _write(request, response, _failure_of(request, response))
    response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
    return response


def _is_made_by_django(response: HttpResponse) -> bool:
    if response.status_code < HTTPStatus.BAD_REQUEST or isinstance(
        response, SimpleTemplateResponse
    ):
        return False
    if getattr(response, "passed_on", False):
        return False
    kind = response.get("Content-Type", "").partition(";")[0].strip()
    return kind in _PAGES or not response.content


def _failure_of(request: HttpRequest, response: HttpResponse) -> Failure:
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raised = getattr(request, "raised", None)
        away = isinstance(raised, OperationalError | InterfaceError)
        return unavailable("database") if away else OUR_FAULT
    return BY_STATUS.get(response.status_code, BAD_REQUEST)


def _write(request: HttpRequest, response: HttpResponse, failure: Failure) -> HttpResponse:
    """Put ``failure`` into ``response``, which keeps its headers."""
    body = describe(request, failure)
    as_json = wants_json(request)
    response.status_code = failure.status
    response.content = (
        json.dumps(body) if as_json else render_to_string("problems/error.html", {"problem": body})
    )
    for name, value in failure.headers.items():
        response[name] = value
    response["Content-Type"] = CONTENT_TYPE if as_json else "text/html; charset=utf-8"
    response["Content-Length"] = str(len(response.content))
    response.passed_on = True  # type: ignore[attr-defined]  # is as it should be
    return response
