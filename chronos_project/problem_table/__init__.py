"""Every problem that an answer can name, with its cause, an example, and the way out."""

from __future__ import annotations

from chronos_project.problem_table.bodies import BODIES
from chronos_project.problem_table.ours import OURS
from chronos_project.problem_table.people import PEOPLE
from chronos_project.problem_table.requests import REQUESTS
from chronos_project.problem_table.row import Problem
from chronos_project.problem_table.states import STATES

__all__ = ["PROBLEMS", "Problem", "problem_of"]

_ROWS = (*REQUESTS, *BODIES, *PEOPLE, *STATES, *OURS)

PROBLEMS: dict[str, Problem] = {code: row for row in _ROWS for code in row.codes.split()}


def problem_of(code: str) -> Problem | None:
    """Return the row of ``code``, by itself or by its family, or ``None``."""
    return PROBLEMS.get(code) or PROBLEMS.get(f"{code.partition('.')[0]}.*")
