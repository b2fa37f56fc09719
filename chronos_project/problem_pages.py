"""The pages that the `type` of a problem leads to."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import re_path

from chronos_project.problem_table import PROBLEMS, problem_of


def index(request: HttpRequest) -> HttpResponse:
    """All problems, each with its codes."""
    rows = {id(row): row for row in PROBLEMS.values()}.values()
    return render(request, "problems/index.html", {"rows": rows})


def page(request: HttpRequest, code: str) -> HttpResponse:
    """One problem: its cause, an example, the way out."""
    row = problem_of(code)
    if row is None:
        raise Http404
    return render(request, "problems/problem.html", {"code": code, "row": row})


urlpatterns = [
    re_path(r"^problems/?$", index, name="problems"),
    re_path(r"^problems/(?P<code>[a-z0-9_.]{1,80})/?$", page, name="problem"),
]
