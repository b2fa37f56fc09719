"""A Celery task as thousands of projects have one; Chronos adopts it without a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import shared_task

if TYPE_CHECKING:
    from celery import Task


@shared_task(
    bind=True,
    autoretry_for=(ConnectionError,),
    retry_backoff=2,
    retry_backoff_max=60,
    retry_jitter=False,
    max_retries=4,
)
def send_issue(self: Task[Any, Any], issue: int, recipients: int = 3, failures: int = 0) -> str:
    """Send an issue; the first ``failures`` tries find the mail server gone.

    Run by Celery, each retry is a message that waits in a worker. Run by Chronos, the options mean
    the same, 2, 4, 8 and 16 s between five tries, but the wait is a row in PostgreSQL: it survives
    a restart, shows in the admin and costs no worker. ``self.request.retries`` counts as ever.
    """
    if self.request.retries < failures:
        raise ConnectionError("the mail server is gone")
    return f"issue {issue} sent to {recipients} readers"
