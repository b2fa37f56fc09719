"""The first page of the admin: a verdict, the numbers of the last day, the newest failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.cells import instant
from accounts.long_lists import EXACT, Capped
from accounts.roles import Verb
from accounts.team_rows import teams_allowing
from executions import alive, clock, stats
from executions.models import Execution, Status
from executions.models.rollup import EVERYBODY
from executions.standing import lines
from executions.verdicts import verdict
from jobs.models import Job

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from executions.standing import Line
    from executions.stats import Finished

NEWEST = 8  # failures that are shown


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the overview shows of the teams that the user sees; ten queries."""
    if not request.user.has_perm("executions.view_execution"):
        return context
    now = clock.now()
    executions, jobs = Execution.objects.all(), Job.objects.all()
    if request.user.is_superuser:
        subjects, queues = [EVERYBODY], lines(now)
    else:
        subjects = list(teams_allowing(request.user, Verb.VIEW).values_list("pk", flat=True))
        executions, jobs = executions.filter(team__in=subjects), jobs.filter(team__in=subjects)
        queues = lines(now, teams=subjects)
    dead = _count(executions.dead())
    judged = verdict(queues, scheduler=alive.beat(now), fleets=alive.fleets(now), dead=dead)
    return context | {
        "title": "Overview",
        "verdict": judged,
        "tiles": _tiles(queues, stats.finished(subjects, now=now), dead=dead, jobs=jobs),
        "failures": _failures(executions),
        "has_jobs": jobs.exists(),
        "as_of": instant(now),
    }


def _tiles(
    queues: list[Line], ended: Finished, *, dead: int, jobs: QuerySet[Job]
) -> list[tuple[str, int, str]]:
    """Word, number, and where the rows are."""
    paused = jobs.filter(archived_at__isnull=True, paused_at__isnull=False)
    return [
        ("Active", sum(line.active for line in queues), _executions(Status.RUNNING)),
        ("Waiting", sum(line.waiting for line in queues), _executions(Status.QUEUED)),
        ("Completed, 24 h", ended.completed, _executions(Status.SUCCEEDED)),
        ("Failed, 24 h", ended.failed, _executions(Status.FAILED)),
        ("Late", sum(line.late for line in queues), reverse("admin:executions_queue_changelist")),
        ("Jobs paused", _count(paused), reverse("admin:jobs_job_changelist") + "?state=paused"),
        ("Dead letters", dead, reverse("admin:executions_deadletter_changelist")),
    ]


def _executions(status: Status) -> str:
    query = urlencode({"status__exact": status.value})
    return f"{reverse('admin:executions_execution_changelist')}?{query}"


def _failures(executions: QuerySet[Execution]) -> list[tuple[Execution, Any]]:
    newest = executions.dead().select_related("job").order_by("-pk")  # type: ignore[attr-defined]
    return [(execution, instant(execution.finished_at)) for execution in newest[:NEWEST]]


def _count(rows: QuerySet[Any]) -> int:
    number = rows.order_by()[: EXACT + 1].count()
    return Capped(EXACT) if number > EXACT else number
