"""One key, one execution (P17): whoever repeats a start gets the execution of the first one."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts.idempotent import IdempotentPosts
from accounts.models import KeptAnswer, Membership
from accounts.roles import Role
from executions.models import Execution, ExecutionEvent
from executions.tests.callers import API, Caller, caller

MANY = 50


def start(ann: Caller, path: str, body: Any = None, *, key: str = "k") -> Any:
    client = APIClient()  # is not shared between threads
    client.force_authenticate(ann.user)
    return client.post(path, body, HTTP_IDEMPOTENCY_KEY=key)


@pytest.mark.django_db(transaction=True)
def test_fifty_parallel_and_fifty_later_calls_make_one_execution() -> None:
    ann = caller()
    path = f"{API}/jobs/{ann.job().pk}/execute"
    barrier = Barrier(MANY)

    def call(_: int) -> Any:
        barrier.wait()
        try:
            return start(ann, path, {"reason": "once"})
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as pool:
        parallel = list(pool.map(call, range(MANY)))
    later = [start(ann, path, {"reason": "once"}) for _ in range(MANY)]

    execution = Execution.objects.get()
    assert ExecutionEvent.objects.count() == 1
    statuses = Counter(answer.status_code for answer in parallel)
    assert set(statuses) <= {202, 409}
    accepted = [answer for answer in parallel if answer.status_code == 202] + later
    assert {answer.json()["id"] for answer in accepted} == {str(execution.pk)}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in accepted) == 1
    for answer in parallel:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_key_running"
            assert answer.headers["Retry-After"] == "1"


@pytest.mark.django_db(transaction=True)
def test_a_start_with_a_key_is_queued_at_once_as_any_other() -> None:
    ann = caller()

    answer = start(ann, f"{API}/jobs/{ann.job().pk}/execute")

    assert answer.status_code == 202
    assert Execution.objects.get().status == "queued"


@pytest.mark.django_db
def test_the_key_of_one_job_starts_another_one_as_well() -> None:
    ann = caller()

    for job in (ann.job(), ann.job()):
        assert start(ann, f"{API}/jobs/{job.pk}/execute").status_code == 202

    assert Execution.objects.count() == 2


@pytest.mark.django_db
def test_two_people_may_use_the_same_key() -> None:
    ann, bob = caller(), caller()
    job = ann.job()

    start(ann, f"{API}/jobs/{job.pk}/execute")

    assert start(bob, f"{API}/jobs/{job.pk}/execute").status_code == 404


@pytest.mark.django_db
def test_what_was_refused_may_be_mended_and_sent_with_the_same_key() -> None:
    ann = caller()
    path = f"{API}/jobs/{ann.job().pk}/execute"

    assert start(ann, path, {"priority": "urgent"}).status_code == 400
    assert start(ann, path, {"priority": "high"}).status_code == 202


@pytest.mark.django_db
def test_a_job_that_is_made_twice_is_there_once() -> None:
    ann = caller()
    first, second = (start(ann, f"{API}/jobs", {"name": "Report"}) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.json() == first.json()
    assert start(ann, f"{API}/jobs", {"name": "Other"}).status_code == 422


@pytest.mark.django_db
def test_whoever_lost_the_right_loses_the_kept_answer() -> None:
    ann = caller()
    path = f"{API}/jobs/{ann.job().pk}/execute"
    start(ann, path)

    Membership.objects.filter(user=ann.user).update(role=Role.VIEWER)

    assert start(ann, path).status_code == 403
    assert KeptAnswer.objects.count() == 1


def views(patterns: Any, path: str = "") -> Any:
    """Every view of the API that takes a POST, with its path."""
    for one in patterns:
        here = path + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from views(one.url_patterns, here)
        elif isinstance(one, URLPattern) and "api/v1" in here:
            view = getattr(one.callback, "cls", None)
            actions = getattr(one.callback, "actions", None)
            if view and ("post" in actions if actions else hasattr(view, "post")):
                yield here, view


def test_every_post_of_the_api_takes_a_key() -> None:
    found = dict(views(get_resolver().url_patterns))

    assert len(found) > 10
    assert [path for path, view in found.items() if not issubclass(view, IdempotentPosts)] == []
