"""What every admin page of ours derives from: the theme, its buttons, and who sees what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import ActionForm

from accounts.long_lists import CappedChangeList, CappedPaginator
from accounts.models import Membership, Team
from accounts.roles import Role, Verb, allows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.admin.views.main import ChangeList
    from django.http import HttpRequest

    from accounts.models import User

MOST_REFUSALS = 10  # told one by one after an action


class NotAllowedError(Exception):
    """The user's role in the team of a row does not allow the action."""


class ReasonForm(ActionForm):  # type: ignore[misc]  # untyped library
    """For the actions of a model where others will want to know why."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=200,
        widget=forms.TextInput({"placeholder": "Reason", "class": "action-reason"}),
    )


class ChronosAdmin(ModelAdmin):  # type: ignore[misc]  # untyped library
    """The base of every admin class of ours.

    ``team_path`` is the lookup from a row to its team. Superusers see every team; other staff see
    the rows of their own teams and do with them what their role there allows, on top of Django's
    permission for the model. Actions that declare ``permissions=["operate"]`` go through
    ``act_on_each``, which asks for the role row by row.
    """

    team_path: ClassVar[str] = ""
    list_defer: ClassVar[tuple[str, ...]] = ()  # columns that the list does not show
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count the whole table
    list_per_page = 50
    list_fullwidth = True
    list_disable_select_all = True
    warn_unsaved_form = True
    change_form_outer_before_template = "admin/page_actions.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CappedChangeList

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: models.QuerySet[Any] = super().get_queryset(request)
        if not self.team_path or request.user.is_superuser:
            return rows
        return rows.filter(**{f"{self.team_path}__in": teams_allowing(request.user, Verb.VIEW)})

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or self.may(request, Verb.EDIT, obj))

    def has_operate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the user may press buttons on rows of this model at all."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def may(self, request: HttpRequest, verb: Verb, row: Any) -> bool:
        """Say whether the user's role in the team of ``row`` allows ``verb``."""
        if not self.team_path or request.user.is_superuser:
            return True
        mine = {f"{self.team_path}__in": teams_allowing(request.user, verb)}
        return type(row)._base_manager.filter(pk=row.pk, **mine).exists()

    def act_on_each(
        self,
        request: HttpRequest,
        rows: Iterable[Any],
        act: Callable[[Any], object],
        *,
        done: str,
        refusals: tuple[type[Exception], ...] = (),
    ) -> None:
        """Call ``act`` with each row, tell for how many it worked, and of the others why not.

        ``done`` is a past participle for the message and for the row's history. ``refusals`` are
        the errors that ``act`` raises for a row that it does not suit.
        """
        count, refused = 0, []
        for row in rows:
            try:
                self._act(request, row, act, done=done)
            except (NotAllowedError, *refusals) as exc:
                refused.append(f"{row}: {exc}")
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)
        for text in refused[:MOST_REFUSALS]:
            self.message_user(request, text, messages.ERROR)
        if refused[MOST_REFUSALS:]:
            text = f"{len(refused) - MOST_REFUSALS} more could not be {done}."
            self.message_user(request, text, messages.ERROR)

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any]
    ) -> HttpResponse | None:
        """Run an action on the rows that were ticked, never on all that a filter finds.

        A button on the page of a row sends ``_page`` and leads back there.
        """
        request.POST = request.POST.copy()  # type: ignore[assignment]
        request.POST["select_across"] = "0"
        try:
            response: HttpResponse | None = super().response_action(request, queryset)
        except ValidationError:  # an id that is none
            return HttpResponseRedirect(request.path)
        if response is None or "_page" not in request.POST:
            return response  # ``None``: nothing was ticked, the list says so
        return HttpResponseRedirect(self._page_of(request, request.POST["_selected_action"]))

    def page_actions(self, request: HttpRequest, obj: Any) -> list[str]:
        """Name the actions that the page of ``obj`` offers as buttons."""
        return [name for name in self.get_actions(request) if name != "delete_selected"]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            labels = {name: label for name, (_, _, label) in self.get_actions(request).items()}
            names = self.page_actions(request, obj)
            context["page_actions"] = [(name, labels[name]) for name in names if name in labels]
            context["asks_reason"] = "reason" in self.action_form.base_fields
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _act(
        self, request: HttpRequest, row: Any, act: Callable[[Any], object], *, done: str
    ) -> None:
        if not self.may(request, Verb.OPERATE, row):
            raise NotAllowedError("your role in this team does not allow it")
        with transaction.atomic():
            act(row)
            self.log_change(request, row, done)

    def _page_of(self, request: HttpRequest, pk: str) -> str:
        """The page of a row, or the list when the row is no longer in it."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        if self.get_queryset(request).filter(pk=pk).exists():
            return reverse(f"admin:{name}_change", args=[quote(pk)])
        return reverse(f"admin:{name}_changelist")


class WindowAdmin(ChronosAdmin):
    """For rows that operators look at and act on, but never edit."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ChronosInline(TabularInline):  # type: ignore[misc]  # untyped library
    """Rows that belong to the row of the page."""

    extra = 0


class WindowInline(ChronosInline):
    """Rows that belong to the row of the page, to look at."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def teams_allowing(user: User, verb: Verb) -> models.QuerySet[Team]:
    """Return the teams in which the role of ``user`` allows ``verb``."""
    roles = [role for role in Role if allows(role, verb)]
    return Team.objects.filter(memberships__in=Membership.objects.filter(user=user, role__in=roles))
