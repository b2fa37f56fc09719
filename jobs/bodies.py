"""The canonical body of a job: defaults, how a change is laid over it, its way into rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs import policies, specs, triggers
from jobs.specs import shortest
from jobs.triggers.base import checked_instant

if TYPE_CHECKING:
    from jobs.models import Job, JobVersion, Schedule

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

UNSAID: dict[str, dict[str, Any]] = {
    "retry": {
        "jitter": policies.Jitter.FULL.value,
        "retry_on": [],
        "give_up_on": [],
    },
    "policy": {
        "concurrency": None,
        "limit": None,
        "start_deadline_seconds": None,
        "catch_up_max": policies.CATCH_UP,
        "catch_up_pace_seconds": 0,
    },
}
"""What silence means in an object, besides ``specs.UNSAID``. A canonical body does not say it."""

LADDER = [int(delay.total_seconds()) for delay in policies.LADDER]
SCHEDULE_POLICY = ("misfire", "overlap", "catch_up_max", "catch_up_pace_seconds")
"""What of a policy is stored with the schedule."""


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
        "retry": terse("retry", _retry(version)),
        "policy": terse("policy", _policy(version, schedule)),
        "tags": job.tags,
    }


def _retry(version: JobVersion) -> dict[str, Any]:
    growth: dict[str, Any] = {
        "base_seconds": shortest(version.retry_base_seconds),
        "max_seconds": shortest(version.retry_max_seconds),
    }
    if version.retry_strategy == policies.RetryStrategy.LADDER:
        growth = {"delays_seconds": [shortest(delay) for delay in version.retry_delays]}
    return {
        "max_attempts": version.max_attempts,
        "strategy": version.retry_strategy,
        **growth,
        "jitter": version.retry_jitter,
        "retry_on": version.retry_on,
        "give_up_on": version.give_up_on,
    }


def _policy(version: JobVersion, schedule: Schedule) -> dict[str, Any]:
    deadline = version.start_deadline_seconds
    return {
        "timeout_seconds": shortest(version.timeout_seconds),
        "overlap": schedule.overlap,
        "misfire": schedule.misfire,
        "priority": policies.Priority(version.priority).word,
        "queue": version.queue,
        "on_lost": version.on_lost,
        "concurrency": version.concurrency,
        "limit": version.limit and version.limit.name,
        "start_deadline_seconds": deadline and shortest(deadline),
        "catch_up_max": schedule.catch_up_max,
        "catch_up_pace_seconds": shortest(schedule.catch_up_pace_seconds),
    }


def terse(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what goes without saying in the object ``name``, ``retry`` or ``policy``."""
    unsaid = UNSAID[name]
    return {field: value for field, value in fields.items() if value != unsaid.get(field, ...)}


def spelt_out(body: Mapping[str, Any]) -> dict[str, Any]:
    """Say what goes without saying, too: everything that could be set."""
    spec = body["schedule"]
    names = {*specs.TAKEN[spec["type"]]} - {*misplaced("schedule", spec)}
    unsaid = {name: value for name, value in specs.UNSAID.items() if name in names}
    return {
        **body,
        "schedule": {**unsaid, **spec},
        **{name: {**fields, **body[name]} for name, fields in UNSAID.items()},
    }


def merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a partial body over a whole one, one level deep.

    A payload for another kind and a schedule of another type replace what was there; the fields
    of the old one would mean nothing to them. So do the delays of another sort of retries.
    """
    body = {**current, **changes}
    if body["kind"] != current["kind"]:
        body["payload"] = changes.get("payload", {})
    for name in OBJECTS:
        change = changes.get(name)
        if isinstance(change, Mapping) and not _is_of_another_sort(name, current, body):
            gone = misplaced(name, {**current[name], **change})
            kept = {field: said for field, said in current[name].items() if field not in gone}
            body[name] = {**kept, **change}
    return body


def settled(spec: Mapping[str, Any], *, now: datetime, anchor: datetime | None) -> dict[str, Any]:
    """Make a canonical schedule whole: fill in what it leaves open, drop what goes without saying.

    The zone is UTC, ``once`` without an instant means now, and an interval counts from
    ``anchor`` if it had one before, else from its start, else from now.
    """
    said = specs.terse(spec)
    match spec["type"]:
        case "cron":
            return {"timezone": "UTC", **said}
        case "interval" if "mode" not in said:
            return {"anchor": anchor or said.get("starts_at") or now, **said}
        case "once":
            return {**said, "run_at": said.get("run_at") or now}
    return said


def first_slot(spec: Mapping[str, Any], now: datetime) -> datetime | None:
    """Return when a settled schedule is due first: after ``now``, but ``once`` when it says.

    Raises ``TriggerError``.
    """
    if spec["type"] == "once":
        return checked_instant("run_at", spec["run_at"])
    return triggers.build(spec).after(now)


def schedule_fields(spec: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``Schedule`` row stores of a settled schedule."""
    said = {**UNSAID["policy"], **policy}
    return {**specs.UNSET, **spec, **{name: said[name] for name in SCHEDULE_POLICY}}


def version_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``JobVersion`` row stores of a body whose schedule is settled.

    ``limit`` is missing: the body has only its name.
    """
    retry = {**DEFAULTS["retry"], **UNSAID["retry"], **body["retry"]}
    policy = {**UNSAID["policy"], **body["policy"]}
    schedule = body["schedule"] | {
        name: policy[name] for name in SCHEDULE_POLICY if name in body["policy"]
    }
    is_ladder = retry["strategy"] == policies.RetryStrategy.LADDER
    return {
        "kind": body["kind"],
        "payload": body["payload"],
        "schedule": {name: _as_json(value) for name, value in schedule.items()},
        "max_attempts": retry["max_attempts"],
        "retry_strategy": retry["strategy"],
        "retry_base_seconds": retry["base_seconds"],
        "retry_max_seconds": retry["max_seconds"],
        "retry_delays": retry.get("delays_seconds", LADDER) if is_ladder else [],
        "retry_jitter": retry["jitter"],
        "retry_on": retry["retry_on"],
        "give_up_on": retry["give_up_on"],
        "timeout_seconds": policy["timeout_seconds"],
        "queue": policy["queue"],
        "priority": policies.Priority.of(policy["priority"]).value,
        "on_lost": policy["on_lost"],
        "concurrency": policy["concurrency"],
        "start_deadline_seconds": policy["start_deadline_seconds"],
    }


def _is_of_another_sort(name: str, current: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    match name:
        case "payload":
            return bool(body["kind"] != current["kind"])
        case "schedule":
            was = current["schedule"]["type"]
            return bool(body["schedule"].get("type", was) != was)
    return False


def misplaced(name: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what the object ``name`` does not have with this retry strategy or interval mode."""
    if name == "retry":
        is_ladder = fields["strategy"] == policies.RetryStrategy.LADDER
        return ("base_seconds", "max_seconds") if is_ladder else ("delays_seconds",)
    if name == "schedule" and fields.get("mode") == policies.IntervalMode.FIXED_DELAY:
        return ("anchor",)
    return ()


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
