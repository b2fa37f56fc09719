"""Executions: the list, the page of one, cancel and run again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.contrib import admin

from accounts.badges import badge
from accounts.cells import EMPTY, instant, length
from accounts.row_actions import Act
from accounts.theme import WindowAdmin
from executions import again, clock, explain, transitions
from executions.admin import page
from executions.admin.filters import KindFilter, ReasonFilter
from executions.admin.searching import SearchedChangeList, of_jobs
from executions.deadletters import NotDeadError
from executions.models import Execution
from jobs.definitions import DefinitionError
from jobs.models import Job

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

# An execution, or an attempt of it by the name that Celery and Flower know.
ID = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d+)?", re.IGNORECASE)
MOST_JOBS = 200  # whose executions a search by name shows


class ExecutionAdmin(WindowAdmin):
    """A window, not a form: operators act through actions, never by editing rows."""

    team_path = "team"
    when_empty = "Nothing has run yet."
    change_form_template = "executions/execution.html"
    list_display = ["job_name", "state", "reason", "attempt", "due", "took", "where"]
    list_filter = ["status", ReasonFilter, KindFilter]
    list_select_related = ["job"]
    list_defer = ("payload", "result")
    search_fields = ["pk"]  # shows the box; ``get_search_results`` does the search
    search_help_text = "Id of an execution or attempt, or a part of a job's name"
    ordering = ["-pk"]
    sortable_by = ()  # only the id has an index that any list can use
    fields = ["id"]
    actions = ["cancel", "run_again"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Execution], search_term: str
    ) -> tuple[QuerySet[Execution], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if found := ID.fullmatch(term):
            return queryset.filter(pk=found[1]), False
        jobs = Job.objects.filter(name__icontains=term).order_by("-pk")
        return of_jobs(queryset, jobs.values_list("pk", flat=True)[:MOST_JOBS]), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SearchedChangeList

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if execution := kwargs.get("obj"):
            context |= page.context(execution, now=clock.now())
        return super().render_change_form(request, context, *args, **kwargs)

    def page_actions(self, request: HttpRequest, obj: Execution) -> list[str]:
        names = {"cancel": "cancel", "retry": "run_again"}
        return [names[word] for word in explain.allowed_actions(obj)]

    @admin.action(description="Cancel", permissions=["operate"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        who = by(request)
        act = Act(
            "cancelled",
            lambda execution: transitions.cancel(execution, **who),
            (transitions.TransitionError,),
        )
        self.act_on_each(request, queryset, act)

    @admin.action(description="Run again", permissions=["operate"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        who = by(request)
        act = Act(
            "started again",
            lambda execution: again.run_again(execution, **who),
            (NotDeadError, DefinitionError),
        )
        self.act_on_each(request, queryset.select_related("job__current"), act)

    @admin.display(description="job")
    def job_name(self, execution: Execution) -> str:
        return execution.job.name

    @admin.display(description="status")
    def state(self, execution: Execution) -> SafeString:
        return badge(execution.status)

    @admin.display(description="due")
    def due(self, execution: Execution) -> SafeString | str:
        return instant(execution.due_at)

    @admin.display(description="took")
    def took(self, execution: Execution) -> str:
        return length(explain.duration(execution, now=clock.now()))

    @admin.display(description="worker")
    def where(self, execution: Execution) -> str:
        return execution.worker or EMPTY


def by(request: HttpRequest) -> dict[str, Any]:
    """Who acts, and when, as the verbs of the engine want it."""
    return {"now": clock.now(), "actor": str(request.user)}


admin.site.register(Execution, ExecutionAdmin)
