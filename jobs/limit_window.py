"""The admin's pages of limits: write, see who shares one, take one out of use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Subquery

from accounts.access import user_of
from accounts.cells import EMPTY, instant
from accounts.roles import Verb
from accounts.row_actions import Act
from accounts.widgets import IntegerInput, NumberInput, TextInput
from jobs import host, limits
from jobs.definition_admin import DefinitionAdmin
from jobs.definitions import DefinitionError
from jobs.models import Job, Limit
from jobs.serializers.limit import FIELDS, LimitSerializer

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class LimitForm(forms.ModelForm[Limit]):
    """Validates like the API; ``fields_to_set`` is then what ``limits`` takes."""

    name = forms.CharField(widget=TextInput(), help_text="Jobs name it; unique in the team.")
    by = forms.CharField(
        required=False,
        widget=TextInput(),
        help_text="A field of the payload: each of its values has the limit to itself.",
    )
    concurrency = forms.IntegerField(
        required=False, widget=IntegerInput(), label="At once", help_text="Any number if empty."
    )
    rate = forms.IntegerField(
        required=False, widget=IntegerInput(), label="Starts", help_text="Any number if empty."
    )
    per_seconds = forms.FloatField(required=False, widget=NumberInput(), label="In seconds")

    class Meta:
        model = Limit
        fields = ["team"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        limit = kwargs.get("instance")
        shown = {name: getattr(limit, name) for name in FIELDS} if limit else {}
        kwargs["initial"] = shown | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.fields_to_set: dict[str, Any] = {}

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if self.errors:
            return values
        serializer = LimitSerializer(data={name: values[name] for name in FIELDS})
        if serializer.is_valid():
            self.fields_to_set = serializer.validated_data
        for name, faults in serializer.errors.items():
            self.add_error(name if name in self.fields else None, [str(fault) for fault in faults])
        return values


class LimitAdmin(DefinitionAdmin):
    """What is changed holds at once for whatever has not started yet."""

    when_empty = "No limit yet: every job starts as soon as a worker is free."
    form = LimitForm
    fields = ("team", *FIELDS)
    list_display = ["name", "by", "concurrency", "pace", "used_by", "since", "team"]
    list_select_related = ["team"]
    search_fields = ["name"]
    ordering = ["name"]
    actions = ["archive"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        found: QuerySet[Limit] = super().get_queryset(request)
        jobs = Job.objects.kept().filter(current__limit=OuterRef("pk")).order_by()
        number = jobs.values("current__limit").annotate(number=Count("pk")).values("number")
        return found.filter(archived_at__isnull=True).annotate(jobs=Subquery(number))

    def get_readonly_fields(self, request: HttpRequest, obj: Limit | None = None) -> list[str]:
        return ["team"] if obj else []

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        actor = user_of(request)
        if change:
            limits.change(obj, form.fields_to_set, actor=actor)
        else:
            team = form.cleaned_data["team"]
            obj.pk = limits.create(team, form.fields_to_set, actor=actor, now=host.now()).pk
            obj.refresh_from_db()

    @admin.action(description="Delete", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        def run(limit: Limit) -> None:
            limits.archive(limit, now=host.now(), actor=user_of(request))

        self.act_on_each(request, queryset, Act("deleted", run, (DefinitionError,), Verb.EDIT))

    @admin.display(description="starts")
    def pace(self, limit: Limit) -> str:
        return f"{limit.rate} in {limit.per_seconds:g} s" if limit.rate else EMPTY

    @admin.display(description="jobs")
    def used_by(self, limit: Any) -> int:
        return limit.jobs or 0

    @admin.display(description="since")
    def since(self, limit: Limit) -> SafeString | str:
        return instant(limit.created_at)
