"""The executions app: what happened, and what is happening."""

from __future__ import annotations

from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "executions"

    def ready(self) -> None:
        # Models are not ready before this.
        from executions import bell, clock, ledger, outbox  # noqa: PLC0415
        from executions.maintenance import audit  # noqa: PLC0415
        from executions.models import Queue  # noqa: PLC0415
        from jobs import host  # noqa: PLC0415

        host.connect(
            host.Host(
                now=clock.now,
                queue_names=Queue.objects.names,
                wake=bell.ring,
                record_skipped=ledger.record_skipped,
                close_books=audit.close_books,
                tell=outbox.tell,
            )
        )
