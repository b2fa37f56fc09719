"""django-celery-beat's rows are sent once a slot, with any number of beats."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from celery.exceptions import QueueNotFound
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)
from kombu.exceptions import OperationalError

from executions import broker, clock, periodic
from executions.models import PeriodicState
from executions.periodic_messages import Message
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def broker_was_not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)


def minutely(**fields: Any) -> PeriodicTask:
    """A row that ran at NOON for the last time: due a minute later."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=1, period="minutes")
    row: PeriodicTask = PeriodicTask.objects.create(
        **{"name": "tick", "task": "some.task", "interval": interval, "last_run_at": NOON} | fields
    )
    return row


class Broker:
    """Takes messages, or fails as long as it is away."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.fault: Exception | None = None
        self._lock = Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            if self.fault:
                raise self.fault
            self.sent.append(message)

    @property
    def slots(self) -> list[str]:
        return [one.options["headers"]["periodic_task_slot"][11:19] for one in self.sent]


def fire(taken: Broker, seconds: float = 0.0) -> int:
    return tick(taken.send, seconds)


def tick(send: Callable[[Message], object], seconds: float) -> int:
    """Look for edited and for due rows ``seconds`` after NOON."""
    now = NOON + seconds * SECOND
    periodic.reconcile(now)
    return periodic.fire_periodic(now, send=send)


def test_a_due_row_is_sent_with_all_that_it_says_and_remembers_it() -> None:
    row = minutely(
        args='["a"]',
        kwargs='{"b": 1}',
        headers='{"h": 2}',
        queue="q",
        exchange="e",
        routing_key="r",
        priority=3,
        expire_seconds=50,
    )
    taken = Broker()

    assert fire(taken, 60) == 1

    message = taken.sent[0]
    assert (message.task, message.args, message.kwargs) == ("some.task", ["a"], {"b": 1})
    assert message.options == {
        "queue": "q",
        "exchange": "e",
        "routing_key": "r",
        "priority": 3,
        "task_id": message.options["task_id"],
        "expires": NOON + 110 * SECOND,
        "headers": {
            "h": 2,
            "celery_beat_task": True,
            "periodic_task_name": "tick",
            "periodic_task_slot": "2027-06-15T12:01:00+00:00",
        },
    }
    row.refresh_from_db()
    assert (row.total_run_count, row.last_run_at) == (1, NOON + 60 * SECOND)


def test_a_row_is_not_sent_before_its_slot_nor_twice_for_it() -> None:
    minutely()
    taken = Broker()

    assert [fire(taken, seconds) for seconds in (0, 59, 60, 61, 119)] == [0, 0, 1, 0, 0]


def test_slots_keep_their_phase_however_late_a_beat_looks() -> None:
    minutely()
    taken = Broker()

    for seconds in (75, 130, 199, 245):
        fire(taken, seconds)

    assert taken.slots == ["12:01:00", "12:02:00", "12:03:00", "12:04:00"]


def test_several_slots_that_are_a_little_late_are_all_sent() -> None:
    row = minutely(interval=IntervalSchedule.objects.create(every=10, period="seconds"))
    taken = Broker()

    assert fire(taken, 45) == 4
    assert len({message.options["task_id"] for message in taken.sent}) == 4
    row.refresh_from_db()
    assert row.total_run_count == 4


def test_of_what_was_missed_one_slot_is_sent() -> None:
    minutely()
    taken = Broker()

    fire(taken, 86_400)
    fire(taken, 86_460)

    assert taken.slots == ["12:01:00", "12:01:00"]  # of this day and of the next one


def test_a_broker_that_is_away_costs_no_slot() -> None:
    minutely()
    minutely(name="tock")
    taken = Broker()
    taken.fault = OperationalError("away")

    assert fire(taken, 60) == 0
    assert fire(taken, 61) == 0
    taken.fault = None
    assert fire(taken, 100) == 2

    assert taken.slots == ["12:01:00", "12:01:00"]
    assert set(PeriodicTask.objects.values_list("total_run_count", flat=True)) == {1}


def test_a_slot_that_is_sent_again_has_the_same_task_id() -> None:
    """As when a beat dies between sending and its commit."""
    minutely()
    taken = Broker()

    def send_and_die(message: Message) -> None:
        taken.send(message)
        raise OperationalError("the answer was lost")

    tick(send_and_die, 60)
    fire(taken, 63)

    first, second = taken.sent
    assert first == second


def test_what_nobody_would_want_any_more_is_not_sent() -> None:
    row = minutely(expire_seconds=5)
    taken = Broker()
    taken.fault = OperationalError("away")
    fire(taken, 60)
    taken.fault = None

    fire(taken, 70)
    assert taken.slots == []
    fire(taken, 122)
    assert taken.slots == ["12:02:00"]
    row.refresh_from_db()
    assert row.enabled


def test_a_disabled_row_is_left_alone_and_begins_anew_when_it_is_enabled() -> None:
    row = minutely()
    taken = Broker()
    fire(taken, 0)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)
    assert fire(taken, 300) == 0

    PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)

    assert fire(taken, 330) == 0
    assert fire(taken, 390) == 1
    assert taken.slots == ["12:06:30"]


def test_an_edit_is_noticed_by_whatever_means_and_counts_from_then_on() -> None:
    row = minutely()
    taken = Broker()
    fire(taken, 0)

    IntervalSchedule.objects.filter(pk=row.interval_id).update(every=5)

    assert fire(taken, 30) == 0
    assert fire(taken, 300) == 0
    assert fire(taken, 330) == 1


def test_an_edit_of_other_columns_moves_no_slot() -> None:
    row = minutely()
    taken = Broker()
    fire(taken, 0)

    row.description, row.queue, row.priority = "text", "q", 1
    row.save()

    assert fire(taken, 60) == 1


def test_a_row_past_its_end_is_switched_off() -> None:
    row = minutely(expires=NOON + 90 * SECOND)
    taken = Broker()

    assert fire(taken, 60) == 1
    assert fire(taken, 120) == 0

    row.refresh_from_db()
    assert not row.enabled
    assert taken.sent[0].options["expires"] == NOON + 90 * SECOND


def test_a_row_for_one_run_runs_once_and_again_when_it_is_switched_on_again() -> None:
    row = minutely(one_off=True)
    taken = Broker()

    fire(taken, 60)
    fire(taken, 120)
    row.refresh_from_db()
    assert (row.enabled, len(taken.sent)) == (False, 1)

    PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)
    fire(taken, 130)
    fire(taken, 190)
    fire(taken, 250)
    assert len(taken.sent) == 2


def test_a_row_for_one_run_that_ran_under_another_scheduler_is_done() -> None:
    row = minutely(one_off=True, total_run_count=1)
    taken = Broker()

    assert fire(taken, 60) == 0

    row.refresh_from_db()
    assert (row.enabled, row.total_run_count) == (False, 0)


def test_a_clocked_row_runs_once_also_when_its_time_is_over() -> None:
    clocked = ClockedSchedule.objects.create(clocked_time=NOON - timedelta(days=1))
    minutely(interval=None, clocked=clocked, one_off=True, last_run_at=None)
    taken = Broker()

    assert [fire(taken, 1), fire(taken, 2)] == [1, 0]


def test_a_new_crontab_begins_with_its_next_instant() -> None:
    crontab = CrontabSchedule.objects.create(minute="*/10")
    minutely(interval=None, crontab=crontab)
    taken = Broker()

    for seconds in (0, 599, 600, 1200):
        fire(taken, seconds)

    assert taken.slots == ["12:10:00", "12:20:00"]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"interval": None}, "SlotError: The row has no schedule."),
        ({"args": "{}"}, "ValueError: args: a JSON list is needed."),
        ({"kwargs": "nonsense"}, "JSONDecodeError: "),
        ({"headers": "[]"}, "ValueError: headers: a JSON dict is needed."),
    ],
)
def test_a_row_that_cannot_be_read_is_switched_off_and_stops_nobody(
    broken: dict[str, Any], reason: str
) -> None:
    row = minutely(name="broken")
    minutely()
    PeriodicTask.objects.filter(pk=row.pk).update(**broken)
    taken = Broker()

    assert fire(taken, 60) == 1

    row.refresh_from_db()
    assert not row.enabled
    assert PeriodicState.objects.get(row=row).reason.startswith(reason)


def test_a_row_that_cannot_be_sent_is_switched_off_until_it_is_mended() -> None:
    row = minutely(name="broken", last_run_at=NOON - SECOND)
    minutely()
    taken = Broker()

    def send(message: Message) -> None:
        if message.options["headers"]["periodic_task_name"] == "broken":
            raise QueueNotFound("q")
        taken.send(message)

    assert tick(send, 60) == 1
    assert fire(taken, 61) == 0
    state = PeriodicState.objects.get(row=row)
    assert (state.reason, state.next_slot) == ("QueueNotFound: 'q'", None)

    PeriodicTask.objects.filter(pk=row.pk).update(enabled=True)
    assert [fire(taken, 70), fire(taken, 130)] == [0, 2]
    state.refresh_from_db()
    assert state.reason == ""


def test_a_row_that_is_deleted_is_forgotten() -> None:
    row = minutely()
    fire(Broker(), 0)

    row.delete()

    assert fire(Broker(), 60) == 0
    assert not PeriodicState.objects.exists()


def test_one_pass_sends_so_many_slots_of_one_row_and_no_more() -> None:
    minutely(interval=IntervalSchedule.objects.create(every=1, period="microseconds"))
    taken = Broker()

    assert fire(taken, 1) == periodic.MOST_SLOTS


def test_one_pass_adopts_so_many_rows_and_no_more() -> None:
    for number in range(5):
        minutely(name=f"row {number}")

    assert [periodic.reconcile(NOON, limit=3) for _ in range(3)] == [3, 2, 0]


def test_rows_are_read_only_after_a_change() -> None:
    minutely(name="first")
    adoption = periodic.Adoption()
    adoption.advance(NOON)
    adoption.advance(NOON)

    with CaptureQueriesContext(connection) as idle:
        adoption.advance(NOON)
    minutely(name="second")
    adoption.advance(NOON)

    assert len(idle) == 1
    assert PeriodicState.objects.count() == 2


def test_rows_that_were_written_with_sql_are_found_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = minutely()
    adoption = periodic.Adoption()
    adoption.advance(NOON)
    adoption.advance(NOON)
    PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)
    ticks = clock.ticks() + adoption.LOOK_SECONDS

    monkeypatch.setattr(clock, "ticks", lambda: ticks)
    adoption.advance(NOON)

    assert PeriodicState.objects.get(row=row).next_slot is None


@pytest.mark.django_db(transaction=True)
def test_of_many_beats_one_sends_each_slot() -> None:
    for number in range(5):
        minutely(name=str(number))
    taken = Broker()
    barrier = Barrier(6)

    def beat(_: int) -> int:
        barrier.wait()
        try:
            return sum(fire(taken, seconds) for seconds in (60, 61, 120, 125))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(beat, range(6))) == 10

    assert len({message.options["task_id"] for message in taken.sent}) == len(taken.sent) == 10


def test_the_clock_of_the_database_decides() -> None:
    now = clock.read()
    minutely(last_run_at=now - timedelta(seconds=61))
    taken = Broker()
    periodic.reconcile(now)

    assert periodic.fire_periodic(now, send=taken.send) == 1
