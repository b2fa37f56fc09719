"""Filters that ask an index or the newest rows, never the whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import SimpleListFilter

from executions import clock
from executions.causes import stored
from executions.heartbeats import SILENT_AFTER
from executions.models import Execution
from jobs import kinds

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django.http import HttpRequest

NEWEST = 2000  # executions whose reasons are offered


class ReasonFilter(SimpleListFilter):
    """Offers the reasons of late; any other can be typed into the address."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        newest = Execution.objects.order_by("-pk").values_list("reason", flat=True)[:NEWEST]
        return [(word, word) for word in sorted(set(newest) - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset

    def has_output(self) -> bool:
        return True


class KindFilter(SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return kinds.choices()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class CauseFilter(SimpleListFilter):
    """Dead letters of one cause; the table of causes links here."""

    title = "cause"
    parameter_name = "fingerprint"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(self.value() or "", "this one")] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return queryset.filter(fingerprint=stored(chosen)) if chosen else queryset

    def has_output(self) -> bool:
        return bool(self.value())


class AliveFilter(SimpleListFilter):
    """Processes by whether they were heard of lately."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("fresh", "fresh"), ("silent", "silent"), ("stopped", "stopped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        since = clock.now() - SILENT_AFTER
        match self.value():
            case "fresh":
                return queryset.filter(stopped_at__isnull=True, heartbeat_at__gt=since)
            case "silent":
                return queryset.filter(stopped_at__isnull=True, heartbeat_at__lte=since)
            case "stopped":
                return queryset.filter(stopped_at__isnull=False)
        return queryset
