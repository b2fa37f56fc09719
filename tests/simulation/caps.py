"""Limits as the simulator counts them: so many in flight, so many starts in a time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulation.looking import must

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulation.looking import Row

IN_FLIGHT = frozenset({"queued", "running"})


@dataclass(slots=True)
class Caps:
    """What was allowed when it was last looked, and every start under a limit."""

    jobs: dict[object, int] = field(default_factory=dict)
    queues: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    limits: dict[str, Row] = field(default_factory=dict)
    starts: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    def look(self, jobs: Iterable[Row], queues: Iterable[Row], limits: Iterable[Row]) -> None:
        """Learn what is allowed; who was admitted a moment ago may have seen the caps before."""
        self.jobs = {job["id"]: job["concurrency"] for job in jobs if job["concurrency"]}
        self.queues = {one["name"]: one["concurrency"] for one in queues if one["concurrency"]}
        self.paused = {one["name"] for one in queues if one["paused_at"]}
        self.limits = {str(limit["id"]): limit for limit in limits}

    def queued(self, row: Row, rows: Iterable[Row]) -> None:
        """``row`` was let in; all that is in flight now is among ``rows``."""
        flying = [one for one in rows if one["status"] in IN_FLIGHT]
        name = f"execution {row['id']}"
        of_job = sum(one["job_id"] == row["job_id"] for one in flying)
        must(of_job <= self.jobs.get(row["job_id"], of_job), f"{name}: {of_job} of its job")
        of_queue = sum(one["queue"] == row["queue"] for one in flying)
        must(
            of_queue <= self.queues.get(row["queue"], of_queue), f"{name}: {of_queue} in its queue"
        )
        limit = self.limits.get(row["limit_key"][:36])
        if limit and limit["concurrency"]:
            of_key = sum(one["limit_key"] == row["limit_key"] for one in flying)
            must(of_key <= limit["concurrency"], f"{name}: {of_key} of its limit")

    def started(self, row: Row, now: datetime, *, believed: datetime) -> None:
        """A worker began ``row`` at ``now``; it recorded the time that it ``believed`` in.

        Starts before count from what was recorded: nobody can know more.
        """
        must(row["queue"] not in self.paused, f"execution {row['id']} started in a paused queue")
        limit = self.limits.get(row["limit_key"][:36])
        if limit and limit["rate"]:
            since = now - timedelta(seconds=limit["per_seconds"])
            starts = self.starts[row["limit_key"]]
            number = 1 + sum(start > since for start in starts)
            must(number <= limit["rate"], f"execution {row['id']} is start {number} in its window")
            starts.append(believed)
