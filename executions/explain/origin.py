"""Why an execution exists: a slot of a schedule, somebody's wish, or work that is done again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from executions.explain.words import because, clock, in_words
from executions.models import Origin
from executions.reasons import Said, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executions.models import Execution, ExecutionEvent

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def why(execution: Execution, events: Sequence[ExecutionEvent]) -> Said:
    """Say why ``execution`` was made."""
    if execution.origin == Origin.SCHEDULE:
        slot = clock(execution.scheduled_for or execution.due_at)
        words = in_words(execution.version)
        return say("slot", slot=slot, job=execution.job.name, words=words)
    asked = next((event for event in events if event.what == "requested"), None)
    actor = asked.actor if asked and asked.actor else "Somebody"
    reason = str(asked.detail.get("reason") or "") if asked else ""
    if execution.origin == Origin.MANUAL:
        return say("manual", actor=actor, why=because(reason))
    before = _ID.search(reason)
    of = before[0] if before else "an earlier execution"
    return say(execution.origin, actor=actor, of=of)
