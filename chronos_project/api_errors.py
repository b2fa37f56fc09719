"""Which answer an exception gets: one table for the API's views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.core import exceptions as django_errors
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.http.request import UnreadablePostError
from kombu.exceptions import OperationalError as BrokerError
from psycopg import errors as postgres
from redis.exceptions import ConnectionError as RedisAwayError
from redis.exceptions import TimeoutError as RedisSlowError
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts.idempotency import KeyReusedError, StillRunningError
from accounts.teams import TeamError
from chronos_project.problem_details import CONTENT_TYPE, Failure, describe, failure_of_faults
from executions import explain
from executions.deadletters import NotDeadError
from executions.models import Execution
from executions.queues import QueueTakenError
from executions.redrives import RedriveRunningError
from executions.transitions import IllegalTransitionError, StaleExecutionError
from jobs.definitions import DefinitionError
from jobs.triggers.base import TriggerError
from lib.places import pointer

log = structlog.get_logger(__name__)

RETRY_AFTER = 5  # seconds after which a part that was away may be back
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

NOTHING_THERE = Failure(
    status=404, code="not_found", detail="There is nothing here, or nothing that you may see."
)
TOO_LARGE = Failure(status=413, code="body_too_large", detail="The body is longer than 1 MiB.")
SUSPICIOUS = Failure(status=400, code="suspicious_request", detail="The request was refused.")
FORBIDDEN = Failure(status=403, code="permission_denied", detail="You may not do this.")
KEY_REUSED = Failure(
    status=422,
    code="idempotency_key_reused",
    detail="This Idempotency-Key was used here before, with another request.",
)
KEY_RUNNING = Failure(
    status=409,
    code="idempotency_key_running",
    detail="The first call with this Idempotency-Key has not ended yet.",
    headers={"Retry-After": "1"},
)
REDRIVE_RUNNING = Failure(
    status=409, code="redrive_running", detail="The group is being redriven; wait or stop that."
)
QUEUE_TAKEN = Failure(status=409, code="queue_taken", detail="There is a queue of this name.")


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer ``exc`` as a problem: what DRF's ``EXCEPTION_HANDLER`` names.

    ``None`` for what nobody thought of: Django logs it, and ``ProblemMiddleware`` answers it.
    """
    request: Request = context["request"]
    failure = failure_of(exc, request)
    if failure is None:
        return None
    set_rollback()
    renderer = getattr(request, "accepted_renderer", None)
    return Response(
        describe(request, failure),
        status=failure.status,
        headers=dict(failure.headers),
        # The browsable API shows the same body inside a page.
        content_type=None if renderer and renderer.format == "api" else CONTENT_TYPE,
    )


def failure_of(exc: Exception, request: Request) -> Failure | None:
    """Return what ``exc`` means to the caller, by its class or the nearest above it."""
    for sort in type(exc).__mro__:
        if sort in ANSWERS:
            return ANSWERS[sort](exc, request)
    return None


def unavailable(component: str) -> Failure:
    """The answer while a part of Chronos is away."""
    return Failure(
        status=503,
        code=f"{component}_unavailable",
        detail=f"The {component} does not answer at the moment.",
        headers={"Retry-After": str(RETRY_AFTER)},
        extra={"component": component},
    )


def _validation(exc: drf.ValidationError, request: Request) -> Failure:
    # A request that has no body can only be wrong in its parameters.
    place = "parameter" if request.method in SAFE else "pointer"
    return failure_of_faults(exc.detail, place=getattr(exc, "place", place))


def _django_validation(exc: django_errors.ValidationError, request: Request) -> Failure:
    return failure_of_faults(get_error_detail(exc))


def _parse(exc: drf.ParseError, request: Request) -> Failure:
    return failure_of_faults(exc.detail, status=exc.status_code)


def _media_type(exc: drf.UnsupportedMediaType, request: Request) -> Failure:
    detail = f"{request.content_type or 'No content type'}: send application/json."
    return Failure(status=415, code="unsupported_media_type", detail=detail)


def _throttled(exc: drf.Throttled, request: Request) -> Failure:
    seconds = max(1, int(getattr(exc, "wait", None) or 1))
    return Failure(
        status=429,
        code="throttled",
        detail=f"Too many requests; try again in {seconds} s.",
        headers={"Retry-After": str(seconds)},
        extra={"retry_after": seconds},
    )


