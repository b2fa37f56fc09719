"""A group of dead letters is started again: all or with care, in time, once each, not in vain."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import Team
from executions import progress, redrives
from executions.models import Execution, ExecutionEvent, Origin, OutboxEvent, Redrive, Status
from executions.redrives import RedriveRunningError
from jobs.models import Job
from tests.factories import NOON, ExecutionFactory, JobFactory, TeamFactory

CAUSE = "c" * 32
SECOND = timedelta(seconds=1)


@pytest.fixture
def job(db: None) -> Job:
    made: Job = JobFactory.create()
    return made


def dead(job: Job, number: int = 1, **fields: Any) -> list[Execution]:
    known = {"job": job, "status": Status.FAILED, "fingerprint": CAUSE}
    rows: list[Execution] = ExecutionFactory.create_batch(number, **known | fields)
    return rows


def begun(job: Job, mode: Redrive.Mode = Redrive.Mode.ALL, rate: float = 100) -> Redrive:
    planned = redrives.plan(job.team, CAUSE, mode=mode, rate=rate, now=NOON, actor="ann")
    assert planned is not None
    return redrives.start(planned, now=NOON)


def advanced(redrive: Redrive, seconds: Iterator[int], *, steps: int) -> Redrive:
    for _ in range(steps):
        redrives.advance(NOON + next(seconds) * SECOND)
    redrive.refresh_from_db()
    return redrive


def started(redrive: Redrive) -> Any:
    return Execution.objects.filter(redrive=redrive).order_by("pk")


def in_words(redrive: Redrive) -> str:
    return progress.in_words(redrive, progress.of([redrive])[redrive.pk])


def end(redrive: Redrive, status: Status, **fields: Any) -> None:
    rows = started(redrive).filter(status=Status.SCHEDULED)
    rows.update(status=status, finished_at=NOON, **fields)


def test_all_of_a_group_are_started_again_and_resolved(job: Job) -> None:
    first, second = dead(job, 2, payload={"a": 1})

    redrive = advanced(begun(job), iter(range(1, 9)), steps=2)

    first.refresh_from_db()
    again = started(redrive)[0]
    assert (redrive.state, redrive.started, redrive.total) == ("done", 2, 2)
    assert first.resolved_at == NOON + SECOND
    assert (again.origin, again.payload, again.due_at) == (Origin.REDRIVE, {"a": 1}, NOON + SECOND)
    assert again.events.get().detail["reason"] == f"redrive of {first.pk}"
    assert second.events.get().detail == {
        "as": str(started(redrive)[1].pk),
        "redrive": str(redrive.pk),
    }
    assert second.events.get().actor == "ann"


def test_what_fails_for_another_reason_or_in_another_team_is_left_alone(job: Job) -> None:
    dead(job)
    others = [
        *dead(job, fingerprint="d" * 32),
        *dead(JobFactory.create()),
        *dead(job, resolved_at=NOON),
    ]

    redrive = advanced(begun(job), iter(range(9)), steps=3)

    assert started(redrive).count() == 1
    assert ExecutionEvent.objects.filter(execution__in=others).count() == 0


def test_what_dies_after_the_start_does_not_belong_to_the_group(job: Job) -> None:
    slow = ExecutionFactory.create(job=job)
    dead(job)
    redrive = begun(job)
    Execution.objects.filter(pk=slow.pk).update(
        status=Status.FAILED, fingerprint=CAUSE, finished_at=NOON + SECOND
    )

    advanced(redrive, iter(range(2, 9)), steps=3)

    assert started(redrive).count() == 1


def test_it_starts_no_more_than_its_rate(job: Job) -> None:
    dead(job, 9)
    redrive = begun(job, rate=2)

    redrives.advance(NOON)
    assert started(redrive).count() == 1
    redrives.advance(NOON)
    assert started(redrive).count() == 1
    redrives.advance(NOON + 2 * SECOND)
    assert started(redrive).count() == 5
    redrives.advance(NOON + 2 * SECOND)
    assert started(redrive).count() == 5


def test_a_long_silence_is_not_made_up_for_at_once(job: Job) -> None:
    dead(job, 30)
    redrive = begun(job, rate=1)

    redrives.advance(NOON + timedelta(hours=1))

    assert started(redrive).count() == 11


def test_a_pass_handles_no_more_than_it_was_asked_to(job: Job) -> None:
    dead(job, 30)
    redrive = begun(job)

    assert redrives.advance(NOON + 10 * SECOND, limit=7) == 8

    assert started(redrive).count() == 7


def test_a_canary_starts_one_then_ten_then_the_rest_each_when_the_others_ended(job: Job) -> None:
    dead(job, 30)
    redrive, seconds = begun(job, Redrive.Mode.CANARY), iter(range(1, 99))
    advanced(redrive, seconds, steps=5)
    assert started(redrive).count() == 1
    assert in_words(redrive) == (
        "1 of 30 started, 0 succeeded, 0 failed again. The next ones wait for 1 to end."
    )

    end(redrive, Status.SUCCEEDED)
    advanced(redrive, seconds, steps=5)
    assert started(redrive).count() == 11

    end(redrive, Status.SUCCEEDED)
    advanced(redrive, seconds, steps=5)
    assert (redrive.state, started(redrive).count()) == ("done", 30)


@pytest.mark.parametrize("mode", Redrive.Mode)
def test_it_stops_by_itself_when_the_same_cause_is_back(job: Job, mode: Redrive.Mode) -> None:
    dead(job, 30)
    redrive, seconds = begun(job, mode, rate=1), iter(range(1, 99))
    advanced(redrive, seconds, steps=1)
    number = started(redrive).count()

    end(redrive, Status.FAILED, fingerprint=CAUSE)
    advanced(redrive, seconds, steps=3)

    assert (redrive.state, redrive.started) == ("stopped", number)
    assert redrive.reason == "What it started failed for good with the same cause."
    told = OutboxEvent.objects.get(topic="redrive.stopped")
    assert (told.subject, told.team_id) == (redrive.pk, job.team_id)
    assert in_words(redrive).startswith("Stopped: ")


def test_another_cause_does_not_stop_it(job: Job) -> None:
    dead(job, 3)
    redrive, seconds = begun(job, Redrive.Mode.CANARY), iter(range(1, 99))
    advanced(redrive, seconds, steps=1)

    end(redrive, Status.FAILED, fingerprint="d" * 32)
    advanced(redrive, seconds, steps=4)

    assert (redrive.state, redrive.started) == ("done", 3)


def test_paused_and_archived_jobs_are_left_over_and_said(job: Job) -> None:
    paused = JobFactory.create(team=job.team, paused_at=NOON)
    archived = JobFactory.create(team=job.team, archived_at=NOON)
    kept = [*dead(paused, 2), *dead(archived)]
    dead(job)

    redrive = advanced(begun(job), iter(range(1, 9)), steps=2)

    assert (redrive.state, redrive.started, redrive.total) == ("done", 1, 4)
    assert redrive.reason == "Left over: 1 of archived jobs, 2 of paused jobs."
    assert progress.left_over(redrive) == {"job_archived": 1, "job_paused": 2}
    assert all(
        row.resolved_at is None for row in Execution.objects.filter(pk__in=[row.pk for row in kept])
    )


def test_one_that_somebody_stops_starts_no_more(job: Job) -> None:
    dead(job, 5)
    redrive = advanced(begun(job, rate=1), iter([1]), steps=1)
    number = started(redrive).count()

    redrives.stop(redrive, now=NOON + SECOND, actor="bob")
    redrives.stop(redrive, now=NOON + 2 * SECOND, actor="eve")
    advanced(redrive, iter(range(2, 9)), steps=3)

    assert (redrive.state, redrive.reason) == ("stopped", "bob stopped it.")
    assert started(redrive).count() == number


def test_a_group_is_redriven_by_one_at_a_time(job: Job) -> None:
    dead(job)
    redrive = begun(job)

    with pytest.raises(RedriveRunningError):
        begun(job)

    redrives.stop(redrive, now=NOON, actor="ann")
    assert begun(job).state == Redrive.State.RUNNING


def test_a_cause_without_dead_letters_has_nothing_to_redrive(db: None) -> None:
    team: Team = TeamFactory.create()

    assert redrives.plan(team, CAUSE, mode=Redrive.Mode.ALL, rate=1, now=NOON, actor="a") is None


def test_one_that_cannot_go_on_is_set_aside_and_the_others_go_on(job: Job) -> None:
    broken = JobFactory.create(current=None)
    Job.objects.filter(pk=broken.pk).update(current=None)
    version = job.current
    dead(broken, version=version)
    bad = begun(broken)
    dead(job)
    good = begun(job)

    advanced(good, iter(range(1, 9)), steps=2)

    bad.refresh_from_db()
    assert (bad.state, good.state) == ("stopped", "done")
    assert bad.reason.startswith("It could not go on: ")
    assert started(bad).count() == 0
    assert Execution.objects.filter(job=broken, resolved_at__isnull=True).count() == 1


def test_a_batch_costs_the_same_for_one_and_for_many(
    job: Job, django_assert_max_num_queries: Any
) -> None:
    dead(job, 50)
    begun(job)

    with django_assert_max_num_queries(13):
        assert redrives.advance(NOON + SECOND, limit=50) == 51


@pytest.mark.django_db(transaction=True)
def test_any_number_of_beats_start_each_dead_letter_once() -> None:
    job = JobFactory.create()
    rows = dead(job, 40)
    redrive = begun(job)
    barrier = Barrier(4)

    def beat(number: int) -> None:
        barrier.wait()
        for second in range(1, 20):
            redrives.advance(NOON + second * SECOND, limit=7)
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(beat, range(4)))
    for second in range(20, 30):  # who is fast forward leaves nothing due for the others
        redrives.advance(NOON + second * SECOND, limit=7)

    again = [event.detail["as"] for event in ExecutionEvent.objects.filter(what="redriven")]
    assert len(again) == len(set(again)) == len(rows)
    assert started(redrive).count() == len(rows)
