"""What executions can be listed by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import django_filters
from django import forms

from executions.causes import stored
from executions.models import Execution, Status
from jobs import kinds
from jobs.models import Job
from lib.fields import parse_instant

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models.execution_queries import ExecutionQuerySet


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


class OccurrenceFilter(django_filters.FilterSet):
    """What executions in any state can be listed by."""

    job = django_filters.CharFilter(method="of_job", max_length=80, help_text="Id or slug.")
    queue = django_filters.CharFilter(max_length=64)
    kind = django_filters.ChoiceFilter(choices=kinds.choices)
    reason = django_filters.CharFilter(max_length=64)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")
    search = django_filters.CharFilter(
        field_name="job__name", lookup_expr="icontains", max_length=200, help_text="In job names."
    )
    ordering = django_filters.OrderingFilter(
        fields={"pk": "created_at"}, help_text="-created_at (the default) or created_at."
    )

    class Meta:
        model = Execution
        fields: list[str] = []

    def of_job(self, rows: ExecutionQuerySet, name: str, key: str) -> ExecutionQuerySet:
        try:
            return rows.filter(job=UUID(key))
        except ValueError:
            return rows.filter(job__in=Job.objects.filter(slug=key))


class ExecutionFilter(OccurrenceFilter):
    status = AnyOfFilter(choices=Status.choices, help_text="One or more, with commas.")


class DeadLetterFilter(OccurrenceFilter):
    fingerprint = django_filters.CharFilter(
        method="of_cause", max_length=32, help_text="Of one cause, as /failures names it."
    )

    def of_cause(self, rows: ExecutionQuerySet, name: str, fingerprint: str) -> ExecutionQuerySet:
        return rows.filter(fingerprint=stored(fingerprint))
