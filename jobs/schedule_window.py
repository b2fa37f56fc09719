"""The window on schedules: what comes next, and what each trigger means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from accounts.badges import badge
from accounts.cells import EMPTY, instant, link
from accounts.theme import WindowAdmin
from jobs import host, triggers
from jobs.triggers.words import describe

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from jobs.models import Schedule

COMING = 5  # instants that the page of a schedule names


class ScheduleStateFilter(admin.SimpleListFilter):
    """Without a choice the list shows what comes next, from the index that beats use."""

    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return [("disabled", "disabled"), ("done", "done or by hand"), ("all", "all")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> QuerySet[Schedule]:
        match self.value():
            case "disabled":
                return queryset.filter(enabled=False)
            case "done":
                return queryset.filter(enabled=True, next_fire_at__isnull=True)
            case "all":
                return queryset
        return queryset.filter(enabled=True, next_fire_at__isnull=False)


class ScheduleAdmin(WindowAdmin):
    """When jobs are due; a schedule is changed with its job."""

    team_path = "job__team"
    when_empty = "Nothing comes next."
    list_display = ["job", "state", "when", "timezone", "next_slot", "last_slot"]
    list_filter = [ScheduleStateFilter, "type"]
    list_select_related = ["job"]
    search_fields = ["job__name"]
    sortable_by = ()
    fields = readonly_fields = (
        *("job_link", "state", "when", "timezone", "coming", "last_slot", "misfire", "overlap"),
    )

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["-pk"] if request.GET.get("state") else ["next_fire_at"]

    @admin.display(description="job")
    def job_link(self, schedule: Schedule) -> SafeString:
        return link(schedule.job)

    @admin.display(description="state")
    def state(self, schedule: Schedule) -> SafeString | str:
        if not schedule.enabled:
            return format_html("{} {}", badge("disabled"), schedule.disabled_reason)
        return badge("active" if schedule.next_fire_at else "done")

    @admin.display(description="trigger")
    def when(self, schedule: Schedule) -> str:
        return in_words(schedule)

    @admin.display(description="next slot")
    def next_slot(self, schedule: Schedule) -> SafeString | str:
        return instant(schedule.next_fire_at)

    @admin.display(description="last fired")
    def last_slot(self, schedule: Schedule) -> SafeString | str:
        return instant(schedule.last_fired_at)

    @admin.display(description="next slots")
    def coming(self, schedule: Schedule) -> SafeString | str:
        try:
            seen = schedule.preview(host.now(), count=COMING)
        except triggers.TriggerError as exc:
            return str(exc)
        rows = [(instant(slot.at), f"{slot.local:%a %Y-%m-%d %H:%M:%S %Z}") for slot in seen.slots]
        return format_html_join("", "<div>{} UTC, {}</div>", rows) or EMPTY


def in_words(schedule: Schedule) -> str:
    """Say when ``schedule`` fires; of one that no longer makes sense, why not."""
    try:
        return describe(schedule.spec)
    except triggers.TriggerError as exc:
        return str(exc)
