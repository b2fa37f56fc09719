"""Any accepted spelling of a job -> the canonical body; pure, and nearly all of it tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from jobs.triggers.cron import PRESETS
from lib.faults import fault

if TYPE_CHECKING:
    from rest_framework.exceptions import ErrorDetail

Path: TypeAlias = tuple[str, ...]
Said: TypeAlias = dict[Path, Any]  # what one field of the caller's says, by canonical path

OBJECTS = {
    "payload": "payload",
    "schedule": "schedule",
    "retry": "retry",
    "retryPolicy": "retry",
    "policy": "policy",
}
TYPE: Path = ("schedule", "type")
CRON: Path = ("schedule", "cron")
EVERY: Path = ("schedule", "every_seconds")
RUN_AT: Path = ("schedule", "run_at")

_TYPES: dict[str, Said] = {
    "manual": {TYPE: "manual"},
    "once": {TYPE: "once"},
    "immediate": {TYPE: "once", RUN_AT: None},
    "interval": {TYPE: "interval"},
    "cron": {TYPE: "cron"},
}
_TYPES |= {name: {TYPE: "cron", CRON: expression} for name, expression in PRESETS.items()}
SCHEDULE_TYPES = _TYPES | {name.upper(): said for name, said in _TYPES.items()}
IMPLIED_TYPES = {CRON: "cron", EVERY: "interval", RUN_AT: "once"}
JOB_TYPES = {"recurring": ("cron", "interval"), "one_time": ("once", "immediate")}


@dataclass(frozen=True, slots=True)
class Canonical:
    """A body with canonical names.

    ``aliases`` maps the JSON pointer of each canonical field that the caller gave another name to
    the caller's pointer. ``faults`` are contradictions, by the caller's pointer. A field without
    a canonical meaning stays where it was, for the serializer to refuse.
    """

    body: dict[str, Any]
    aliases: dict[str, str]
    faults: dict[str, ErrorDetail]

    def called(self, pointer: str) -> str:
        """Turn the pointer of a canonical field, or of something in it, into the caller's."""
        head, tail = pointer, ""
        while head and head not in self.aliases:
            head, _, name = head.rpartition("/")
            tail = f"/{name}{tail}"
        return self.aliases.get(head, "") + tail


def canonical(body: Mapping[str, Any], *, kind: str = "") -> Canonical:
    """Read ``body`` in any of the three spellings, mixed as well.

    ``kind`` is the kind of the job that a partial body changes: the HTTP names in a payload are
    names only in the payload of an HTTP job.
    """
    said: dict[Path, tuple[Path, Any]] = {}
    faults = {}
    http = _said_kind(body, kind) == "http"
    for path, value in _fields(body):
        for target, meant in _read(path, value, http=http).items():
            earlier, other = said.setdefault(target, (path, meant))
            if type(other) is not type(meant) or other != meant:
                faults[pointer(*path)] = _contradiction(earlier, path)
    _imply_type(said)
    faults |= _job_type_faults(body, said)
    aliases = {
        pointer(*target): pointer(*path) for target, (path, _) in said.items() if path != target
    }
    return Canonical(_nested(said), aliases, faults)


