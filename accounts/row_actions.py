"""Actions of admin pages: from a list or from the page of one row, told row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import ActionForm

from accounts.roles import Verb
from accounts.team_rows import TeamRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest

MOST_REFUSALS = 10  # told one by one after an action


class ReasonForm(ActionForm):  # type: ignore[misc]  # untyped library
    """For the actions of a model where others will want to know why."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            {"placeholder": "Reason", "aria-label": "Reason", "class": "action-reason"}
        ),
    )


@dataclass(frozen=True, slots=True)
class Act:
    """What an action does to a row.

    ``done`` is a past participle, for the message and for the history of the row. ``run`` raises
    one of ``refusals`` for a row that it does not suit. ``verb`` is what the role must allow.
    """

    done: str
    run: Callable[[Any], object]
    refusals: tuple[type[Exception], ...] = ()
    verb: Verb = Verb.OPERATE


class RowActions(TeamRows):
    """Buttons on lists and pages. All are POST, none acts on more rows than were ticked.

    ``explained`` names the actions that take a reason; then ``action_form`` is ``ReasonForm``.
    """

    explained: ClassVar[frozenset[str]] = frozenset()

    def act_on_each(self, request: HttpRequest, rows: Iterable[Any], act: Act) -> None:
        """Do ``act`` to each row; tell for how many it worked, and of each other why not."""
        count, refused = 0, []
        for row in rows:
            if why := self._refusal(request, row, act):
                refused.append(why if why.startswith(str(row)) else f"{row}: {why}")
            else:
                count += 1
        if count:
            self.message_user(request, f"{count} {act.done}.", messages.SUCCESS)
        for text in refused[:MOST_REFUSALS]:
            self.message_user(request, text, messages.ERROR)
        if more := refused[MOST_REFUSALS:]:
            text = f"{len(more)} more could not be {act.done}."
            self.message_user(request, text, messages.ERROR)

    def page_actions(self, request: HttpRequest, obj: Any) -> list[str]:
        """Name the actions that the page of ``obj`` offers as buttons."""
        return [name for name in self.get_actions(request) if name != "delete_selected"]

    def asked_by(self, action: str) -> tuple[str, ...]:
        """Name the fields of ``action_form`` that ``action`` reads."""
        return ("reason",) if action in self.explained else ()

    def page_links(self, obj: Any) -> list[tuple[str, str]]:
        """Text and address of what else there is to see of ``obj``."""
        return []

    def response_action(  # type: ignore[override]  # the stubs are those of Django 6
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Run an action. A button on the page of a row sends ``_page`` and leads back there."""
        sent = request.POST.copy()
        sent["select_across"] = "0"
        request.POST = sent  # type: ignore[assignment]
        on_page = "_page" in sent
        try:
            response = super().response_action(
                request, self.get_queryset(request) if on_page else queryset
            )
        except ValidationError:  # an id that is none
            return HttpResponseRedirect(request.path)
        if response is None or not on_page:
            return response
        return HttpResponseRedirect(self._page_of(request, str(sent[ACTION_CHECKBOX_NAME])))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj is not None:
            actions = self.get_actions(request)
            labels = {name: action[2] for name, action in actions.items() if action}
            names = self.page_actions(request, obj)
            context["page_actions"] = [(name, labels[name]) for name in names if name in labels]
            context["page_links"] = self.page_links(obj)
            asked = dict.fromkeys(field for name in names for field in self.asked_by(name))
            context["page_fields"] = [self.action_form(auto_id=False)[field] for field in asked]
        return super().render_change_form(request, context, *args, **kwargs)

    def _refusal(self, request: HttpRequest, row: Any, act: Act) -> str:
        """Do it; return why it was not done, or nothing."""
        if not self.may(request, act.verb, row):
            return "your role in this team does not allow it"
        try:
            with transaction.atomic():
                act.run(row)
                self.log_change(request, row, act.done)
        except act.refusals as exc:
            return str(exc)
        return ""

    def _page_of(self, request: HttpRequest, pk: str) -> str:
        """The page of a row, or the list when the row is no longer in it."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        if self.get_queryset(request).filter(pk=pk).exists():
            return reverse(f"{name}_change", args=[quote(pk)])
        return reverse(f"{name}_changelist")
