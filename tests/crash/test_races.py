"""Cancel, pause, edit and archive while workers claim and settle: whoever is told yes was right."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from django.db import connection
from rest_framework.test import APIClient

from executions import clock
from executions.models import Execution, Status

if TYPE_CHECKING:
    from accounts.models import User
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

API = "/api/v1"
Act: TypeAlias = Callable[[APIClient, str], Any]
"""One request of a client to a path."""

HANDS = 4  # threads that act at once
SECONDS = 6.0  # that edits, pauses and manual starts race with the workers


def test_cancel_races_with_claim_and_settle(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("cancel races with claim and settle") as trial:
        ids = trial.http(trial.size * 2, path="/work?seconds=0.1", over=4)
        trial.may_fail(ids)
        trial.await_starts(2)

        with trial.fault(), ThreadPoolExecutor(HANDS) as hands:
            shuffled = trial.random.sample(ids, len(ids))
            paths = [f"{API}/executions/{one}" for one in shuffled]
            answers = list(hands.map(lambda path: _once(ground.owner, _cancel, path), paths))
        told = [(one, answer.status_code) for one, answer in zip(shuffled, answers, strict=True)]
        yes = {one for one, status in told if status in {200, 202}}
        no = {one for one, status in told if status == 409}
        trial.bites("cancellations won and lost", lambda: yes and no)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert yes | no == set(ids)
    rows = Execution.objects.filter(pk__in=ids)
    assert {row.pk for row in rows if row.status == Status.CANCELLED} == yes
    assert {row.pk for row in rows if row.status == Status.SUCCEEDED} == no


def test_pause_edit_and_archive_race_with_claim_and_settle(ground: Ground) -> None:
    ground.staff(beats=2, io=2)
    with ground.trial("pause, edit and archive race with claim and settle") as trial:
        path = f"{API}/jobs/{trial.slots(number=0).job_id}"
        turns = [_edit, _pause, _resume, _execute, _execute]
        done = threading.Event()

        with trial.fault(), ThreadPoolExecutor(len(turns)) as hands:
            racing = [hands.submit(_repeat, ground.owner, done, turn, path) for turn in turns]
            done.wait(SECONDS)  # the length of the race
            done.set()
        edits, pauses, resumes, *starts = [one.result() for one in racing]
        archived = _once(ground.owner, _archive, path)
        archived_at = clock.read()
        answers = [answer for one in starts for answer in one]
        trial.promise(one.json()["id"] for one in answers if one.status_code == 202)
        told = {one.status_code for one in answers}
        trial.bites("starts accepted and refused", lambda: told == {202, 409})
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert archived.status_code in {200, 204}
    assert {one.status_code for one in [*edits, *pauses, *resumes]} <= {200, 409}
    assert not trial.executions.filter(created_at__gt=archived_at).exists()


def _edit(client: APIClient, job: str) -> Any:
    return client.patch(job, {"name": f"Edited at {clock.now():%S.%f}"})


def _pause(client: APIClient, job: str) -> Any:
    return client.post(f"{job}/pause", {})


def _resume(client: APIClient, job: str) -> Any:
    return client.post(f"{job}/resume", {})


def _execute(client: APIClient, job: str) -> Any:
    return client.post(f"{job}/execute", {})


def _archive(client: APIClient, job: str) -> Any:
    return client.delete(job)


def _cancel(client: APIClient, execution: str) -> Any:
    return client.post(f"{execution}/cancel")


def _once(user: User, act: Act, path: str) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    try:
        return act(client, path)
    finally:
        _leave_the_database()


def _repeat(user: User, done: threading.Event, act: Act, path: str) -> list[Any]:
    """Act until ``done``; a short breath between turns leaves something to the workers."""
    client = APIClient()
    client.force_authenticate(user)
    answers = []
    try:
        while not done.wait(0.02):
            answers.append(act(client, path))
    finally:
        _leave_the_database()
    return answers


def _leave_the_database() -> None:
    """A thread's connection would outlive it, and the database of the test with it."""
    if threading.current_thread() is not threading.main_thread():
        connection.close()