def pointer(*path: str) -> str:
    """Return the JSON pointer (RFC 6901) to ``path``."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in path)


def _as(*path: str) -> Callable[[Any], Said]:
    return lambda value: {path: value}


def _word(*path: str) -> Callable[[Any], Said]:
    """The nested spelling shouts its words."""
    return lambda value: {path: _lower(value)}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) and value.isascii() else value


def _schedule_type(value: Any) -> Said:
    unknown: Said = {TYPE: value}
    return SCHEDULE_TYPES.get(value, unknown) if isinstance(value, str) else unknown


def _max_retries(value: Any) -> Said:
    """Retries come after the first try, which ``max_attempts`` counts too."""
    return {("retry", "max_attempts"): value + 1 if type(value) is int else value}


READERS: dict[Path, Callable[[Any], Said]] = {
    ("kind",): _word("kind"),
    ("type",): _word("kind"),
    ("status",): _word("status"),
    ("schedule_type",): _schedule_type,
    ("cron_expression",): _as(*CRON),
    ("scheduled_at",): _as(*RUN_AT),
    ("run_at",): _as(*RUN_AT),
    ("interval_seconds",): _as(*EVERY),
    ("max_retries",): _max_retries,
    ("schedule", "type"): _schedule_type,
    ("schedule", "cronExpr"): _as(*CRON),
    ("schedule", "runAt"): _as(*RUN_AT),
    ("schedule", "intervalSeconds"): _as(*EVERY),
    ("retryPolicy", "maxAttempts"): _as("retry", "max_attempts"),
    ("retryPolicy", "backoffStrategy"): _word("retry", "strategy"),
    ("retryPolicy", "backoffSeconds"): _as("retry", "base_seconds"),
}
HTTP_READERS: dict[Path, Callable[[Any], Said]] = {
    ("payload", "httpUrl"): _as("payload", "url"),
    ("payload", "httpMethod"): _as("payload", "method"),
    ("payload", "httpHeaders"): _as("payload", "headers"),
    ("payload", "httpBody"): _as("payload", "body"),
}
NAMES = frozenset({"job_type", *OBJECTS, *(path[0] for path in READERS)})
"""What a body may call its fields, apart from those that have only one name."""


def _said_kind(body: Mapping[str, Any], kind: str) -> Any:
    return _lower(body.get("kind", body.get("type", kind)))


def _fields(body: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    for name, value in body.items():
        if name == "job_type":
            continue
        if name not in OBJECTS or not isinstance(value, Mapping):
            yield (name,), value
            continue
        yield (name,), {}
        for inner, inner_value in value.items():
            yield (name, inner), inner_value


def _read(path: Path, value: Any, *, http: bool) -> Said:
    reader = READERS.get(path) or (HTTP_READERS.get(path) if http else None)
    if reader:
        return reader(value)
    return {(OBJECTS.get(path[0], path[0]), *path[1:]): value}


def _imply_type(said: dict[Path, tuple[Path, Any]]) -> None:
    """A schedule that says when, and only one sort of when, need not say its type."""
    implied = [target for target in IMPLIED_TYPES if target in said]
    if TYPE not in said and len(implied) == 1:
        said[TYPE] = (said[implied[0]][0], IMPLIED_TYPES[implied[0]])


def _job_type_faults(
    body: Mapping[str, Any], said: Mapping[Path, tuple[Path, Any]]
) -> dict[str, ErrorDetail]:
    """``job_type`` only repeats what the schedule's type says; hold the two against each other."""
    if "job_type" not in body:
        return {}
    job_type = body["job_type"]
    allowed = JOB_TYPES.get(job_type) if isinstance(job_type, str) else None
    if allowed is None:
        words = fault("This is no job type.", "invalid_choice", allowed=list(JOB_TYPES))
        return {"/job_type": words}
    if TYPE not in said:
        words = fault("A job_type needs a schedule_type.", "required", allowed=list(allowed))
        return {"/schedule_type": words}
    path, schedule_type = said[TYPE]
    if schedule_type in ("manual", "once", "interval", "cron") and schedule_type not in allowed:
        return {pointer(*path): _contradiction(("job_type",), path)}
    return {}


def _contradiction(earlier: Path, later: Path) -> ErrorDetail:
    return fault(
        f"{'.'.join(earlier)} and {'.'.join(later)} say different things.",
        "conflicting_fields",
        hint="Send one of them.",
    )


def _nested(said: Mapping[Path, tuple[Path, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for path in sorted(said, key=len):
        *parents, name = path
        node = body.setdefault(parents[0], {}) if parents else body
        if isinstance(node, dict):
            node[name] = said[path][1]
    return body
