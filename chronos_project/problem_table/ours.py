"""What is our own fault."""

from __future__ import annotations

from chronos_project.problem_table.row import Problem

OURS = (
    Problem(
        "database_unavailable flower_unavailable broker_unavailable",
        "A part of Chronos is away",
        "The database or the broker does not answer. `component` says which.",
        "A database that is being restarted",
        "Send the request again after Retry-After. /health shows the state of every part.",
    ),
    Problem(
        "internal_error",
        "A fault of ours",
        "Something happened that nobody thought of. It is in the log under the request id.",
        "A defect in Chronos",
        "Send the request again; if it stays, report it together with the request id.",
    ),
)
