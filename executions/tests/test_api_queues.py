"""Queues over the API: everybody reads, operators of the platform change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.roles import Role
from executions import clock
from executions.models import Queue, Status, Worker
from executions.tests.callers import API, Caller, caller
from executions.tests.crowds import crowd
from tests.factories import QueueFactory

pytestmark = pytest.mark.django_db

QUEUES = f"{API}/queues"
MAIL = f"{QUEUES}/mail"


def operator(*rights: str) -> Caller:
    """Somebody with Django's ``rights`` on queues."""
    ann = caller()
    ann.user.is_staff = True
    ann.user.save()
    ann.user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return ann


@pytest.fixture
def boss() -> Caller:
    return operator("add_queue", "change_queue")


def test_the_list_says_how_full_each_queue_is() -> None:
    ann, now = caller(), clock.now()
    QueueFactory.create(name="mail", concurrency=9)
    job = ann.job(kind="noop")
    since = now - timedelta(seconds=90)
    crowd(job, 3, queue="mail", due_at=since)
    crowd(job, 2, queue="mail", due_at=now + timedelta(hours=1))
    crowd(job, 4, queue="mail", due_at=now, status=Status.QUEUED)
    crowd(job, 1, queue="mail", due_at=now, status=Status.RUNNING)
    Worker.objects.create(
        name="w",
        pid=1,
        version="1",
        fleet="io",
        slots=4,
        queues=["default.io", "mail.io"],
        started_at=now,
        heartbeat_at=now,
    )

    told = ann.client.get(QUEUES).json()["results"]
    mail = next(queue for queue in told if queue["name"] == "mail")

    assert (mail["depth"], mail["queued"], mail["running"], mail["in_flight"]) == (7, 4, 1, 5)
    assert (mail["status"], mail["concurrency"], mail["window"], mail["workers"]) == (
        "active",
        9,
        None,
        1,
    )
    assert 90 <= mail["oldest_age_seconds"] < 120
    assert not mail["depth_capped"]
    assert mail == ann.client.get(MAIL).json() | {"oldest_age_seconds": mail["oldest_age_seconds"]}


def test_the_number_of_queries_does_not_grow_with_the_queues() -> None:
    ann = caller()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ann.client.get(QUEUES).status_code == 200
        return len(captured)

    few = queries()
    for name in "abcdef":
        QueueFactory.create(name=name)

    assert queries() == few


def test_a_queue_is_made_and_changed(boss: Caller) -> None:
    made = boss.client.post(QUEUES, {"name": "mail", "concurrency": 5, "description": "Letters"})
    changed = boss.client.patch(MAIL, {"concurrency": None, "window": 40})

    assert (made.status_code, made.json()["concurrency"]) == (201, 5)
    assert made.headers["Location"].endswith(MAIL)
    assert changed.status_code == 200
    queue = Queue.objects.get(pk="mail")
    assert (queue.concurrency, queue.window, queue.description) == (None, 40, "Letters")


def test_a_name_is_given_once(boss: Caller) -> None:
    QueueFactory.create(name="mail")

    answer = boss.client.post(QUEUES, {"name": "mail"})

    assert (answer.status_code, answer.json()["code"]) == (409, "queue_taken")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"concurrency": 0}, "/concurrency", "min_value"),
        ({"window": 0}, "/window", "min_value"),
        ({"window": -1}, "/window", "min_value"),
        ({"window": "5"}, "/window", "invalid"),
        ({"window": True}, "/window", "invalid"),
        ({"concurrency": 10**9}, "/concurrency", "max_value"),
        ({"concurency": 5}, "/concurency", "unknown_field"),
        ({"name": "post"}, "/name", "unknown_field"),
        ({"description": "a\nb"}, "/description", "control_characters"),
    ],
)
def test_what_makes_no_sense_is_refused(
    boss: Caller, body: dict[str, Any], pointer: str, code: str
) -> None:
    QueueFactory.create(name="mail")

    answer = boss.client.patch(MAIL, body)

    assert answer.status_code == 400
    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert errors == [(pointer, code)]


@pytest.mark.parametrize("name", ["Mail", "a b", "", "a/b", "x" * 65, "-a", None, 7])
def test_a_name_must_fit_into_addresses(boss: Caller, name: Any) -> None:
    answer = boss.client.post(QUEUES, {"name": name})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/name"


def test_a_queue_is_paused_until_an_instant_and_resumed(boss: Caller) -> None:
    QueueFactory.create(name="mail")
    until = (clock.now() + timedelta(hours=1)).replace(microsecond=0)

    paused = boss.client.post(
        f"{MAIL}/pause", {"reason": "provider is down", "until": until.isoformat()}
    ).json()
    again = boss.client.post(f"{MAIL}/pause", {"reason": "provider is down"}).json()
    resumed = boss.client.post(f"{MAIL}/resume").json()

    assert (paused["status"], paused["paused_by"]) == ("paused", str(boss.user))
    assert paused["paused_until"] == until.isoformat().replace("+00:00", "Z")
    assert (again["paused_at"], again["paused_until"]) == (paused["paused_at"], None)
    assert (resumed["status"], resumed["paused_at"], resumed["paused_reason"]) == (
        "active",
        None,
        "",
    )
    assert boss.client.post(f"{MAIL}/resume").status_code == 200


def test_a_pause_ends_in_the_future(boss: Caller) -> None:
    QueueFactory.create(name="mail")

    answer = boss.client.post(f"{MAIL}/pause", {"until": "2001-01-01T00:00:00Z"})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/until"


@pytest.mark.parametrize("role", list(Role))
def test_whoever_is_signed_in_reads_and_changes_nothing(role: Role) -> None:
    QueueFactory.create(name="mail")
    ann = caller(role)

    assert ann.client.get(QUEUES).status_code == ann.client.get(MAIL).status_code == 200
    refused = [
        ann.client.post(QUEUES, {"name": "post"}),
        ann.client.patch(MAIL, {"window": 1}),
        ann.client.post(f"{MAIL}/pause"),
        ann.client.post(f"{MAIL}/resume"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert {answer.json()["code"] for answer in refused} == {"permission_denied"}


def test_staff_may_do_what_their_rights_say() -> None:
    QueueFactory.create(name="mail")
    changer = operator("change_queue")

    assert changer.client.patch(MAIL, {"window": 1}).status_code == 200
    assert changer.client.post(QUEUES, {"name": "post"}).status_code == 403


def test_a_stranger_is_asked_who_they_are() -> None:
    assert APIClient().get(QUEUES).status_code == 401
    assert APIClient().post(QUEUES, {"name": "post"}).status_code == 401


def test_a_queue_that_is_not_there_is_a_404(boss: Caller) -> None:
    for answer in (boss.client.get(MAIL), boss.client.post(f"{MAIL}/pause")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_page_for_people_shows_a_queue() -> None:
    QueueFactory.create()
    answer = caller().client.get(f"{QUEUES}/default", headers={"Accept": "text/html"})

    assert answer.status_code == 200
