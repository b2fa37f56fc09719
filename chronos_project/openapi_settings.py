"""How the API describes itself; `chronos_project.openapi` has the code behind the names."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "PREPROCESSING_HOOKS": ["chronos_project.openapi.canonical_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "chronos_project.openapi.add_summaries",
        "chronos_project.openapi.add_idempotency",
        "chronos_project.openapi.add_team",
        "chronos_project.openapi.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ExecutionStatus": "executions.models.Status",
        "JobStatus": ["active", "paused", "archived"],
        "Kind": "jobs.kinds.choices",
        "Role": ["viewer", "operator", "editor", "admin"],
        "ServiceRole": ["viewer", "operator", "editor"],
        "Scope": ["view", "operate", "edit", "manage"],
        "RedriveMode": [("all", "All"), ("canary", "Canary")],
        "HealthStatus": ["up", "down"],
        "VerdictStatus": ["ok", "degraded", "down"],
    },
    "TAGS": [
        {"name": "auth", "description": "Registering, signing in, and one's own profile."},
        {"name": "teams", "description": "Who owns jobs together, and who may do what with them."},
        {"name": "api keys", "description": "What programs send instead of a password."},
        {"name": "jobs", "description": "What to do and when, and starting it by hand."},
        {"name": "schedules", "description": "What a schedule would do."},
        {"name": "limits", "description": "What jobs share: so many at once, so many per time."},
        {"name": "executions", "description": "What happened, and what is happening."},
        {"name": "failures", "description": "What failed for good, by cause, and redriving it."},
        {"name": "queues", "description": "The lines in which executions wait for workers."},
        {"name": "dashboard", "description": "The whole in numbers."},
        {"name": "short forms", "description": "At the root, for a first try and for scripts."},
        {"name": "platform", "description": "Whether Chronos itself is well."},
    ],
}
