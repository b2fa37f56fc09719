"""The canonical body of a job: defaults, how a change is laid over it, its way into rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs import policies, triggers
from jobs.triggers.base import checked_instant

if TYPE_CHECKING:
    from jobs.models import Job

DEFAULTS: dict[str, Any] = {
    "description": "",
    "status": "active",
    "kind": "noop",
    "payload": {},
    "schedule": {"type": "manual"},
    "retry": {
        "max_attempts": 3,
        "strategy": policies.RetryStrategy.EXPONENTIAL.value,
        "base_seconds": 60,
        "max_seconds": 3600,
    },
    "policy": {
        "timeout_seconds": 300,
        "overlap": policies.Overlap.SKIP.value,
        "misfire": policies.Misfire.LATEST.value,
        "priority": policies.Priority.NORMAL.word,
        "queue": "default",
        "on_lost": policies.OnLost.RETRY.value,
    },
    "tags": [],
}
OBJECTS = ("payload", "schedule", "retry", "policy")
_UNSET = {"cron": "", "timezone": "UTC", "every_seconds": None, "anchor": None, "run_at": None}


def of(job: Job) -> dict[str, Any]:
    """Return the body that would make ``job`` as it is now. Instants are ``datetime``."""
    version, schedule = job.current, job.schedule
    assert version is not None  # noqa: S101  definitions never leave a job without a version
    return {
        "name": job.name,
        "slug": job.slug,
        "description": job.description,
        "status": job.status,
        "kind": version.kind,
        "payload": version.payload,
        "schedule": schedule.spec,
        "retry": {
            "max_attempts": version.max_attempts,
            "strategy": version.retry_strategy,
            "base_seconds": _shortest(version.retry_base_seconds),
            "max_seconds": _shortest(version.retry_max_seconds),
        },
        "policy": {
            "timeout_seconds": _shortest(version.timeout_seconds),
            "overlap": schedule.overlap,
            "misfire": schedule.misfire,
            "priority": policies.Priority(version.priority).word,
            "queue": version.queue,
            "on_lost": version.on_lost,
        },
        "tags": job.tags,
    }


def merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a partial body over a whole one, one level deep.

    A payload for another kind and a schedule of another type replace what was there; the fields
    of the old one would mean nothing to them.
    """
    body = {**current, **changes}
    if body["kind"] != current["kind"]:
        body["payload"] = changes.get("payload", {})
    for name in OBJECTS:
        change = changes.get(name)
        if isinstance(change, Mapping) and not _is_of_another_sort(name, current, body):
            body[name] = {**current[name], **change}
    return body


def settled(spec: Mapping[str, Any], *, now: datetime, anchor: datetime | None) -> dict[str, Any]:
    """Fill in what a canonical schedule leaves open.

    The zone is UTC, ``once`` without an instant means now, and an interval counts from
    ``anchor`` if it had one before, else from now.
    """
    match spec["type"]:
        case "cron":
            return {"timezone": "UTC", **spec}
        case "interval":
            return {"anchor": anchor or now, **spec}
        case "once":
            return {**spec, "run_at": spec.get("run_at") or now}
    return dict(spec)


def first_slot(spec: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when a settled schedule is due first: after ``now``, but ``once`` when it says.

    Raises ``TriggerError``.
    """
    if spec["type"] == "once":
        return checked_instant("run_at", spec["run_at"])
    return triggers.build(spec).after(now)


def schedule_fields(spec: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``Schedule`` row stores of a settled schedule."""
    return {**_UNSET, **spec, "misfire": policy["misfire"], "overlap": policy["overlap"]}


def version_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``JobVersion`` row stores of a body whose schedule is settled."""
    retry, policy = body["retry"], body["policy"]
    schedule = {**body["schedule"], "misfire": policy["misfire"], "overlap": policy["overlap"]}
    return {
        "kind": body["kind"],
        "payload": body["payload"],
        "schedule": {name: _as_json(value) for name, value in schedule.items()},
        "max_attempts": retry["max_attempts"],
        "retry_strategy": retry["strategy"],
        "retry_base_seconds": retry["base_seconds"],
        "retry_max_seconds": retry["max_seconds"],
        "timeout_seconds": policy["timeout_seconds"],
        "queue": policy["queue"],
        "priority": policies.Priority.of(policy["priority"]).value,
        "on_lost": policy["on_lost"],
    }


def _is_of_another_sort(name: str, current: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    match name:
        case "payload":
            return bool(body["kind"] != current["kind"])
        case "schedule":
            was = current["schedule"]["type"]
            return bool(body["schedule"].get("type", was) != was)
    return False


def _shortest(number: float) -> float:
    return int(number) if number == int(number) else number


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
