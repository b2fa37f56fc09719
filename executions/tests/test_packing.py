"""Which executions share a message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import packing
from executions.models import Execution
from jobs.models import Job
from tests.factories import NOON, ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db


def crowd(number: int, job: Job | None = None, **fields: Any) -> list[Execution]:
    job = job or JobFactory.create()
    return [ExecutionFactory.build(job=job, version=job.current, **fields) for _ in range(number)]


def sizes(executions: list[Execution], **slots: int) -> list[int]:
    return [len(together) for together in packing.pack(executions, slots)]


def test_what_free_slots_can_begin_with_is_not_packed() -> None:
    assert sizes(crowd(6), io=2) == [1] * 6
    assert sizes(crowd(6)) == [1] * 6


def test_a_crowd_is_dealt_out_to_a_few_messages_for_each_slot() -> None:
    assert sizes(crowd(60), io=2) == [10] * 6
    assert sizes(crowd(1000), io=2) == [packing.MOST] * 20


def test_a_fleet_of_which_no_worker_is_known_gets_single_messages() -> None:
    assert sizes(crowd(60), compute=2) == [1] * 60


def test_lanes_do_not_mix_and_each_keeps_its_order() -> None:
    urgent, others = crowd(20, lane=0), crowd(20, lane=2)
    mixed = [row for pair in zip(urgent, others, strict=True) for row in pair]

    messages = list(packing.pack(mixed, {"io": 1}))

    assert [row for message in messages for row in message if row.lane == 0] == urgent
    assert all(len({row.lane for row in message}) == 1 for message in messages)


def test_messages_that_were_stamped_at_different_times_do_not_mix() -> None:
    old, new = crowd(9, publish_at=NOON), crowd(9, publish_at=NOON + timedelta(seconds=1))

    messages = list(packing.pack([*old, *new], {"io": 1}))

    assert all(len({row.publish_at for row in message}) == 1 for message in messages)


def test_what_must_not_start_twice_or_has_lost_a_worker_is_alone() -> None:
    once = crowd(3, JobFactory.create(version__on_lost="fail"))
    shy = crowd(3, losses=1)

    assert sizes([*once, *shy, *crowd(30)], io=1) == [1] * 6 + [10] * 3
