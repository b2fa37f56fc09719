"""Whose rows an admin page shows, and what its user may do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ModelAdmin

from accounts.models import Membership, Team
from accounts.roles import Role, Verb, allows

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.models import User


class TeamRows(ModelAdmin[Any]):
    """Superusers see every team. Other staff see the rows of their own teams and do with them
    what their role there allows, on top of Django's permission for the model.

    ``team_path`` is the lookup from a row to its team; without one, rows belong to everybody.
    """

    team_path: ClassVar[str] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self._reachable(super().get_queryset(request), request, Verb.VIEW)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or self.may(request, Verb.EDIT, obj))

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the user may press buttons on rows of this model at all."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def may(self, request: HttpRequest, verb: Verb, row: Any) -> bool:
        """Say whether the user's role in the team of ``row`` allows ``verb``."""
        rows = type(row)._base_manager.filter(pk=row.pk)
        return not self._is_limited(request) or self._reachable(rows, request, verb).exists()

    def _is_limited(self, request: HttpRequest) -> bool:
        return bool(self.team_path) and not request.user.is_superuser

    def _reachable(self, rows: QuerySet[Any], request: HttpRequest, verb: Verb) -> QuerySet[Any]:
        if not self._is_limited(request):
            return rows
        teams = teams_allowing(request.user, verb).values_list("pk", flat=True)
        # By value: the rows of one team, which most people see, have an index in their order.
        return rows.filter(**{f"{self.team_path}__in": list(teams)})


def teams_allowing(user: User | AnonymousUser, verb: Verb) -> QuerySet[Team]:
    """Return the teams in which the role of ``user`` allows ``verb``."""
    roles = [role for role in Role if allows(role, verb)]
    mine = Membership.objects.filter(user=user.pk, role__in=roles)
    return Team.objects.filter(pk__in=mine.values("team"))
