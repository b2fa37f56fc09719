"""django-celery-beat's own rows: the system's ticks, and what operators add for plain tasks.

A slot is sent in the transaction that moves its row on, while the row is locked. So of any number
of beats one sends it, and a send that fails moves nothing: the slot comes again, with every beat,
until the broker takes it. Only a beat that dies between the two sends a slot twice; both messages
have the same task id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import Error, transaction
from django.db.models import F, Func, Q, TextField
from django.db.models.functions import MD5, Cast
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from executions import broker, clock
from executions.dispatch import BROKER_AWAY
from executions.models import PeriodicState
from executions.periodic_messages import Message, expiry, message_of
from executions.periodic_slots import first_slot, following_slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

log = structlog.get_logger(__name__)

MOST_SLOTS = 100  # of one row in one pass
SCHEDULES = ("interval", "crontab", "solar", "clocked")
DECISIVE = (
    *("enabled", "start_time", "args", "kwargs", "headers", "interval__every", "interval__period"),
    *("crontab__minute", "crontab__hour", "crontab__day_of_month", "crontab__month_of_year"),
    *("crontab__day_of_week", "crontab__timezone", "clocked__clocked_time"),
    *("solar__event", "solar__latitude", "solar__longitude"),
)
"""What decides when a row is due, and whether it can be read."""


def fire_periodic(now: datetime, *, send: Callable[[Message], object], limit: int = 100) -> int:
    """Send every slot of up to ``limit`` rows that are due; return how many slots.

    A row that cannot be carried out is switched off, with the reason. While the broker is away
    nothing is sent, and nothing is lost. Only rows are looked at that ``reconcile`` has adopted.
    """
    sent = 0
    try:
        for pk in PeriodicState.objects.due(now).values_list("pk", flat=True)[:limit]:
            sent += _fire(pk, now, send)
    except BROKER_AWAY as exc:
        broker.rest()
        log.warning("periodic_task.broker_away", error=repr(exc))
    return sent


class Adoption:
    """Says when ``reconcile`` has something to look for, so that it need not read all rows.

    Whatever saves rows as Django does leaves a mark, which is asked for each time; what wrote them
    with SQL does not, and is found ``LOOK_SECONDS`` later at the latest.
    """

    LOOK_SECONDS = 30.0

    def __init__(self) -> None:
        self._seen: datetime | None = None
        self._again_at = 0.0

    def advance(self, now: datetime) -> None:
        """Adopt what was added or edited since the last call."""
        changed_at, ticks = PeriodicTasks.last_change(), clock.ticks()
        if changed_at == self._seen and ticks < self._again_at:
            return
        if not reconcile(now):
            self._seen, self._again_at = changed_at, ticks + self.LOOK_SECONDS


def reconcile(now: datetime, limit: int = 100) -> int:
    """Find the next slot of rows that were added or edited, by whatever means; return how many.

    A row that ran before goes on from there; an edited one begins after ``now``. Takes up to
    ``limit`` rows: a beat that adopts thousands must not be late for what is due meanwhile.
    """
    settings = Func(*DECISIVE, function="jsonb_build_array", output_field=TextField())
    rows = PeriodicTask.objects.annotate(fingerprint=MD5(Cast(settings, TextField())))
    edited = rows.filter(Q(chronos=None) | ~Q(chronos__fingerprint=F("fingerprint")))
    return sum(_adopt(row, now) for row in edited.select_related(*SCHEDULES)[:limit])


@transaction.atomic
def _adopt(row: PeriodicTask, now: datetime) -> bool:
    PeriodicState.objects.bulk_create([PeriodicState(row=row)], ignore_conflicts=True)
    state = PeriodicState.objects.lock_free().filter(pk=row.pk).first()
    if state is None or state.fingerprint == row.fingerprint:
        return False  # another beat does it, or has done it
    after = now if state.fingerprint else row.last_run_at or row.date_changed
    state.fingerprint, state.next_slot = row.fingerprint, None
    if row.enabled:
        state.reason = ""
        try:
            message_of(row, now)  # what cannot be read is told now, not when it is due
            state.next_slot = first_slot(row, after)
        except Error:
            raise
        except Exception as exc:  # noqa: BLE001  the library raises whatever the row makes it raise
            _set_aside(state, exc)
    state.save()
    return True


def _fire(pk: int, now: datetime, send: Callable[[Message], object]) -> int:
    """Send all slots of a row that are due, each in a transaction of its own; return how many."""
    sent = 0
    while sent < MOST_SLOTS and _fire_next(pk, now, send):
        sent += 1
    return sent


@transaction.atomic
def _fire_next(pk: int, now: datetime, send: Callable[[Message], object]) -> bool:
    """Send the next slot of a row; say whether there was one that no other beat is at."""
    related = [f"row__{name}" for name in SCHEDULES]
    free = PeriodicState.objects.due(now).lock_free().select_related(*related)
    state = free.filter(pk=pk, row__enabled=True).first()
    if state is None or state.next_slot is None:
        return False
    row, slot = state.row, state.next_slot
    if _is_over(row, now):
        _switch_off(state)
        return False
    try:
        if (expiry(row, slot) or now) >= now:
            send(message_of(row, slot))
        state.next_slot = following_slot(row, slot, now)
    except (Error, *BROKER_AWAY):
        raise
    except Exception as exc:  # noqa: BLE001  a row that nobody can send must not stop the others
        _set_aside(state, exc)
        state.save()
        return False
    state.save(update_fields=["next_slot"])
    _write_down(row, now)
    return True


def _is_over(row: PeriodicTask, now: datetime) -> bool:
    """Whether the row is past its end, or for one run that it had under another scheduler."""
    return bool(row.expires and row.expires <= now) or (row.one_off and row.total_run_count > 0)


def _write_down(row: PeriodicTask, now: datetime) -> None:
    """Let the row tell of a run as Celery's own scheduler does; one run may be all it has."""
    rows = PeriodicTask.objects.filter(pk=row.pk)
    if row.one_off:
        rows.update(last_run_at=now, total_run_count=0, enabled=False)
    else:
        rows.update(last_run_at=now, total_run_count=F("total_run_count") + 1)


def _switch_off(state: PeriodicState) -> None:
    """Celery resets the count as well, so that the row runs when it is switched on again."""
    one_off = state.row.one_off
    count = 0 if one_off else F("total_run_count")
    PeriodicTask.objects.filter(pk=state.pk).update(enabled=False, total_run_count=count)


def _set_aside(state: PeriodicState, exc: Exception) -> None:
    state.next_slot, state.reason = None, f"{type(exc).__name__}: {exc}"[:300]
    log.warning("periodic_task.set_aside", name=state.row.name, reason=state.reason)
    PeriodicTask.objects.filter(pk=state.pk).update(enabled=False)
