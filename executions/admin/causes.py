"""The causes of dead letters above their list: redrive a group, resolve it, stop what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from accounts.cells import instant
from accounts.models import Team
from accounts.roles import Verb
from accounts.team_rows import TeamRows, teams_allowing
from executions import causes, clock, deadletters, progress, redrives
from executions.models import Execution, Redrive
from executions.redrives import RedriveRunningError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from executions.causes import Cause
    from executions.models.execution_queries import ExecutionQuerySet

SHOWN = 20  # causes; the API has all of them
REDRIVES = 5  # the newest
MOST_RESOLVED = 5000  # at once


class CausesAbove(TeamRows):
    """Shows the dead letters of a list by cause as well, with buttons for each group."""

    list_before_template = "executions/causes.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = self._shown(request) if request.method == "GET" else {}
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        verb = require_POST(self.admin_site.admin_view(self.act_on_cause))
        return [path("cause/", verb, name="executions_deadletter_cause"), *super().get_urls()]

    def act_on_cause(self, request: HttpRequest) -> HttpResponse:
        """Do what a button of a group says, and say what came of it."""
        team = self._team(request)
        if team is None or not self.has_operate_permission(request):
            told, level = "Your role in this team does not allow it.", messages.ERROR
        else:
            told, level = _acted(request, team), messages.SUCCESS
        self.message_user(request, told, level)
        return HttpResponseRedirect(reverse("admin:executions_deadletter_changelist"))

    def _team(self, request: HttpRequest) -> Team | None:
        """Return the team of the group, if the user may operate what it owns."""
        teams = Team.objects.all()
        if not request.user.is_superuser:
            teams = teams_allowing(request.user, Verb.OPERATE)
        known = request.POST.get("team", "")
        return next((team for team in teams if str(team.pk) == known), None)

    def _shown(self, request: HttpRequest) -> dict[str, Any]:
        rows, teams = Redrive.objects.select_related("team").order_by("-pk"), Team.objects.all()
        if not request.user.is_superuser:
            teams = teams_allowing(request.user, Verb.VIEW)
            rows = rows.filter(team__in=teams)
        groups = causes.groups(teams.values_list("pk", flat=True))
        found = causes.described(groups[:SHOWN], now=clock.now())
        return {
            "causes": [_row(cause) for cause in found],
            "redrives": _redrives(list(rows[:REDRIVES])),
            "may_operate": self.has_operate_permission(request),
        }


def _row(cause: Cause) -> dict[str, Any]:
    return {
        "cause": cause,
        "first": instant(cause.first_seen_at),
        "last": instant(cause.last_seen_at),
    }


def _redrives(rows: list[Redrive]) -> list[tuple[Redrive, str]]:
    seen = progress.of(rows)
    return [(redrive, progress.in_words(redrive, seen[redrive.pk])) for redrive in rows]


def _acted(request: HttpRequest, team: Team) -> str:
    fingerprint, actor = request.POST.get("fingerprint", ""), str(request.user)
    match request.POST.get("verb"):
        case "resolve":
            return _resolved(team, fingerprint, actor)
        case "stop":
            return _stopped(team, fingerprint, actor)
        case Redrive.Mode.ALL | Redrive.Mode.CANARY as mode:
            return _begun(team, fingerprint, Redrive.Mode(mode), actor)
    return "There is no such button."


def _begun(team: Team, fingerprint: str, mode: Redrive.Mode, actor: str) -> str:
    now = clock.now()
    planned = redrives.plan(team, fingerprint, mode=mode, rate=redrives.RATE, now=now, actor=actor)
    if planned is None:
        return "Nothing of this cause is left."
    try:
        redrives.start(planned, now=now)
    except RedriveRunningError as exc:
        return str(exc)
    return f"A redrive of {planned.total} has begun."


def _stopped(team: Team, fingerprint: str, actor: str) -> str:
    running = Redrive.objects.of_team(team).filter(finished_at__isnull=True)
    for redrive in running.filter(fingerprint=fingerprint):
        redrives.stop(redrive, now=clock.now(), actor=actor)
        return "Stopped; what was started goes on."
    return "It has ended already."


def _resolved(team: Team, fingerprint: str, actor: str) -> str:
    executions: ExecutionQuerySet = Execution.objects.of_team(team)
    dead = causes.dead_of(executions, fingerprint)
    done = deadletters.resolve_all(dead, now=clock.now(), actor=actor, limit=MOST_RESOLVED)
    return f"{done} resolved."