def _api(exc: drf.APIException, request: Request) -> Failure:
    """Whatever else DRF or a view of ours raises on purpose."""
    if isinstance(exc.detail, (list, dict)):
        return failure_of_faults(exc.detail, status=exc.status_code)
    auth = getattr(exc, "auth_header", None)
    csrf = str(exc.detail).startswith("CSRF Failed")
    return Failure(
        status=exc.status_code,
        code="csrf_failed" if csrf else str(exc.detail.code),
        detail=str(exc.detail),
        headers={"WWW-Authenticate": auth} if auth else {},
    )


def _not_found(exc: Exception, request: Request) -> Failure:
    return NOTHING_THERE  # whatever the exception says: it may name a model


def _execution(code: str) -> Callable[[Any, Request], Failure]:
    """A verb came too late: say where the execution is by now."""

    def answer(exc: Any, request: Request) -> Failure:
        execution = Execution.objects.filter(pk=exc.execution.pk).first()
        if execution is None:
            return NOTHING_THERE
        return Failure(
            status=409,
            code=code,
            detail=f"The execution is {execution.status}.",
            extra={
                "current_status": execution.status,
                "allowed_actions": explain.allowed_actions(execution),
            },
        )

    return answer


def _definition(exc: DefinitionError, request: Request) -> Failure:
    state = {"current_status": exc.current_status, "allowed_actions": exc.allowed_actions}
    extra = state if exc.current_status else {}
    return Failure(status=409, code=exc.code, detail=str(exc), extra=extra)


def _team(exc: TeamError, request: Request) -> Failure:
    return Failure(status=409, code=exc.code, detail=str(exc))


def _trigger(exc: TriggerError, request: Request) -> Failure:
    where = pointer(["schedule", exc.field])
    error = {"pointer": where, "code": exc.code, "detail": str(exc)}
    error |= {"hint": exc.hint} if exc.hint else {}
    return Failure(status=400, code=exc.code, detail=str(exc), errors=[error])


def _database(exc: Exception, request: Request) -> Failure:
    log.warning("request.database_away", error=str(exc))
    return unavailable("database")


def _broker(exc: Exception, request: Request) -> Failure:
    log.warning("request.broker_away", error=str(exc))
    return unavailable("broker")


def _data(exc: DataError, request: Request) -> Failure:
    log.error("request.unstorable", exc_info=exc)
    return Failure(status=400, code="unstorable", detail="A value cannot be stored.")


def _integrity(exc: IntegrityError, request: Request) -> Failure | None:
    """Of two that made the same thing at once, one is told so; anything else is our fault."""
    if not isinstance(exc.__cause__, postgres.UniqueViolation | postgres.ForeignKeyViolation):
        return None
    log.warning("request.conflict", error=str(exc))
    detail = "Somebody else made or removed the same thing at this moment."
    return Failure(status=409, code="conflict", detail=detail)


def _always(failure: Failure) -> Callable[[Exception, Request], Failure]:
    return lambda exc, request: failure


ANSWERS: dict[type[Exception], Callable[[Any, Request], Failure | None]] = {
    drf.ValidationError: _validation,
    drf.ParseError: _parse,
    drf.UnsupportedMediaType: _media_type,
    drf.NotFound: _not_found,
    drf.Throttled: _throttled,
    drf.APIException: _api,
    Http404: _not_found,
    django_errors.PermissionDenied: _always(FORBIDDEN),
    django_errors.RequestDataTooBig: _always(TOO_LARGE),
    django_errors.SuspiciousOperation: _always(SUSPICIOUS),
    django_errors.BadRequest: _always(SUSPICIOUS),
    django_errors.ValidationError: _django_validation,
    UnreadablePostError: _always(
        Failure(status=400, code="unreadable_body", detail="The body ended too early.")
    ),
    KeyReusedError: _always(KEY_REUSED),
    StillRunningError: _always(KEY_RUNNING),
    IllegalTransitionError: _execution("execution_state"),
    StaleExecutionError: _execution("execution_moved"),
    NotDeadError: _execution("not_dead"),
    RedriveRunningError: _always(REDRIVE_RUNNING),
    QueueTakenError: _always(QUEUE_TAKEN),
    DefinitionError: _definition,
    TeamError: _team,
    TriggerError: _trigger,
    OperationalError: _database,
    InterfaceError: _database,
    DataError: _data,
    IntegrityError: _integrity,
    BrokerError: _broker,
    RedisAwayError: _broker,
    RedisSlowError: _broker,
}
