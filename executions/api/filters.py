"""What executions can be listed by, and how far a list is searched for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import django_filters
from django import forms
from django.core import signing

from executions.causes import stored
from executions.models import Execution, Status
from executions.models.execution import ENDED_BADLY
from executions.stats import first_id
from jobs import kinds
from jobs.models import Job
from lib.fields import parse_instant

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from executions.models.execution_queries import ExecutionQuerySet

SEARCHED = 10_000  # rows of a list that a page looks at for what no index finds
SKEW = timedelta(seconds=10)  # ids tell the time of the host that made them
SIGNER = signing.Signer(salt="executions.cursor")


class InstantField(forms.Field):
    """An RFC 3339 instant with its offset."""

    def to_python(self, value: Any) -> datetime | None:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_instant(text)
        except ValueError as exc:
            raise forms.ValidationError(str(exc), code="instant_invalid") from exc


class InstantFilter(django_filters.Filter):
    field_class = InstantField


class AnyOfFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """One of the words, or several with commas between them."""


class CursorField(forms.Field):
    """The place after a row: its id, signed."""

    def to_python(self, value: Any) -> UUID | None:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return UUID(SIGNER.unsign(text))
        except (signing.BadSignature, ValueError) as exc:
            message = "This is no cursor of such a list."
            raise forms.ValidationError(message, code="cursor_invalid") from exc


class CursorFilter(django_filters.CharFilter):
    field_class = CursorField  # type: ignore[assignment]  # a filter takes any field


class OccurrenceFilter(django_filters.FilterSet):
    """What executions in any state can be listed by.

    Indexes find what is ``indexed``, in the order of the list. Whatever else is asked for is looked
    for in the next ``SEARCHED`` rows of that; ``searched_to`` is the last of them if there may be
    more, and the cursor after it goes on.
    """

    job = django_filters.CharFilter(method="of_job", max_length=80, help_text="Id or slug.")
    queue = django_filters.CharFilter(max_length=64)
    kind = django_filters.ChoiceFilter(choices=kinds.choices)
    reason = django_filters.CharFilter(max_length=64)
    created_after = InstantFilter(field_name="created_at", method="since")
    created_before = InstantFilter(field_name="created_at", method="until")
    search = django_filters.CharFilter(
        field_name="job__name", lookup_expr="icontains", max_length=200, help_text="In job names."
    )
    cursor = CursorFilter(
        method="after",
        help_text="The `next_cursor` of the page before. A page may be short, or empty, and still"
        f" have one: filters look at {SEARCHED} rows at a time.",
    )
    ordering = django_filters.OrderingFilter(
        fields={"pk": "created_at"}, help_text="-created_at (the default) or created_at."
    )

    indexed: ClassVar[Collection[str]] = ("job", "created_after", "created_before", "cursor")
    searched_to: UUID | None = None

    class Meta:
        model = Execution
        fields: list[str] = []

    def filter_queryset(self, queryset: Any) -> Any:
        asked = {name: value for name, value in self.form.cleaned_data.items() if value}
        ordering = asked.pop("ordering", None)
        rows: Any = self.filters["ordering"].filter(queryset, ordering)
        found = [name for name in asked if self.finds(name, asked[name])]
        rows = self._filtered(rows, {name: asked.pop(name) for name in found})
        if asked:
            rows = self._filtered(self._next(rows), asked)
        return rows

    def finds(self, name: str, value: Any) -> bool:
        """Say whether an index finds rows by ``name``."""
        return name in self.indexed

    def cursor_after(self, pk: UUID) -> str:
        return SIGNER.sign(str(pk))

    def of_job(self, rows: ExecutionQuerySet, name: str, key: str) -> ExecutionQuerySet:
        try:
            return rows.filter(job=UUID(key))
        except ValueError:
            return rows.filter(job__in=Job.objects.filter(slug=key))

    def since(self, rows: ExecutionQuerySet, name: str, at: datetime) -> ExecutionQuerySet:
        return rows.filter(pk__gte=first_id(at - SKEW), created_at__gte=at)

    def until(self, rows: ExecutionQuerySet, name: str, at: datetime) -> ExecutionQuerySet:
        return rows.filter(pk__lt=first_id(at + SKEW), created_at__lt=at)

    def after(self, rows: ExecutionQuerySet, name: str, pk: UUID) -> ExecutionQuerySet:
        return rows.filter(pk__gt=pk) if _ascends(rows) else rows.filter(pk__lt=pk)

    def _filtered(self, rows: Any, asked: dict[str, Any]) -> Any:
        for name, value in asked.items():
            rows = self.filters[name].filter(rows, value)
        return rows

    def _next(self, rows: ExecutionQuerySet) -> ExecutionQuerySet:
        """The first ``SEARCHED`` of ``rows``."""
        pks = rows.select_related(None).defer(None).values_list("pk", flat=True)
        self.searched_to = next(iter(pks[SEARCHED - 1 : SEARCHED]), None)
        if self.searched_to is None:
            return rows
        edge = "pk__lte" if _ascends(rows) else "pk__gte"
        return rows.filter(**{edge: self.searched_to})


class ExecutionFilter(OccurrenceFilter):
    status = AnyOfFilter(choices=Status.choices, help_text="One or more, with commas.")

    def finds(self, name: str, value: Any) -> bool:
        """One way to end badly has an index; what goes well is everywhere."""
        if name == "status":
            return len(value) == 1 and value[0] in ENDED_BADLY
        return super().finds(name, value)


class DeadLetterFilter(OccurrenceFilter):
    fingerprint = django_filters.CharFilter(
        method="of_cause", max_length=32, help_text="Of one cause, as /failures names it."
    )

    indexed = ("created_after", "created_before", "cursor", "fingerprint")

    def of_cause(self, rows: ExecutionQuerySet, name: str, fingerprint: str) -> ExecutionQuerySet:
        return rows.filter(fingerprint=stored(fingerprint))


def _ascends(rows: ExecutionQuerySet) -> bool:
    return rows.query.order_by == ("pk",)
