"""The judge is judged: a history that was tampered with must be called broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection

from tests.simulation import verdict
from tests.simulation.looking import Violation
from tests.simulation.plans import Plan, Step, draw
from tests.simulation.world import World, play

JOB = draw(0).jobs[0] | {"schedule": {"type": "interval", "every_seconds": 20}}
PLAN = Plan(
    0,
    (
        JOB
        | {
            "policy": JOB["policy"]
            | {
                "overlap": "allow",
                "misfire": "skip",
                "on_lost": "fail",
                "limit": None,
                "concurrency": None,
            }
        },
    ),
    (
        Step("tick", amount=130),
        Step("fire"),
        Step("run_now"),
        Step("deliver"),
        Step("finish", word="give_up"),
        Step("redrive"),
        Step("run_now"),
        Step("cancel", 6),
    ),
)

TAMPERED = [
    ("UPDATE executions_attempt SET number = number + 1", "attempts"),
    ("DELETE FROM executions_attempt", "attempts"),
    ("UPDATE executions_attempt SET finished_at = NULL", "open attempt"),
    ("UPDATE executions_execution SET failures = failures + 1", "counts"),
    ("UPDATE executions_attempt SET outcome = 'lost' WHERE outcome = 'failed'", "counts"),
    ("UPDATE executions_attempt SET outcome = 'cancelled' WHERE outcome = 'succeeded'", "after"),
    ("DELETE FROM executions_executionevent WHERE what = 'cancelled'", "Counter"),
    ("DELETE FROM executions_executionevent WHERE what = 'requested'", "Counter"),
    ("UPDATE executions_execution SET resolved_at = NULL", "redriven"),
    ("UPDATE executions_execution SET result = NULL WHERE status = 'skipped'", "without an event"),
    ("UPDATE executions_execution SET reason = '' WHERE status = 'skipped'", "no reason"),
]


def test_a_sound_history_is_called_sound() -> None:
    play(PLAN)


@pytest.mark.parametrize(("statement", "sentence"), TAMPERED)
def test_what_is_stored_wrongly_is_noticed(statement: str, sentence: str) -> None:
    world = play(PLAN)

    with connection.cursor() as cursor:
        cursor.execute(statement)

    with pytest.raises(Violation, match=sentence):
        verdict.judge(world)


WRONG_STEPS = [
    ("status = 'queued'", "fire"),
    ("status = 'queued', attempt = attempt + 2", "queue"),
    ("status = 'queued', due_at = due_at + interval '1 h'", "queue"),
    ("losses = 4", "sweep"),
]


@pytest.mark.parametrize(("change", "verb"), WRONG_STEPS)
def test_a_step_that_does_what_it_may_not_is_noticed(change: str, verb: str) -> None:
    world = World(replace(PLAN, steps=()))
    for step in PLAN.steps[:2]:
        world.take(step)

    update = "UPDATE executions_execution SET {} WHERE status = 'scheduled'"
    with connection.cursor() as cursor:
        cursor.execute(update.format(change))

    with pytest.raises(Violation):
        world.account.observe(Step(verb), world.now, [])


def test_a_slot_without_a_row_is_noticed() -> None:
    world = play(PLAN)
    (slots,) = world.account.slots.values()

    slots.due.add(slots.anchor)

    with pytest.raises(Violation, match="vanished"):
        verdict.judge(world)


def test_a_slot_with_two_rows_or_without_a_reason_to_exist_is_noticed() -> None:
    world = play(PLAN)
    (slots,) = world.account.slots.values()

    slots.accounted[slots.anchor] += 1

    with pytest.raises(Violation, match="never due"):
        verdict.judge(world)
