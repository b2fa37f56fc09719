"""Retries and policies over the API: what is taken, what a change keeps, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job, JobVersion
from jobs.tests.calls import JOBS, change, create
from jobs.tests.refusals import faults, refused
from jobs.tests.spelled import CANONICAL

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

RULES: dict[str, Any] = {
    "max_attempts": 7,
    "strategy": "ladder",
    "delays_seconds": [0.5, 60, 3600],
    "jitter": "none",
    "retry_on": ["timeout", "503", "ConnectionError"],
    "give_up_on": ["4xx", "app.errors.Hopeless"],
}
BEHAVIOUR: dict[str, Any] = {
    **CANONICAL["policy"],
    "overlap": "cancel_previous",
    "misfire": "all",
    "concurrency": 2,
    "start_deadline_seconds": 90.5,
    "catch_up_max": 25,
    "catch_up_pace_seconds": 1.5,
}


def test_what_goes_without_saying_is_not_said(api: APIClient) -> None:
    silent = create(api)
    spoken = create(
        api,
        retry={"jitter": "full", "retry_on": [], "give_up_on": []},
        policy={"concurrency": None, "limit": None, "start_deadline_seconds": None,
                "catch_up_max": 10_000, "catch_up_pace_seconds": 0},
    )  # fmt: skip

    for job in (silent, spoken):
        assert (job["retry"], job["policy"]) == (CANONICAL["retry"], CANONICAL["policy"])


def test_whatever_is_said_comes_back_and_goes_in_again(api: APIClient) -> None:
    made = create(api, retry=RULES, policy=BEHAVIOUR)

    assert (made["retry"], made["policy"]) == (RULES, BEHAVIOUR)
    shown = api.get(f"{JOBS}/report").json()
    assert (shown["retry"], shown["policy"]) == (RULES, BEHAVIOUR)
    change(api, {"retry": shown["retry"], "policy": shown["policy"]})
    assert JobVersion.objects.count() == 1, "nothing was changed"


def test_a_change_keeps_what_it_does_not_name(api: APIClient) -> None:
    create(api, retry=RULES, policy=BEHAVIOUR)

    after = change(api, {"retry": {"max_attempts": 2}, "policy": {"concurrency": None}})

    assert after["retry"] == RULES | {"max_attempts": 2}
    assert after["policy"] == {
        name: value for name, value in BEHAVIOUR.items() if name != "concurrency"
    }


def test_a_replacement_forgets_what_it_does_not_name(api: APIClient) -> None:
    create(api, retry=RULES, policy=BEHAVIOUR)

    answer = api.put(f"{JOBS}/report", {"name": "Report"}).json()

    assert (answer["retry"], answer["policy"]) == (CANONICAL["retry"], CANONICAL["policy"])


def test_another_strategy_brings_its_own_delays(api: APIClient) -> None:
    create(api)

    ladder = change(api, {"retry": {"strategy": "ladder"}})["retry"]
    assert ladder == {"max_attempts": 3, "strategy": "ladder", "delays_seconds": [60, 300, 900]}

    linear = change(api, {"retry": {"strategy": "linear", "base_seconds": 5}})["retry"]
    assert linear == CANONICAL["retry"] | {"strategy": "linear", "base_seconds": 5}


def test_what_the_row_holds_is_what_the_engine_goes_by(api: APIClient) -> None:
    create(api, retry=RULES, policy=BEHAVIOUR)
    job = Job.objects.get()
    assert job.current

    policy = job.current.retry_policy
    assert [delay.total_seconds() for delay in policy.delays] == [0.5, 60, 3600]
    assert policy.covers(["bad_status", "503", "5xx"], retryable=False)
    assert not policy.covers(["bad_status", "404", "4xx"], retryable=True)
    assert (job.current.concurrency, job.current.start_deadline_seconds) == (2, 90.5)
    assert (job.schedule.catch_up_max, job.schedule.catch_up_pace_seconds) == (25, 1.5)
    assert job.schedule.overlap == "cancel_previous"


def test_a_status_may_be_a_number(api: APIClient) -> None:
    made = create(api, retry={"retry_on": [503, "5xx"]})

    assert made["retry"]["retry_on"] == ["503", "5xx"]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("timeot", "timeout"),
        ("Bad status", "bad_status"),
        ("TIMEOUT", "timeout"),
        ("5XX", "5xx"),
        ("unreachible", "unreachable"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest(
    api: APIClient, word: str, nearest: str
) -> None:
    answer = api.post(JOBS, {"name": "Report", "retry": {"give_up_on": ["raised", word]}})

    refused(answer, "/retry/give_up_on/1", "unknown_failure")
    assert nearest in answer.json()["errors"][0]["hint"]


@pytest.mark.parametrize(
    "word", ["200", "600", "99", "6xx", "50", "", "value_error", "a b", "x.y", ".ValueError", "Ä"]
)
def test_what_no_failure_is_called_is_refused(api: APIClient, word: str) -> None:
    code = "unknown_failure" if word else "blank"
    answer = api.post(JOBS, {"name": "Report", "retry": {"retry_on": [word]}})
    refused(answer, "/retry/retry_on/0", code)


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ({"strategy": "ladder", "base_seconds": 5, "max_seconds": 9},
         {"/retry/base_seconds": "retry.field_misplaced",
          "/retry/max_seconds": "retry.field_misplaced"}),
        ({"strategy": "fixed", "delays_seconds": [5]},
         {"/retry/delays_seconds": "retry.field_misplaced"}),
        ({"strategy": "ladder", "delays_seconds": []}, {"/retry/delays_seconds": "min_length"}),
        ({"strategy": "ladder", "delays_seconds": [1] * 21},
         {"/retry/delays_seconds": "max_length"}),
        ({"strategy": "ladder", "delays_seconds": [1, -1]},
         {"/retry/delays_seconds/1": "min_value"}),
        ({"strategy": "ladder", "delays_seconds": [604_801]},
         {"/retry/delays_seconds/0": "max_value"}),
        ({"strategy": "ladder", "delays_seconds": ["60"]}, {"/retry/delays_seconds/0": "invalid"}),
        ({"strategy": "ladder", "delays_seconds": 60}, {"/retry/delays_seconds": "not_a_list"}),
        ({"retry_on": ["timeout"], "give_up_on": ["timeout"]},
         {"/retry/retry_on": "retry.contradiction"}),
        ({"retry_on": ["503"], "give_up_on": ["5xx"]}, {"/retry/retry_on": "retry.contradiction"}),
        ({"retry_on": [True]}, {"/retry/retry_on/0": "invalid"}),
        ({"retry_on": [5.03]}, {"/retry/retry_on/0": "invalid"}),
        ({"retry_on": ["A" * 65]}, {"/retry/retry_on/0": "max_length"}),
    ],
)  # fmt: skip
def test_retries_without_sense_are_refused(
    api: APIClient, retry: dict[str, Any], expected: dict[str, str]
) -> None:
    assert faults(api.post(JOBS, {"name": "Report", "retry": retry})) == expected
    assert not Job.objects.exists()


def test_a_narrower_word_may_be_given_up_on(api: APIClient) -> None:
    create(api, retry={"retry_on": ["5xx", "raised"], "give_up_on": ["501", "ValueError"]})


def test_catching_up_without_the_policy_for_it_is_doubtful(api: APIClient) -> None:
    def doubts(policy: dict[str, Any]) -> list[str]:
        found = create(api, policy=policy)["warnings"]
        return [warning["code"] for warning in found if warning["code"] != "kind_missing"]

    assert doubts({"catch_up_max": 5}) == ["catch_up_unused"]
    assert doubts({"catch_up_max": 5, "misfire": "all"}) == []
