"""Lists of executions whose filters never read the whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.db.models.expressions import RawSQL

from accounts.long_lists import CappedChangeList
from executions.models.execution import ENDED_BADLY

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest

SEARCHED = 10_000  # rows that are looked at for what no index finds
OF_A_JOB = 50  # executions of each job that a name finds

NEWEST_OF_JOBS = """
SELECT newest.id FROM unnest(%s::uuid[]) AS job (id), LATERAL (
    SELECT id FROM executions_execution WHERE job_id = job.id ORDER BY id DESC LIMIT %s
) AS newest
"""


class SearchedChangeList(CappedChangeList):
    """Looks for what no index finds in the newest ``SEARCHED`` rows, and says so if there are more.

    A list of one way to end badly has an index, and so has whatever the model admin calls
    ``indexed``.
    """

    indexed: ClassVar[Collection[str]] = ("fingerprint",)

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Any, Any]:
        if not all(self._has_index(name, word) for name, word in self.get_filters_params().items()):
            self._search_newest(request)
        return super().get_queryset(request, exclude_parameters)

    def _has_index(self, name: str, word: Any) -> bool:
        if name == "status__exact":
            return word in ENDED_BADLY or word in [[one] for one in ENDED_BADLY]
        return name in self.indexed

    def _search_newest(self, request: HttpRequest) -> None:
        pks = self.root_queryset.order_by("-pk").values_list("pk", flat=True)
        last = next(iter(pks[SEARCHED - 1 : SEARCHED]), None)
        if last is not None:
            self.root_queryset = self.root_queryset.filter(pk__gte=last)
            messages.info(request, f"The newest {SEARCHED} rows were searched.")


def of_jobs(executions: QuerySet[Any], jobs: Collection[UUID]) -> QuerySet[Any]:
    """The newest ``OF_A_JOB`` of ``executions`` of each of ``jobs``."""
    return executions.filter(pk__in=RawSQL(NEWEST_OF_JOBS, [list(jobs), OF_A_JOB]))  # noqa: S611  constant
