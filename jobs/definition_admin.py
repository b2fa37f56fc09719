"""What the admin's pages of jobs and of limits have in common: rows that a team writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect

from accounts.models import Team
from accounts.roles import Verb
from accounts.team_rows import teams_allowing
from accounts.theme import ChronosAdmin
from jobs.definitions import DefinitionError

if TYPE_CHECKING:
    from django.db.models import ForeignKey
    from django.forms import ModelChoiceField
    from django.http import HttpRequest


class DefinitionAdmin(ChronosAdmin):
    """Rows belong to a team whose editors write them; nothing is deleted, history points at it."""

    team_path = "team"
    autocomplete_fields = ["team"]
    sortable_by = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        mine = Team.objects.filter(personal_of=request.user.pk).first()
        return {"team": mine, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        if db_field.name == "team" and not request.user.is_superuser:
            kwargs["queryset"] = teams_allowing(request.user, Verb.EDIT)
        field: ModelChoiceField[Any] | None = super().formfield_for_foreignkey(
            db_field, request, **kwargs
        )
        return field

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except DefinitionError as exc:  # somebody else was faster
            self.message_user(request, str(exc), messages.ERROR)
            return HttpResponseRedirect(request.path)
        return response
