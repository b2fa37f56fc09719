"""The page that the links of reasons lead to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import re_path

from executions.reason_table import FAMILIES
from executions.reasons import PAGE, pieces


def page(request: HttpRequest) -> HttpResponse:
    """All reasons, by the question that they answer."""
    families = {
        title: [(code, pieces(says), do) for code, says, do in rows]
        for title, rows in FAMILIES.items()
    }
    return render(request, "reasons/index.html", {"families": families})


urlpatterns = [re_path(rf"^{PAGE.lstrip('/')}/?$", page, name="reasons")]
