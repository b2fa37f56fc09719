"""Call a URL; succeed on a 2xx answer."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any

from rest_framework import serializers

from jobs.kinds.base import Context, Failed, Kind, Outcome, Succeeded
from lib import egress
from lib.serializers import StrictSerializer
from lib.text import storable

MAX_HEADERS = 50
MAX_HEADER_VALUE = 4096  # characters
MAX_RETRY_AFTER = timedelta(hours=1)
KEPT_BODY = 64 * 1024  # bytes of the answer that are stored with the attempt
KEPT_HEADERS = ("content-type", "content-length", "date", "location", "retry-after", "x-request-id")
RETRYABLE_STATUS = frozenset([408, 425, 429, 500, 502, 503, 504])

# Chronos tells the target who calls; a job must not be able to pretend.
OWN_HEADERS = frozenset(["idempotency-key", "traceparent", "tracestate"])
OWN_PREFIX = "x-chronos-"


class HttpPayload(StrictSerializer):
    url = serializers.CharField(trim_whitespace=False, max_length=2048)
    method = serializers.ChoiceField(choices=egress.METHODS, default="GET")
    headers = serializers.DictField(
        child=serializers.CharField(
            allow_blank=True, trim_whitespace=False, max_length=MAX_HEADER_VALUE
        ),
        default=dict,
    )
    body = serializers.JSONField(
        allow_null=True,
        default=None,
        help_text="Text is sent as it is, anything else but null as application/json.",
    )

    def validate_url(self, url: str) -> str:
        try:
            egress.check_url(url)
        except egress.EgressError as exc:
            raise serializers.ValidationError(str(exc), code="target_forbidden") from exc
        return url

    def validate_headers(self, headers: dict[str, str]) -> dict[str, str]:
        if len(headers) > MAX_HEADERS:
            raise serializers.ValidationError(f"At most {MAX_HEADERS} headers.", code="too_many")
        own = [name for name in headers if _is_own(name)]
        if own:
            raise serializers.ValidationError(
                f"Chronos itself sets {', '.join(own)}.", code="target_forbidden"
            )
        try:
            egress.check_headers(headers)
        except egress.InvalidHeaderError as exc:
            raise serializers.ValidationError(str(exc), code="target_forbidden") from exc
        return headers


class HttpKind(Kind):
    name = "http"
    label = "HTTP request"
    payload = HttpPayload
    reasons = ("bad_status", "unreachable", "target_forbidden")

    def run(self, payload: dict[str, Any], context: Context) -> Outcome:
        content_type, body = _encoded(payload.get("body"))
        headers = payload.get("headers") or {}
        if content_type and "content-type" not in map(str.lower, headers):
            headers = headers | {"Content-Type": content_type}
        try:
            answer = egress.request(
                payload.get("method", "GET"),
                payload["url"],
                headers=headers | own_headers(context),
                body=body,
                timeout=context.timeout.total_seconds(),
                max_body=KEPT_BODY,
                stop=context.stop,
            )
        except egress.EgressError as exc:
            return _no_answer(exc)

        context.log(f"{answer.status_code} in {answer.elapsed.total_seconds():.3f} s")
        return _outcome(answer)


def own_headers(context: Context) -> dict[str, str]:
    """What every target is told about the attempt that calls it.

    All attempts of an execution share the idempotency key and the trace, whose id is the
    execution's; each attempt is a span of its own.
    """
    execution = context.execution_id
    span = blake2b(f"{execution}/{context.attempt}".encode(), digest_size=8).hexdigest()
    headers = {
        "Idempotency-Key": str(execution),
        "X-Chronos-Execution-Id": str(execution),
        "X-Chronos-Job-Id": str(context.job_id),
        "X-Chronos-Attempt": str(context.attempt),
        "traceparent": f"00-{execution.hex}-{span}-01",
    }
    if context.scheduled_for:
        slot = context.scheduled_for.astimezone(UTC).isoformat()
        headers["X-Chronos-Scheduled-For"] = slot.replace("+00:00", "Z")
    return headers


def _is_own(name: str) -> bool:
    return name.lower() in OWN_HEADERS or name.lower().startswith(OWN_PREFIX)


def _encoded(body: Any) -> tuple[str, bytes | None]:
    if body is None:
        return "", None
    if isinstance(body, str):
        return "text/plain; charset=utf-8", body.encode()
    return "application/json", json.dumps(body).encode()


def _no_answer(exc: egress.EgressError) -> Failed:
    match exc:
        case egress.DeadlineError():
            return Failed("timeout", str(exc))
        case egress.UnreachableError():
            return Failed("unreachable", str(exc))
        case egress.StoppedError():
            return Failed("stopped", str(exc))
        case _:
            return Failed("target_forbidden", str(exc), retryable=False)


def _outcome(answer: egress.Answer) -> Outcome:
    result = {
        "status_code": answer.status_code,
        "headers": {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
        "body": storable(answer.body.decode(errors="replace")),
        "truncated": answer.truncated,
        "elapsed_ms": round(answer.elapsed.total_seconds() * 1000),
    }
    if answer.is_success:
        return Succeeded(result)
    return Failed(
        "bad_status",
        f"HTTP {answer.status_code}",
        retryable=answer.status_code in RETRYABLE_STATUS,
        retry_in=_retry_after(answer.headers),
        result=result,
        labels=(str(answer.status_code), f"{answer.status_code // 100}xx"),
    )


def _retry_after(headers: dict[str, str]) -> timedelta | None:
    """Return how long the target asks to wait, in seconds or until a date by its own clock."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), MAX_RETRY_AFTER)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


KIND = HttpKind()
