"""The tables of Celery's own packages, in our theme and fit for millions of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm as BeatPeriodicTaskForm
from django_celery_beat.admin import TaskSelectWidget
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import TASK_STATE_CHOICES, GroupResult, TaskResult
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.cells import EMPTY, instant
from accounts.theme import ChronosAdmin, WindowAdmin
from executions.dispatch import RUN_TASK

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

admin.site.unregister(
    [
        ClockedSchedule,
        CrontabSchedule,
        GroupResult,
        IntervalSchedule,
        PeriodicTask,
        SolarSchedule,
        TaskResult,
    ]
)


class TaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]  # untyped
    """The tasks that Celery knows, in our theme."""


class PeriodicTaskForm(BeatPeriodicTaskForm):  # type: ignore[misc]  # untyped library
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ChronosAdmin):
    """What operators add for plain Celery tasks; jobs and their schedules are not here."""

    form = PeriodicTaskForm
    list_display = ["name", "enabled", "scheduler", "task", "ran", "next", "one_off"]
    list_filter = ["enabled", "one_off"]
    list_select_related = ["interval", "crontab", "solar", "clocked", "chronos"]
    search_fields = ["name", "task"]
    autocomplete_fields = ["interval", "crontab", "solar", "clocked"]
    readonly_fields = ["last_run_at"]
    actions = ["enable_tasks", "disable_tasks", "toggle_tasks", "run_tasks"]
    fieldsets = [
        (None, {"fields": ["name", "regtask", "task", "enabled", "description"]}),
        (
            "Schedule",
            {
                "fields": [
                    *("interval", "crontab", "solar", "clocked"),
                    *("start_time", "last_run_at", "one_off"),
                ]
            },
        ),
        ("Arguments", {"fields": ["args", "kwargs"]}),
        (
            "Message",
            {
                "fields": [
                    *("expires", "expire_seconds", "queue", "exchange"),
                    *("routing_key", "priority", "headers"),
                ]
            },
        ),
    ]
    celery_app = BeatPeriodicTaskAdmin.celery_app
    enable_tasks = BeatPeriodicTaskAdmin.enable_tasks
    disable_tasks = BeatPeriodicTaskAdmin.disable_tasks
    toggle_tasks = BeatPeriodicTaskAdmin.toggle_tasks
    run_tasks = BeatPeriodicTaskAdmin.run_tasks
    _toggle_tasks_activity = BeatPeriodicTaskAdmin._toggle_tasks_activity

    @admin.display(description="last run")
    def ran(self, task: PeriodicTask) -> SafeString | str:
        return instant(task.last_run_at)

    @admin.display(description="next run")
    def next(self, task: PeriodicTask) -> SafeString | str:
        """When it is due, or why it was switched off."""
        state = getattr(task, "chronos", None)  # a beat makes it
        return (state.reason or instant(state.next_slot)) if state else EMPTY


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ChronosAdmin):
    search_fields = ["every", "period"]


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ChronosAdmin):
    list_display = ["__str__", "human_readable"]
    search_fields = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone"]


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ChronosAdmin):
    search_fields = ["clocked_time"]


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ChronosAdmin):
    search_fields = ["event"]


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return list(TASK_STATE_CHOICES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


class ResultAdmin(WindowAdmin):
    """Sorted and searched by what has an index; no totals, no distinct values."""

    ordering = ["-date_done"]
    sortable_by = ()

    @admin.display(description="done")
    def done(self, result: TaskResult | GroupResult) -> SafeString | str:
        return instant(result.date_done)


@admin.register(TaskResult)
class TaskResultAdmin(ResultAdmin):
    """What django-celery-results keeps of each attempt and of each plain task."""

    list_display = ["task_id", "status", "periodic_task_name", "task_name", "worker", "done"]
    list_filter = [StateFilter]
    list_defer = ("task_args", "task_kwargs", "result", "traceback", "meta")
    search_fields = ["task_id__startswith", "periodic_task_name__exact"]
    search_help_text = "Beginning of a task id, or the whole name of a job or periodic task"
    fields = [
        *("task_id", "execution", "status", "task_name", "periodic_task_name", "worker"),
        *("date_created", "date_started", "date_done"),
        *("task_args", "task_kwargs", "result", "traceback", "meta"),
    ]
    readonly_fields = ["execution"]

    @admin.display(description="execution")
    def execution(self, result: TaskResult) -> SafeString | str:
        """The execution whose attempt this is; its id is the task's without the number."""
        if result.task_name != RUN_TASK:
            return EMPTY
        found, _, _ = result.task_id.rpartition("-")
        url = reverse("admin:executions_execution_change", args=[found])
        return format_html('<a class="link" href="{}">{}</a>', url, found)


@admin.register(GroupResult)
class GroupResultAdmin(ResultAdmin):
    list_display = ["group_id", "done"]
    search_fields = ["group_id__startswith"]
