"""Queues: how much waits in each, pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from accounts.badges import badge
from accounts.cells import EMPTY, instant
from accounts.long_lists import CappedChangeList
from accounts.row_actions import Act, ReasonForm
from accounts.theme import ChronosAdmin
from executions import clock, queues
from executions.models import Queue
from executions.standing import Line, lines

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class QueueChangeList(CappedChangeList):
    """Reads the numbers of all queues at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = {line.name: line for line in lines(clock.now())}
        for queue in self.result_list:
            queue.line = found.get(queue.name) or Line(queue.name, False, 0, 0, 0, None)


class QueueForm(forms.ModelForm[Queue]):
    """A queue's bounds: empty for none, never 0."""

    def clean_concurrency(self) -> int | None:
        return self._at_least_one("concurrency")

    def clean_window(self) -> int | None:
        return self._at_least_one("window")

    def _at_least_one(self, name: str) -> int | None:
        value: int | None = self.cleaned_data[name]
        if value == 0:
            raise forms.ValidationError("At least 1; to let nothing start, pause the queue.")
        return value


@admin.register(Queue)
class QueueAdmin(ChronosAdmin):
    list_display = [
        "name", "state", "waiting", "late", "active", "concurrency", "oldest", "why",
    ]  # fmt: skip
    search_fields = ["name", "description"]
    sortable_by = ["name"]
    fields = ["name", "description", "concurrency", "window"]
    form = QueueForm
    action_form = ReasonForm
    explained = frozenset({"pause"})
    actions = ["pause", "resume"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QueueChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> list[str]:
        return ["name"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Queue | None = None) -> bool:
        return False  # jobs and executions name it

    def page_actions(self, request: HttpRequest, obj: Queue) -> list[str]:
        return ["resume"] if obj.paused_at else ["pause"]

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        now, actor, reason = clock.now(), str(request.user), request.POST.get("reason", "")[:200]
        act = Act("paused", lambda queue: queues.pause(queue, now=now, actor=actor, reason=reason))
        self.act_on_each(request, queryset, act)

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        now, actor = clock.now(), str(request.user)
        act = Act("resumed", lambda queue: queues.resume(queue, now=now, actor=actor))
        self.act_on_each(request, queryset, act)

    @admin.display(description="state")
    def state(self, queue: Queue) -> SafeString:
        return badge("paused" if queue.paused_at else "active")

    @admin.display(description="waiting")
    def waiting(self, queue: Any) -> int:
        return queue.line.waiting  # type: ignore[no-any-return]

    @admin.display(description="late")
    def late(self, queue: Any) -> int:
        return queue.line.late  # type: ignore[no-any-return]

    @admin.display(description="active")
    def active(self, queue: Any) -> int:
        return queue.line.active  # type: ignore[no-any-return]

    @admin.display(description="waiting since")
    def oldest(self, queue: Any) -> SafeString | str:
        return instant(queue.line.oldest_due_at)

    @admin.display(description="paused because")
    def why(self, queue: Queue) -> str:
        if not queue.paused_at:
            return EMPTY
        until = f"until {queue.paused_until:%Y-%m-%d %H:%M:%S} UTC" if queue.paused_until else ""
        said = [queue.paused_reason, queue.paused_by and f"by {queue.paused_by}", until]
        return ", ".join(filter(None, said)) or EMPTY
