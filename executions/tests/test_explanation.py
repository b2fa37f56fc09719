"""The common stories of executions, in the words that people read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from executions import again, deadletters, endings, transitions
from executions.explain import Explanation, explain
from executions.models import Attempt, Beat, Execution, Origin, Status
from executions.reasons import REASONS, say
from executions.reports import Report
from jobs.kinds.base import Failed, Succeeded
from jobs.models import Job, Limit
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=30)
PROCESS = {"pid": 1, "version": "1", "started_at": NOON, "heartbeat_at": NOON}
RETRY = {
    "version__retry_strategy": "fixed",
    "version__retry_base_seconds": 60,
    "version__retry_jitter": "none",
}
EVERY_MINUTE = {"type": "interval", "every_seconds": 60, "anchor": NOON.isoformat()}


def slot(job: Job | None = None, **fields: Any) -> Execution:
    """The slot at NOON of a schedule, due and not queued yet."""
    schedule = ScheduleFactory.create(
        job=job or JobFactory.create(schedule=False, version__schedule=EVERY_MINUTE)
    )
    known = {"job": schedule.job, "schedule": schedule, "scheduled_for": NOON}
    execution: Execution = ExecutionFactory.create(**known, origin=Origin.SCHEDULE, **fields)
    return execution


def started(execution: Execution, *, at: timedelta, queued: timedelta | None = None) -> Execution:
    """Queue and claim ``execution``; the times count from NOON."""
    row = Execution.objects.get(pk=execution.pk)
    transitions.queue_all([row], now=NOON + (at if queued is None else queued))
    held = transitions.claim(row.pk, worker="io@a", now=NOON + at, lease=LEASE)
    assert held is not None
    return held


def explained(execution: Execution, *, at: timedelta = timedelta(hours=1)) -> Explanation:
    return explain(Execution.objects.get(pk=execution.pk), now=NOON + at)


def codes(explanation: Explanation) -> list[str]:
    return [moment.said.code for moment in explanation.story]


def test_a_punctual_slot() -> None:
    held = started(slot(), at=0.2 * SECOND)
    endings.record(held, Succeeded(), now=NOON + 3.2 * SECOND)

    found = explained(held)

    assert found.summary == "It succeeded with attempt 1 at 2027-06-15 12:00:03 UTC."
    assert found.why_it_exists.sentence == (
        f"It is the slot 2027-06-15 12:00:00 UTC of the schedule of {held.job.name}: Every minute."
    )
    assert found.was_it_on_time.sentence == "It started on time, 0.2 s after it was due."
    (tried,) = found.how_did_it_go
    assert tried.went.sentence == "Attempt 1 ran on io@a for 3 s. It did its work."
    assert tried.then is None
    assert found.did_it_run_twice.code == "once"
    assert found.what_happens_next.code == "next_slot"
    assert found.what_may_be_done == []
    assert codes(found) == ["slot", "queued", "started", "succeeded"]


def test_a_late_one_says_what_it_waited_for() -> None:
    held = started(slot(), queued=5 * MINUTE, at=7 * MINUTE)

    assert explained(held).was_it_on_time.sentence == (
        "It started 7 min late: after 5 min it was queued, after 2 min more taken."
    )


def test_a_failure_that_healed_names_the_rule_of_the_delay() -> None:
    execution = slot(JobFactory.create(schedule=False, **RETRY))
    first = started(execution, at=SECOND)
    endings.record(first, Failed("timeout", "ran longer than 5 s"), now=NOON + 6 * SECOND)
    second = started(execution, at=67 * SECOND)
    endings.record(second, Succeeded(), now=NOON + 68 * SECOND)

    found = explained(execution)

    assert [tried.went.sentence for tried in found.how_did_it_go] == [
        "Attempt 1 ran on io@a for 5 s. It took longer than its time limit: ran longer than 5 s.",
        "Attempt 2 ran on io@a for 1 s. It did its work.",
    ]
    then = found.how_did_it_go[0].then
    assert then is not None
    assert then.sentence == (
        "It was tried again 1 min 1 s later, by the retry policy: 1 min each time."
    )
    assert found.did_it_run_twice.sentence == (
        "It started 2 times, never twice at once: attempt 1 failed (timeout)."
    )
    assert found.was_it_on_time.sentence == "It started on time, 1 s after it was due."


def test_a_failure_that_waits_for_its_next_attempt() -> None:
    held = started(slot(JobFactory.create(schedule=False, **RETRY)), at=SECOND)
    endings.record(held, Failed("unreachable", "no route"), now=NOON + 2 * SECOND)

    found = explained(held, at=3 * SECOND)

    assert found.what_happens_next.sentence == (
        "Attempt 2 is due at 2027-06-15 12:01:02 UTC; attempt 1 ended with unreachable."
    )
    assert codes(found)[-2:] == ["unreachable", "again_due"]
    assert [said.code for said in found.what_may_be_done] == ["cancel"]


def test_one_that_failed_for_good_says_why_it_is_not_tried_again() -> None:
    execution = slot(JobFactory.create(schedule=False, version__max_attempts=1))
    held = started(execution, at=SECOND)
    endings.record(held, Failed("bad_status", "HTTP 500."), now=NOON + 2 * SECOND)

    found = explained(execution)

    assert found.summary == (
        "It failed for good with attempt 1 at 2027-06-15 12:00:02 UTC."
        " The target answered with a status that is no success: HTTP 500."
    )
    assert codes(found)[-1] == "no_attempts_left"
    assert found.what_happens_next.code == "dead_letter"
    assert [said.code for said in found.what_may_be_done] == ["run_again", "resolve"]


def test_a_failure_that_does_not_pass_is_not_tried_again() -> None:
    held = started(slot(), at=SECOND)
    failed = Failed("target_forbidden", "private address", retryable=False)
    endings.record(held, failed, now=NOON + 2 * SECOND)

    assert explained(held).story[-1].said.sentence == (
        "It was not tried again: target_forbidden is nothing that passes."
    )


def test_a_lost_worker_and_a_stopped_one_count_nothing() -> None:
    execution = slot()
    lost = started(execution, at=SECOND)
    report = Report(reason="worker_lost", message="io@a stopped renewing its lease.")
    transitions.lose(lost, now=NOON + 40 * SECOND, report=report)
    stopped = started(execution, at=41 * SECOND)
    transitions.hand_back(stopped, now=NOON + MINUTE, report=Report(reason="worker_stopped"))
    endings.record(started(execution, at=61 * SECOND), Succeeded(), now=NOON + 62 * SECOND)

    found = explained(execution)

    assert found.did_it_run_twice.sentence == (
        "It started 3 times, never twice at once: attempt 1 was lost with its worker"
        " (worker_lost), attempt 2 was handed back (worker_stopped)."
    )
    thens = [tried.then.sentence for tried in found.how_did_it_go if tried.then]
    assert thens == [
        "It was given to a worker again 1 s later; nothing counted.",
        "It was given to a worker again 1 s later; nothing counted.",
    ]


def test_one_that_must_not_start_twice_ends_with_its_worker() -> None:
    execution = slot(JobFactory.create(schedule=False, version__on_lost="fail"))
    held = started(execution, at=SECOND)
    transitions.fail(
        held,
        now=NOON + MINUTE,
        report=Report(reason="worker_lost"),
        outcome=Attempt.Outcome.LOST,
    )

    assert codes(explained(execution))[-1] == "must_not_start_twice"


def test_a_running_one_names_its_worker() -> None:
    found = explained(started(slot(), at=SECOND), at=2 * SECOND)

    assert found.summary == "Attempt 1 runs on io@a since 2027-06-15 12:00:01 UTC."
    assert found.what_happens_next.code == "running"
    assert found.how_did_it_go[0].went.code == "running"


def test_a_skipped_slot_says_why() -> None:
    execution = slot()
    transitions.skip(execution, now=NOON, reason="overlap", detail={})

    found = explained(execution)

    assert found.summary == (
        "It did not run. An earlier slot of its schedule was unfinished when this one was due."
    )
    assert found.was_it_on_time.code == "never_started"
    assert found.did_it_run_twice.code == "not_started"
    assert codes(found)[-1] == "skipped"


def test_a_cancelled_one_names_who_cancelled_it() -> None:
    execution = slot()
    transitions.cancel(execution, now=NOON, actor="ann")

    found = explained(execution)

    assert found.summary == "It was cancelled at 2027-06-15 12:00:00 UTC."
    assert found.story[-1].said.sentence == "It was cancelled by ann."


def test_one_that_waits_says_what_for() -> None:
    execution = slot()

    found = explained(execution, at=MINUTE)

    assert found.summary == "It waits. No scheduler has been heard of for 15 s."
    assert found.was_it_on_time.sentence == "It should have started 1 min ago."
    assert explained(execution, at=-MINUTE).was_it_on_time.code == "not_due"


@pytest.mark.parametrize(
    ("blocked_on", "sentence"),
    [
        ("job:{job}", "Its job runs 3 at once at most."),
        ("limit:{limit}", "The limit mail lets 2 run at once."),
        ("rate:{limit}", "The limit mail lets 5 start in 60 s."),
        ("rate:{limit}:ann", "The limit mail for to ann lets 5 start in 60 s."),
        (f"limit:{UUID(int=0)}", "Its limit is gone; it goes on in a moment."),
        ("overlap:{job}", "An earlier slot of its schedule is unfinished."),
        ("moon:full", say("moon").sentence),
    ],
)  # fmt: skip
def test_one_that_a_limit_holds_back_names_the_limit(blocked_on: str, sentence: str) -> None:
    Beat.objects.create(name="b", **PROCESS)
    job = JobFactory.create(schedule=False, version__concurrency=3)
    limit = Limit.objects.create(
        team=job.team, name="mail", by="to", concurrency=2, rate=5, per_seconds=60
    )
    execution = slot(job, blocked_on=blocked_on.format(job=job.pk, limit=limit.pk))

    found = explained(execution, at=SECOND).what_happens_next

    assert found.sentence == sentence
    assert (found.code in REASONS) == (found.code != "moon")


@pytest.mark.parametrize(
    ("queue", "busy", "code"),
    [
        ({"concurrency": 1}, Status.RUNNING, "queue_limit"),
        ({"window": 1}, Status.QUEUED, "window"),
        ({"window": 1}, Status.RUNNING, "scheduler"),
        ({}, Status.QUEUED, "scheduler"),
    ],
)
def test_one_whose_queue_is_full_says_of_what(
    queue: dict[str, int], busy: Status, code: str
) -> None:
    Beat.objects.create(name="b", **PROCESS)
    QueueFactory.create(name="mail", **queue)
    ExecutionFactory.create(queue="mail", status=busy)

    assert explained(slot(queue="mail"), at=SECOND).what_happens_next.code == code


def test_work_that_was_started_again_is_told_on_both_sides() -> None:
    dead = slot(status=Status.FAILED)
    redriven = deadletters.redrive(dead, now=NOON, actor="ann")
    cancelled = slot(status=Status.CANCELLED)
    retried = again.run_again(cancelled, now=NOON, actor="bob")

    assert explained(redriven).why_it_exists.sentence == (
        f"ann redrove {dead.pk}, which had failed for good."
    )
    assert explained(retried).why_it_exists.sentence == (
        f"bob started the work of {cancelled.pk} again."
    )
    assert explained(dead).what_happens_next.sentence == (
        f"Nothing more happens to it; its work was started again as {redriven.pk}."
    )


def test_an_event_that_nobody_knows_is_told_as_it_was_written() -> None:
    execution = slot()
    execution.events.create(at=NOON, what="moved_house", actor="ann", detail={"to": "b", "no": ""})

    assert explained(execution).story[-1].said.sentence == "Moved house by ann (to: b)."


def test_a_reason_that_nobody_knows_is_told_honestly() -> None:
    held = started(slot(JobFactory.create(schedule=False, version__max_attempts=1)), at=SECOND)
    endings.record(held, Failed("moon_phase", "new moon"), now=NOON + 2 * SECOND)

    found = explained(held)

    assert "moon_phase: a word of the job's own, or of a newer version" in found.summary
    assert found.how_did_it_go[0].went.link == "/reasons"


def test_it_costs_the_same_for_one_attempt_and_for_many(django_assert_max_num_queries: Any) -> None:
    execution = slot()
    Attempt.objects.bulk_create(
        Attempt(execution=execution, number=n, worker="w", started_at=NOON, finished_at=NOON)
        for n in range(1, 300)
    )
    row = Execution.objects.select_related("job", "version", "schedule").get(pk=execution.pk)

    with django_assert_max_num_queries(6):
        found = explain(row, now=NOON)

    assert [tried.number for tried in found.how_did_it_go] == list(range(200, 300))
