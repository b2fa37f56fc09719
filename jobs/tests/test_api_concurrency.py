"""Requests that meet: one wins, the others are told so, and nothing is lost or doubled."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job, JobVersion, Schedule
from jobs.tests.calls import JOBS, at_once, client_of
from tests.factories import JobFactory, ScheduleFactory

if TYPE_CHECKING:
    from accounts.models import Team, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("rings")]

THREADS = 8


def together(user: User, requests: list[tuple[str, str, Any]]) -> list[Any]:
    """Send all requests at once, each from a thread of its own; return the answers in order."""

    def send(n: int) -> Any:
        method, path, body = requests[n]
        return getattr(client_of(user), method)(path, body)

    return at_once(min(THREADS, len(requests)), send, calls=len(requests))


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def test_twenty_creates_of_one_name_make_twenty_jobs(user: User) -> None:
    answers = together(user, [("post", JOBS, {"name": "Report"})] * 20)
    assert statuses(answers) == {201: 20}
    slugs = {answer.json()["slug"] for answer in answers}
    assert slugs == {"report", *(f"report-{n}" for n in range(2, 21))}


def test_of_twenty_creates_with_one_slug_one_wins(user: User) -> None:
    answers = together(user, [("post", JOBS, {"name": "Report", "slug": "mine"})] * 20)
    assert statuses(answers) == {201: 1, 409: 19}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "slug_taken"
    }
    assert Job.objects.count() == JobVersion.objects.count() == Schedule.objects.count() == 1


def test_changes_at_once_lose_nothing(user: User, team: Team) -> None:
    job = JobFactory.create(team=team, version__payload={"seen": True})
    path = f"{JOBS}/{job.slug}"
    bodies: list[dict[str, Any]] = [{"payload": {f"key{n}": n}} for n in range(6)]
    bodies += [{"retry": {"max_attempts": 9}}, {"policy": {"timeout_seconds": 9}}]

    answers = together(user, [("patch", path, body) for body in bodies])

    assert statuses(answers) == {200: len(bodies)}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 10))
    now = client_of(user).get(path).json()
    assert now["payload"] == {"seen": True} | {f"key{n}": n for n in range(6)}
    assert (now["retry"]["max_attempts"], now["policy"]["timeout_seconds"]) == (9, 9)
    assert now["version"] == 9


def test_a_pause_and_a_change_at_once_both_hold(user: User, team: Team) -> None:
    schedule = ScheduleFactory.create(job__team=team)
    path = f"{JOBS}/{schedule.job.slug}"
    requests: list[tuple[str, str, Any]] = [
        ("patch", path, {"interval_seconds": 7}),
        ("post", f"{path}/pause", {"reason": "noisy"}),
        ("patch", path, {"name": "Other"}),
        ("post", f"{path}/pause", None),
    ]
    assert statuses(together(user, requests)) == {200: 4}
    now = client_of(user).get(path).json()
    assert (now["status"], now["name"], now["schedule"]["every_seconds"]) == ("paused", "Other", 7)
    schedule.refresh_from_db()
    assert not schedule.enabled


def test_pauses_and_resumes_at_once_leave_one_of_two_states(user: User, team: Team) -> None:
    schedule = ScheduleFactory.create(job__team=team)
    path = f"{JOBS}/{schedule.job.slug}"
    verbs = ["pause", "resume"] * 6
    answers = together(user, [("post", f"{path}/{verb}", None) for verb in verbs])
    assert statuses(answers) == {200: 12}
    schedule.refresh_from_db()
    assert schedule.enabled == (schedule.job.status == "active")


def test_a_delete_and_changes_at_once_end_archived(user: User, team: Team) -> None:
    schedule = ScheduleFactory.create(job__team=team)
    path = f"{JOBS}/{schedule.job.pk}"
    requests: list[tuple[str, str, Any]] = [
        *[("patch", path, {"description": f"{n}"}) for n in range(4)],
        ("delete", path, None),
        ("delete", path, None),
        ("post", f"{path}/pause", None),
    ]
    answers = together(user, requests)
    assert set(statuses(answers)) <= {200, 204, 409}
    assert statuses(answers)[204] == 2
    refusals = [answer.json() for answer in answers if answer.status_code == 409]
    assert {refusal["current_status"] for refusal in refusals} <= {"archived"}
    schedule.refresh_from_db()
    assert schedule.job.status == "archived"
    assert not schedule.enabled


def test_of_two_jobs_that_want_one_slug_back_one_gets_it(user: User, team: Team) -> None:
    twins = JobFactory.create_batch(4, team=team, slug="mine", archived_at="2027-06-15T11:00Z")
    paths = [f"{JOBS}/{twin.pk}/restore" for twin in twins]
    answers = together(user, [("post", path, None) for path in paths])
    assert statuses(answers) == {200: 1, 409: 3}
    assert Job.objects.kept().count() == 1
