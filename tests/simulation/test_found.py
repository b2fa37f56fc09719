"""Histories that broke a promise once."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from executions import dispatch, scheduler
from executions.models import Execution
from tests.factories import NOON, ScheduleFactory
from tests.simulation.faults import Fault, Mishap
from tests.simulation.plans import Plan, Step
from tests.simulation.world import elsewhere, play


def job(*, every: int = 20, **policy: Any) -> dict[str, Any]:
    """A job of these histories; ``policy`` is what matters to the story."""
    usual = {
        "timeout_seconds": 300,
        "overlap": "allow",
        "misfire": "latest",
        "priority": "normal",
        "queue": "default",
        "on_lost": "retry",
    }
    return {
        "name": "Job",
        "schedule": {"type": "interval", "every_seconds": every},
        "policy": usual | policy,
    }


def test_an_edit_that_is_slower_than_a_beat_does_not_fire_a_slot_anew() -> None:
    """It moved the cursor back, so that the skipped stretch met a row and was swallowed."""
    steps = (
        Step("tick", amount=61),
        Step("fire"),
        Step("change", amount=5, word="schedule"),
        Step("tick", amount=130),
        Step("fire"),
    )

    play(Plan(0, (job(every=60),), steps))


def test_nothing_starts_from_a_paused_queue_not_even_what_is_queued() -> None:
    play(Plan(0, (job(),), (Step("run_now"), Step("pause_queue"), Step("deliver"))))


def test_what_was_due_before_a_job_rested_is_accounted_for() -> None:
    for rest, wake in (("pause", "resume"), ("archive", "restore")):
        steps = (Step("tick", amount=35), Step(rest), Step(wake, word="skip"), Step("fire"))

        play(Plan(0, (job(every=10),), steps))


def test_books_that_were_just_closed_are_not_missed_by_an_edit() -> None:
    steps = (Step("tick", amount=21), Step("fire"), Step("audit"), Step("change", word="schedule"))

    play(Plan(0, (job(),), steps))


def test_a_wait_that_the_database_did_not_take_is_recorded_the_next_time() -> None:
    for statement in range(1, 6):
        lost = Fault(Mishap.NO_DATABASE, statement)
        steps = (
            Step("run_now"),
            Step("deliver"),
            Step("finish", word="wait", fault=lost),
            Step("finish"),
        )

        world = play(Plan(0, (job(),), steps))

        assert all(row["losses"] == 0 for row in world.account.rows.values())


def test_a_slot_that_cannot_replace_its_predecessor_yet_is_asked_once() -> None:
    ScheduleFactory.create(overlap="cancel_previous")
    for minute in (0, 1):
        scheduler.fire_due(NOON + timedelta(minutes=minute))
        if minute == 0:
            dispatch.queue_due(NOON)
    held, asked = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            Execution.objects.select_for_update().get(status="queued")
            held.set()
            asked.wait(5)

    with CaptureQueriesContext(connection) as queries:
        holding = elsewhere.submit(hold)
        held.wait(5)
        dispatch.queue_due(NOON + timedelta(minutes=1))
        asked.set()
        holding.result()

    assert len(queries) < 40
    assert dispatch.queue_due(NOON + timedelta(minutes=1)) == 1
