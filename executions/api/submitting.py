"""Reading many starts out of one body: what is wrong is said of each by its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import ParseError, ValidationError

from executions.api.bodies import SubmitSerializer
from executions.submissions import MOST, Submission, Wish
from lib import strict_json
from lib.faults import fault
from lib.ndjson import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from jobs.models import Job

MOST_FAULTS = 1_000  # of wrong starts, that one answer tells


@dataclass(slots=True)
class Reading:
    """What became of each start: the id that it would get, or what is wrong with it."""

    ids: list[UUID | None] = field(default_factory=list)
    faults: dict[str, Any] = field(default_factory=dict)
    """By places."""


def read(body: Any, submission: Submission, *, job: Job, now: datetime) -> Reading:
    """Add the starts in ``body`` to ``submission``. Raises ``ValidationError`` if it is no list."""
    if not isinstance(body, list) or not body:
        message = "Send a list of starts, or one on each line as application/x-ndjson."
        raise ValidationError([fault(message, "not_a_list")])
    if len(body) > MOST:
        message = f"These are {len(body)} starts; {MOST} are the most that one request may have."
        raise ValidationError([fault(message, "too_many", hint="Send them in several requests.")])
    reading = Reading()
    item = SubmitSerializer(context={"kind": job.kind, "now": now})
    for place, start in enumerate(_documents(body)):
        try:
            wish = item.take(_checked(start))
        except ValidationError as exc:
            reading.ids.append(None)
            if len(reading.faults) < MOST_FAULTS:
                reading.faults[str(place)] = exc.detail
        else:
            key = wish.pop("idempotency_key", "")
            reading.ids.append(submission.add(Wish(key=key, **wish)))
    return reading


def _documents(body: list[Any]) -> Iterator[Any]:
    """Yield each start, or what keeps its line from being one."""
    if not isinstance(body, Lines):
        yield from body
        return
    for line in body:
        try:
            yield strict_json.parse(line.encode())
        except ParseError as exc:
            yield ValidationError([exc.detail])


def _checked(start: Any) -> Any:
    if isinstance(start, ValidationError):
        raise start
    return start
