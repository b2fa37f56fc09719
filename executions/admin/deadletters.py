"""Dead letters: what failed for good waits here until somebody redrives or resolves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.utils.text import Truncator

from accounts.cells import instant
from accounts.row_actions import Act
from executions import deadletters
from executions.admin.causes import CausesAbove
from executions.admin.executions import ExecutionAdmin, by
from executions.admin.filters import CauseFilter, KindFilter, ReasonFilter
from executions.deadletters import NotDeadError
from executions.models import DeadLetter, Execution
from jobs.definitions import DefinitionError

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(DeadLetter)
class DeadLetterAdmin(CausesAbove, ExecutionAdmin):
    when_empty = "Nothing failed that nobody has dealt with."
    list_display = ["job_name", "reason", "what", "attempt", "failed"]
    list_filter = [ReasonFilter, KindFilter, CauseFilter]
    actions = ["redrive", "resolve"]

    def page_actions(self, request: HttpRequest, obj: Execution) -> list[str]:
        return ["redrive", "resolve"]

    @admin.action(description="Redrive", permissions=["operate"])
    def redrive(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        who = by(request)
        act = Act(
            "redriven",
            lambda execution: deadletters.redrive(execution, **who),
            (NotDeadError, DefinitionError),
        )
        self.act_on_each(request, queryset.select_related("job__current"), act)

    @admin.action(description="Resolve", permissions=["operate"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Execution]) -> None:
        who = by(request)
        act = Act(
            "resolved", lambda execution: deadletters.resolve(execution, **who), (NotDeadError,)
        )
        self.act_on_each(request, queryset, act)

    @admin.display(description="message")
    def what(self, execution: Execution) -> str:
        return Truncator(execution.message).chars(100)

    @admin.display(description="failed")
    def failed(self, execution: Execution) -> SafeString | str:
        return instant(execution.finished_at)
