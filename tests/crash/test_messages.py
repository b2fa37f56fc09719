"""Messages that come twice, late, in the wrong order, or from somebody who should not send any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from celery import current_app
from django.conf import settings

from executions import bell, dispatch
from executions.models import Status
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

QUEUE = "default.io"
FORGED: list[list[Any]] = [
    [],
    [None],
    ["not an id"],
    [12],
    [{"id": "x"}],
    ["' OR 1=1 --"],
    ["x" * 100_000],
    [str(uuid4()), "one too many"],
]
GARBAGE = [b"", b"{}", b"not json", b"[1, 2", b'{"body": 1}', b"\xff\xfe\x00", b"null", b"[]"]


def test_messages_doubled_late_and_reordered(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("messages doubled, late and reordered") as trial:
        late = trial.http(trial.size)
        done = trial.executions.filter(pk__in=late, status=Status.SUCCEEDED)
        eventually(lambda: done.count() == len(late), within=60 + trial.size)

        with trial.fault():
            ids = trial.http(trial.size, path="/work?seconds=0.05", over=2)
            for _ in range(3):
                send(reversed(ids))
            send(late)
            send(trial.random.sample(late, len(late)))
        trial.bites("5 messages for an execution", _all_consumed)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert len(trial.starts()) == 2 * trial.size


def test_messages_for_executions_that_are_not_due(ground: Ground) -> None:
    """Who can write to Redis can wake workers, not decide what is due."""
    ground.staff(beats=1, io=2)
    with ground.trial("messages ahead of their time") as trial:
        ids = trial.http(trial.size, over=4)

        with trial.fault():
            send(ids)
        trial.bites("all messages consumed", _all_consumed)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    early = [
        one for one in trial.executions.all() if one.started_at and one.started_at < one.due_at
    ]
    assert not early


def test_messages_forged(ground: Ground) -> None:
    ground.staff(beats=1, io=1)
    with ground.trial("messages forged") as trial:
        with trial.fault():
            send(uuid4() for _ in range(20))
            for args in FORGED:
                _publish("executions.run", args)
            _publish("os.system", ["true"])
            _publish("executions.run", [str(uuid4())], countdown=3600)
        trial.bites("forged messages consumed", _all_consumed)
        trial.http(trial.size)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert ground.io[0].alive


def test_bytes_that_are_no_messages(ground: Ground) -> None:
    ground.staff(beats=1, io=1)
    key = f"{_key_prefix()}{QUEUE}"
    with ground.trial("bytes in the broker that are no messages") as trial:
        with trial.fault():
            for garbage in GARBAGE:
                bell.client().lpush(key, garbage)
        try:
            trial.bites("garbage consumed", _all_consumed, within=10)
        finally:
            bell.client().delete(key)  # not for the workers of the tests that follow
        trial.http(trial.size)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert ground.io[0].alive


def send(ids: Iterable[UUID]) -> None:
    """Wake a worker for each of ``ids`` as the dispatcher does."""
    for one in ids:
        _publish(dispatch.RUN_TASK, [str(one)])


def _publish(task: str, args: list[Any], **options: Any) -> None:
    current_app.send_task(
        task,
        args=args,
        queue=dispatch.celery_queue("default", "io"),
        ignore_result=True,
        retry=False,
        **options,
    )


def _all_consumed() -> bool:
    client = bell.client()
    return not any(client.llen(key) for key in client.keys(f"{_key_prefix()}{QUEUE}*"))


def _key_prefix() -> str:
    prefix: str = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    return prefix
