"""Jobs, their schedules and limits: write, run now, pause, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html

from accounts.badges import badge
from accounts.cells import EMPTY, instant, link, pretty
from accounts.roles import Verb
from accounts.row_actions import Act
from accounts.theme import WindowInline
from executions import scheduler
from executions.models import FINISHED, Execution
from jobs import bodies, definitions, forms, host
from jobs.definition_admin import DefinitionAdmin
from jobs.definitions import DefinitionError
from jobs.limit_window import LimitAdmin
from jobs.models import Job, JobVersion, Limit, Schedule
from jobs.rest_form import RestForm, missed_of, until_of
from jobs.schedule_window import ScheduleAdmin, in_words

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

DEFINITION = ["state", "team", "name", "slug", "definition"]  # what those see who may not change it


class JobStateFilter(admin.SimpleListFilter):
    """Archived jobs show only where they are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return [("active", "active"), ("paused", "paused"), ("archived", "archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.value() == "archived":
            return queryset.filter(archived_at__isnull=False)
        kept = queryset.filter(archived_at__isnull=True)
        if self.value():
            return kept.filter(paused_at__isnull=self.value() == "active")
        return kept


class VersionInline(WindowInline):
    """What the job said before; executions name the version they ran."""

    model = JobVersion
    fk_name = "job"
    per_page = 5
    hide_title = True
    ordering = ["-number"]
    fields = readonly_fields = ("number", "at", "created_by", "kind", "what", "when")
    verbose_name_plural = "Versions"

    def get_queryset(self, request: HttpRequest) -> QuerySet[JobVersion]:
        versions: QuerySet[JobVersion] = super().get_queryset(request)
        return versions.select_related("created_by")

    @admin.display(description="created")
    def at(self, version: JobVersion) -> SafeString | str:
        return instant(version.created_at)

    @admin.display(description="payload")
    def what(self, version: JobVersion) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(version.payload))

    @admin.display(description="schedule")
    def when(self, version: JobVersion) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(version.schedule))


@admin.register(Job)
class JobAdmin(DefinitionAdmin):
    """Each save makes a version; executions in flight keep theirs."""

    when_empty = "No job yet; the button above makes the first one."
    form = forms.JobForm
    fieldsets: ClassVar[Any] = forms.FIELDSETS
    conditional_fields = forms.SHOWN_WHEN
    inlines = [VersionInline]
    list_display = ["name", "state", "kind_name", "when", "next_run", "last", "team"]
    list_filter = [JobStateFilter, "kind"]
    list_select_related = ["schedule", "team"]
    search_fields = ["name", "slug"]
    ordering = ["-pk"]
    action_form = RestForm
    actions = ["run_now", "pause", "resume", "archive", "restore"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        finished = Execution.objects.filter(job=OuterRef("pk"), status__in=FINISHED).order_by("-pk")
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs.annotate(
            last_id=Subquery(finished.values("pk")[:1]),
            last_status=Subquery(finished.values("status")[:1]),
        )

    def get_inlines(self, request: HttpRequest, obj: Job | None) -> list[Any]:
        return [*self.inlines] if obj else []

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        archived = obj is not None and obj.archived_at is not None
        return not archived and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> list[str]:
        if obj is None:
            return []
        return ["state", "team"] if self.has_change_permission(request, obj) else [*DEFINITION]

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        if obj is None:
            return self.fieldsets
        if self.has_change_permission(request, obj):
            (_, first), *others = self.fieldsets
            return [(None, {"fields": ["state", *first["fields"]]}), *others]
        return [(None, {"fields": DEFINITION})]

    def save_model(self, request: HttpRequest, obj: Job, form: Any, change: bool) -> None:
        if change:
            definitions.change(obj, form.body, **_who(request))
        else:
            team = form.cleaned_data["team"]
            obj.pk = definitions.create(team, form.body, **_who(request)).pk
            obj.refresh_from_db()

    def page_actions(self, request: HttpRequest, obj: Job) -> list[str]:
        names = {"execute": "run_now"}
        return [names.get(word, word) for word in definitions.allowed_actions(obj)]

    def asked_by(self, action: str) -> tuple[str, ...]:
        return {"pause": ("reason", "until"), "resume": ("missed",)}.get(action, ())

    def page_links(self, obj: Job) -> list[tuple[str, str]]:
        executions = reverse("admin:executions_execution_changelist")
        return [
            ("Executions", f"{executions}?job__id__exact={obj.pk}"),
            ("Schedule", reverse("admin:jobs_schedule_change", args=[obj.schedule.pk])),
        ]

    @admin.action(description="Run now", permissions=["operate"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        now, actor = host.now(), str(request.user)

        def run(job: Job) -> None:
            execution = scheduler.run_now(job, now=now, actor=actor)
            text = format_html("Started {}: {}", job, link(execution))
            self.message_user(request, text, messages.SUCCESS)

        rows = queryset.select_related("current")
        self.act_on_each(request, rows, Act("started", run, (DefinitionError,)))

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        who, reason = _who(request), request.POST.get("reason", "")[:200]
        try:
            until = until_of(request.POST, who["now"])
        except ValidationError as exc:
            self.message_user(request, exc.message, messages.ERROR)
            return

        def rest(job: Job) -> None:
            definitions.pause(job, **who, reason=reason, until=until)

        self.act_on_each(request, queryset, Act("paused", rest, (DefinitionError,)))

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        who, missed = _who(request), missed_of(request.POST)

        def go_on(job: Job) -> None:
            definitions.resume(job, **who, missed=missed)

        self.act_on_each(request, queryset, Act("resumed", go_on, (DefinitionError,)))

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        who = _who(request)
        act = Act("archived", lambda job: definitions.archive(job, **who), verb=Verb.EDIT)
        self.act_on_each(request, queryset, act)

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        who = _who(request)
        self.act_on_each(
            request,
            queryset,
            Act(
                "restored",
                lambda job: definitions.restore(job, **who),
                (DefinitionError,),
                Verb.EDIT,
            ),
        )

    @admin.display(description="state")
    def state(self, job: Job) -> SafeString:
        until = f"until {job.paused_until:%Y-%m-%d %H:%M} UTC" if job.paused_until else ""
        return format_html("{} {} {}", badge(job.status), job.paused_reason, until)

    @admin.display(description="kind")
    def kind_name(self, job: Job) -> str:
        return job.kind

    @admin.display(description="schedule")
    def when(self, job: Job) -> str:
        return in_words(job.schedule)

    @admin.display(description="next run")
    def next_run(self, job: Job) -> SafeString | str:
        return instant(job.schedule.next_fire_at if job.schedule.enabled else None)

    @admin.display(description="last outcome")
    def last(self, job: Any) -> SafeString | str:
        if job.last_id is None:
            return EMPTY
        url = reverse("admin:executions_execution_change", args=[job.last_id])
        return format_html('<a href="{}">{}</a>', url, badge(job.last_status))

    @admin.display(description="definition")
    def definition(self, job: Job) -> SafeString:
        return format_html("<pre>{}</pre>", pretty(bodies.of(job)))


def _who(request: HttpRequest) -> dict[str, Any]:
    return {"now": host.now(), "actor": request.user}


admin.site.register(Limit, LimitAdmin)
admin.site.register(Schedule, ScheduleAdmin)
