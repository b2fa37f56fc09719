"""Workers and beats: who is alive, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from accounts.badges import badge
from accounts.cells import instant
from accounts.theme import WindowAdmin
from executions import clock
from executions.admin.filters import AliveFilter
from executions.heartbeats import SILENT_AFTER
from executions.models import Beat, Worker

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


class ProcessAdmin(WindowAdmin):
    """A row for each start of a process, the newest first."""

    when_empty = "None has ever started; `make up` starts some."
    list_filter = [AliveFilter]
    search_fields = ["name"]
    ordering = ["-pk"]
    sortable_by = ()

    @admin.display(description="state")
    def state(self, process: Beat | Worker) -> SafeString:
        if process.stopped_at:
            return badge("stopped")
        return badge("fresh" if process.heartbeat_at > clock.now() - SILENT_AFTER else "silent")

    @admin.display(description="last sign of life")
    def heartbeat(self, process: Beat | Worker) -> SafeString | str:
        return instant(process.heartbeat_at)

    @admin.display(description="started")
    def started(self, process: Beat | Worker) -> SafeString | str:
        return instant(process.started_at)


@admin.register(Worker)
class WorkerAdmin(ProcessAdmin):
    list_display = [
        "name", "state", "fleet", "lines", "slots", "heartbeat", "started", "version", "pid",
    ]  # fmt: skip

    @admin.display(description="queues")
    def lines(self, worker: Worker) -> str:
        return ", ".join(worker.queues)


@admin.register(Beat)
class BeatAdmin(ProcessAdmin):
    list_display = ["name", "state", "heartbeat", "started", "version", "pid"]
