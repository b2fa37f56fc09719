"""A remote command that makes a worker deaf in a way that Celery does not notice."""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command


@control_command()  # type: ignore[untyped-decorator]  # untyped library
def deafen(state: Any) -> dict[str, str]:
    """Stop to consume, and believe that one still does."""
    state.consumer.task_consumer.cancel()
    return {"ok": "deaf"}
