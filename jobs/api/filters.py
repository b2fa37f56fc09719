"""Which jobs a list shows, and in which order."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import F, Q
from django_filters import Filter, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from jobs import kinds
from lib.fields import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from jobs.models import JobQuerySet

MAX_LENGTH = 200  # characters of a parameter
STATUSES = {
    "active": Q(archived_at__isnull=True, paused_at__isnull=True),
    "paused": Q(archived_at__isnull=True, paused_at__isnull=False),
    "archived": Q(archived_at__isnull=False),
}
COLUMNS = {
    "name": "name",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "next_run_at": "schedule__next_fire_at",
}


class TextField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, strip=False, **kwargs)


class TextsField(forms.CharField):
    """Texts with commas between them; if ``words`` are given, only these."""

    def __init__(self, *, words: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(max_length=MAX_LENGTH, **kwargs)
        self.words = list(words)

    def clean(self, value: Any) -> list[str]:
        texts = [text for text in super().clean(value).split(",") if text]
        if self.words and not set(texts) <= set(self.words):
            raise forms.ValidationError(f"This must be among {', '.join(self.words)}.")
        return texts


class InstantField(forms.CharField):
    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        try:
            return parse_instant(text) if text else None
        except ValueError as exc:
            raise forms.ValidationError(f"{exc} Write it like 2027-12-25T10:00:00Z.") from exc


@extend_schema_field(OpenApiTypes.STR)
class TextsFilter(Filter):
    field_class = TextsField


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(Filter):
    field_class = InstantField


@extend_schema_field(OpenApiTypes.STR)
class TextFilter(Filter):
    field_class = TextField


class JobFilter(FilterSet):
    status = TextsFilter(
        method="with_status", words=STATUSES, help_text="Archived jobs are only shown when named."
    )
    kind = TextsFilter(field_name="kind", lookup_expr="in", words=dict(kinds.choices()))
    tag = TextsFilter(field_name="tags", lookup_expr="overlap")
    queue = TextsFilter(field_name="current__queue", lookup_expr="in")
    search = TextFilter(
        method="with_text", help_text="Part of the name, the slug or the description."
    )
    created_after = InstantFilter(field_name="created_at", lookup_expr="gt")
    ordering = TextsFilter(
        method="in_order", words=[sign + name for name in COLUMNS for sign in ("", "-")]
    )

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = cast("JobQuerySet", super().filter_queryset(queryset))
        return wanted if self.form.cleaned_data["status"] else wanted.kept()

    def with_status(self, queryset: JobQuerySet, _name: str, value: list[str]) -> JobQuerySet:
        wanted = Q()
        for status in value:
            wanted |= STATUSES[status]
        return queryset.filter(wanted)

    def with_text(self, queryset: JobQuerySet, _name: str, value: str) -> JobQuerySet:
        fields = ("name", "slug", "description")
        return queryset.filter(
            Q(*[(f"{field}__icontains", value) for field in fields], _connector=Q.OR)
        )

    def in_order(self, queryset: JobQuerySet, _name: str, value: list[str]) -> JobQuerySet:
        columns = [
            F(COLUMNS[name.lstrip("-")]).desc(nulls_last=True)
            if name.startswith("-")
            else F(COLUMNS[name]).asc(nulls_last=True)
            for name in value
        ]
        return queryset.order_by(*columns, "-pk")
