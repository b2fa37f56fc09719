"""What drf-spectacular is told beyond the views themselves: paths and problems."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from accounts.access import TEAM_HEADER
from accounts.idempotent import HEADER, LONGEST, REPLAYED
from chronos_project.problem_details import CONTENT_TYPE

Endpoint: TypeAlias = tuple[str, str, str, Callable[..., Any]]

# Other names of addresses that are described under their own.
ALIASES = re.compile(r"/actuator/|/api/v1/(?:health|info)\b")
METHODS = frozenset({"get", "post", "put", "patch", "delete"})

IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A new UUID for each new request. Repeated within 24 hours with the same body,"
    " the request has no second effect: the first answer comes again, with the header"
    f" `{REPLAYED}: true`. With another body it is a 422; while the first call runs it is"
    " a 409 with `Retry-After`. Refused requests (4xx) and faults (5xx) are not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST},
    "example": "0190a0b4-7d5e-7c4b-9d0f-6f1a2b3c4d5e",
}

TEAM = {
    "name": TEAM_HEADER,
    "in": "header",
    "required": False,
    "description": "The id of the team to act in. Without it people act in their personal team, and"
    " API keys in their own.",
    "schema": {"type": "string", "format": "uuid"},
}
TEAMLESS = re.compile(r"/api/v1/(?:auth|teams|invitations|queues)\b|/(?!api/v1/)")

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `type` leads to a page with the cause, an example and the way out.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "A stable word."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "All faults at once, each with the place where it is.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "In the body (RFC 6901)."},
                    "parameter": {"type": "string"},
                    "header": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                    "allowed": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "current_status": {"type": "string", "description": "With 409."},
        "allowed_actions": {
            "type": "array",
            "items": {"type": "string"},
            "description": "With 409.",
        },
        "component": {"type": "string", "description": "With 503."},
        "retry_after": {"type": "integer", "description": "Seconds, with 429."},
    },
    "example": {
        "type": "/problems/invalid_choice",
        "title": "Not one of the words",
        "status": 400,
        "detail": "status: Select a valid choice. runing is not one of the available choices.",
        "instance": "/api/v1/executions",
        "code": "invalid_choice",
        "request_id": "0190a0b4-7d5e-7c4b-9d0f-6f1a2b3c4d5e",
        "errors": [
            {
                "parameter": "status",
                "code": "invalid_choice",
                "detail": "Select a valid choice. runing is not one of the available choices.",
            }
        ],
    },
}


def canonical_paths(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Show each address once, under its canonical name: without a slash at its end."""
    return [
        (path.rstrip("/"), regex, method, view)
        for path, regex, method, view in endpoints
        if not ALIASES.match(path)
    ]


def add_summaries(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Let the first sentence of what is said of an operation stand in lists of operations."""
    for operations in result["paths"].values():
        for method in METHODS & operations.keys():
            sentence = operations[method].get("description", "").partition(". ")[0]
            operations[method].setdefault("summary", sentence.rstrip("."))
    return result


def add_idempotency(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every POST of the API that it takes a key."""
    parameters = result.setdefault("components", {}).setdefault("parameters", {})
    parameters["IdempotencyKey"] = IDEMPOTENCY_KEY
    for operations in result["paths"].values():
        if "post" in operations:
            taken = operations["post"].setdefault("parameters", [])
            taken.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return result


def add_team(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every operation on what a team owns that it takes the team."""
    result.setdefault("components", {}).setdefault("parameters", {})["Team"] = TEAM
    for path, operations in result["paths"].items():
        for method in METHODS & operations.keys() if not TEAMLESS.match(path) else ():
            taken = operations[method].setdefault("parameters", [])
            taken.append({"$ref": "#/components/parameters/Team"})
    return result


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say of every operation that its errors are problems."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    content = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answers = {
        "4XX": {"description": "The request cannot be carried out.", "content": content},
        "5XX": {"description": "A part is away, or the fault is ours.", "content": content},
    }
    for operations in result["paths"].values():
        for method in METHODS & operations.keys():
            operations[method]["responses"] |= answers
    return result
