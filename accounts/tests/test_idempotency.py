"""One key, one effect: what is kept, for whom, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection, transaction

from accounts import idempotency, kept_answers
from accounts.idempotency import Call, KeyReusedError, StillRunningError
from accounts.kept_answers import KEPT_FOR
from accounts.models import KeptAnswer
from tests.factories import NOON

pytestmark = pytest.mark.django_db

T = TypeVar("T")
CALL = Call(actor="user 1", route="/api/v1/jobs", key="k", asked='[[], {"password": "hunter2"}]')


def elsewhere(do: Callable[[], T]) -> T:
    """Do something on another connection, and commit it."""

    def committed() -> T:
        try:
            with transaction.atomic():
                return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(committed).result()


def test_a_new_key_has_no_answer_and_a_kept_one_is_given_back() -> None:
    assert idempotency.begin(CALL, NOON) is None

    idempotency.keep(CALL, '{"é": 1}', NOON)

    assert idempotency.begin(CALL, NOON) == '{"é": 1}'


@pytest.mark.parametrize(
    "other",
    [
        replace(CALL, actor="user 2"),
        replace(CALL, route="/api/v1/jobs/x/execute"),
        replace(CALL, key="K"),
    ],
)
def test_another_actor_route_or_key_is_another_call(other: Call) -> None:
    idempotency.keep(CALL, "{}", NOON)

    assert idempotency.begin(other, NOON) is None


def test_parts_of_a_call_cannot_be_shifted_into_each_other() -> None:
    idempotency.keep(replace(CALL, actor="user 1", route="2/api"), "{}", NOON)

    assert idempotency.begin(replace(CALL, actor="user 12", route="/api"), NOON) is None


def test_a_key_is_good_for_one_request_only() -> None:
    idempotency.keep(CALL, "{}", NOON)

    with pytest.raises(KeyReusedError):
        idempotency.begin(replace(CALL, asked="[[], {}]"), NOON)


def test_after_a_day_the_key_is_new_again() -> None:
    idempotency.keep(CALL, "first", NOON)
    other = replace(CALL, asked="[[], {}]")
    later = NOON + KEPT_FOR

    assert idempotency.begin(CALL, later - timedelta(seconds=1)) == "first"
    assert idempotency.begin(other, later) is None

    idempotency.keep(other, "second", later)
    assert idempotency.begin(other, later) == "second"


def test_the_table_tells_neither_what_was_asked_nor_what_was_answered() -> None:
    idempotency.keep(CALL, '{"access": "secret-token"}', NOON)

    with connection.cursor() as cursor:
        cursor.execute("SELECT kept::text, answer FROM accounts_keptanswer AS kept")
        text, answer = cursor.fetchone()
    for secret in (b"hunter2", b"secret-token"):
        assert secret not in text.encode()
        assert secret not in bytes(answer)


def test_an_answer_that_somebody_changed_is_not_given() -> None:
    idempotency.keep(CALL, "{}", NOON)
    row = KeptAnswer.objects.get()
    row.answer = bytes(row.answer)[:-1] + b"\x00"
    row.save()

    with pytest.raises(InvalidTag):
        idempotency.begin(CALL, NOON)


@pytest.mark.django_db(transaction=True)
def test_while_the_first_call_runs_the_second_is_told_so() -> None:
    with transaction.atomic():
        idempotency.begin(CALL, NOON)

        with pytest.raises(StillRunningError):
            elsewhere(lambda: idempotency.begin(CALL, NOON))
        assert elsewhere(lambda: idempotency.begin(replace(CALL, key="other"), NOON)) is None


@pytest.mark.django_db(transaction=True)
def test_a_call_whose_connection_dies_leaves_nothing_behind() -> None:
    with transaction.atomic():
        idempotency.begin(CALL, NOON)
        idempotency.keep(CALL, "{}", NOON)
        pid = connection.connection.info.backend_pid
        elsewhere(lambda: connection.cursor().execute("SELECT pg_terminate_backend(%s)", [pid]))
        transaction.set_rollback(True)

    with transaction.atomic():
        assert idempotency.begin(CALL, NOON) is None


def test_prune_deletes_what_is_kept_no_longer_in_batches_the_oldest_first() -> None:
    for number in range(4):
        call = replace(CALL, key=str(number))
        idempotency.keep(call, "{}", NOON + timedelta(minutes=number))
    now = NOON + KEPT_FOR + timedelta(minutes=2)

    assert kept_answers.prune(now, limit=2) == 2
    assert kept_answers.prune(now, limit=2) == 1
    assert kept_answers.prune(now, limit=2) == 0
    assert KeptAnswer.objects.get().pk == replace(CALL, key="3").name
