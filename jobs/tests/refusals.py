"""How the API refuses: the shape of the answer, its place and code, and that nothing was made."""

from __future__ import annotations

from typing import Any

from jobs.models import Job, JobVersion, Schedule

INTERNALS = ("Traceback", "psycopg", "SELECT", "django", ".py", "Error(")


def faults(answer: Any) -> dict[str, str]:
    """Return the code of each fault by its place, of an answer that is a proper 400."""
    problem = answer.json()
    assert answer.status_code == 400, problem
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["status"] == 400
    assert problem["type"].startswith("/problems/")
    assert problem["code"]
    assert problem["instance"]
    assert not [word for word in INTERNALS if word in answer.content.decode()]
    return {_place(error): error["code"] for error in problem["errors"]}


def refused(answer: Any, pointer: str, code: str) -> None:
    """Assert that exactly this was wrong, and that no row was made."""
    assert faults(answer) == {pointer: code}
    assert not Job.objects.exists()
    assert not JobVersion.objects.exists()
    assert not Schedule.objects.exists()


def _place(error: dict[str, Any]) -> str:
    (place,) = (error[name] for name in ("pointer", "parameter", "header") if name in error)
    return str(place)
