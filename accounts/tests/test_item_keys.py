"""Keys of the items of a request: the same key, the same effect, whoever repeats it and when."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import item_keys, kept_answers
from accounts.idempotency import StillRunningError
from accounts.item_keys import Item
from accounts.kept_answers import KEPT_FOR
from accounts.models import KeptAnswer
from lib.ids import new_id
from tests.factories import NOON

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


def item(key: str, asked: str = "{}") -> Item:
    return Item(key=key, asked=asked, effect=new_id())


def take(*items: Item, scope: str = "ann", now: Any = NOON) -> list[Any]:
    return item_keys.take(scope, items, now)


def elsewhere(do: Callable[[], Any]) -> Any:
    def alone() -> Any:
        try:
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone).result()


def test_a_new_key_gets_its_own_effect_and_an_old_one_the_first() -> None:
    first, other, again = item("a"), item("b"), item("a")

    assert take(first, other) == [first.effect, other.effect]
    assert take(again, now=LATER) == [first.effect]


def test_a_key_that_stands_for_something_else_has_no_effect() -> None:
    first = item("a", "{1}")

    assert take(first) == [first.effect]
    assert take(item("a", "{2}"), item("b", "x"))[0] is None


def test_within_one_request_a_key_stands_for_one_thing_as_well() -> None:
    first, same, other = item("a"), item("a"), item("a", "else")

    assert take(first, same, other) == [first.effect, first.effect, None]


def test_keys_of_others_are_others() -> None:
    mine, theirs = item("a"), item("a")

    assert take(mine, scope="ann") + take(theirs, scope="bob") == [mine.effect, theirs.effect]


def test_after_a_day_the_key_is_new_again() -> None:
    first, second, third = item("a"), item("a", "else"), item("a", "else")
    take(first)

    assert take(item("a"), now=NOON + KEPT_FOR - timedelta(seconds=1)) == [first.effect]
    assert take(second, now=NOON + KEPT_FOR) == [second.effect]
    assert take(third, now=NOON + KEPT_FOR) == [second.effect]


def test_they_are_pruned_with_the_kept_answers() -> None:
    take(item("a"), item("b"))

    assert kept_answers.prune(NOON + KEPT_FOR) == 2


def test_the_table_tells_neither_key_nor_what_was_asked() -> None:
    take(item("hunter2", "hunter2"))

    row = KeptAnswer.objects.get()
    assert "hunter2" not in row.pk + row.request


@pytest.mark.django_db(transaction=True)
def test_while_the_first_runs_the_second_is_told_so_in_the_end() -> None:
    with transaction.atomic():
        take(item("a"))

        def impatient() -> Any:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
                return take(item("a"))

        with pytest.raises(StillRunningError):
            elsewhere(impatient)


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_has_not_been() -> None:
    with transaction.atomic():
        take(item("a"))
        transaction.set_rollback(True)
    again = item("a", "else")

    assert take(again) == [again.effect]
