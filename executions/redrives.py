"""Start a group of dead letters again, at once or with care, and stop when it is in vain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q

from executions import bell, outbox, progress
from executions.causes import dead_of, group_of, stored
from executions.models import UNFINISHED, Execution, ExecutionEvent, Origin, Redrive, Status

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Team
    from executions.models.execution_queries import ExecutionQuerySet

log = structlog.get_logger(__name__)

RATE = 10.0  # executions per second, if nobody says
MAX_RATE = 100.0
LOOK_AGAIN = timedelta(seconds=1)  # while a stage waits for what it started
MOST_BEHIND = timedelta(seconds=10)  # what was not started for longer is not made up for at once
ONE_AT_A_TIME = "one_running_redrive_per_cause"


class RedriveRunningError(Exception):
    """The group is being redriven already."""

    def __init__(self, fingerprint: str) -> None:
        super().__init__(f"{fingerprint} is being redriven already; wait for it or stop it.")


def plan(
    team: Team, fingerprint: str, *, mode: Redrive.Mode, rate: float, now: datetime, actor: str
) -> Redrive | None:
    """Return, and do not save, a redrive of a cause's dead letters; ``None`` if it has none."""
    dead = dead_of(Execution.objects.of_team(team), fingerprint)
    newest = dead.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return None
    return Redrive(
        team=team,
        fingerprint=fingerprint,
        mode=mode,
        rate=rate,
        up_to=newest,
        total=dead.count(),
        next_at=now,
        created_by=actor,
        created_at=now,
    )


@transaction.atomic
def start(redrive: Redrive, *, now: datetime) -> Redrive:
    """Let a planned redrive begin. Raises ``RedriveRunningError`` while another one runs."""
    try:
        with transaction.atomic():
            redrive.save(force_insert=True)
    except IntegrityError as exc:
        if ONE_AT_A_TIME not in str(exc):
            raise
        raise RedriveRunningError(redrive.fingerprint) from exc
    _tell(redrive, "started", now)
    transaction.on_commit(bell.ring, robust=True)
    return redrive


@transaction.atomic
def stop(redrive: Redrive, *, now: datetime, actor: str) -> None:
    """Start no more of it; what was started goes on. Repeating it changes nothing."""
    redrive.refresh_from_db(from_queryset=Redrive.objects.select_for_update())
    if redrive.finished_at is None:
        _end(redrive, Redrive.State.STOPPED, now=now, reason=f"{actor} stopped it.")


def advance(now: datetime, limit: int = 500) -> int:
    """Take every redrive that is due one step on; return how many rows were handled.

    Any number of processes may call this at once: SKIP LOCKED deals the redrives out, and a dead
    letter is resolved in the transaction that starts its work again, so none is started twice.
    """
    handled = 0
    while handled < limit:
        step = _advance_one(now, limit - handled)
        if step is None:
            break
        handled += step
    return handled


@transaction.atomic
def _advance_one(now: datetime, limit: int) -> int | None:
    redrive = Redrive.objects.due(now).select_related("team").lock_free(1).first()
    if redrive is None:
        return None
    try:
        with transaction.atomic():
            started = _step(redrive, now, limit)
    except (OperationalError, InterfaceError):
        raise
    except Exception as exc:  # noqa: BLE001  one that cannot go on must not stop the others
        log.warning("redrive.set_aside", redrive_id=str(redrive.pk), error=repr(exc))
        redrive.refresh_from_db()
        _end(redrive, Redrive.State.STOPPED, now=now, reason=f"It could not go on: {exc!r}")
        return 1
    return 1 + started


def _step(redrive: Redrive, now: datetime, limit: int) -> int:
    if _cause_is_back(redrive):
        reason = "What it started failed for good with the same cause."
        _end(redrive, Redrive.State.STOPPED, now=now, reason=reason)
        return 0
    room = redrive.room
    if not room:
        _wait_or_go_on(redrive, now)
        return 0
    wanted = min(limit, room, _earned(redrive, now))
    begun = _start(redrive, wanted, now)
    redrive.started += begun
    redrive.next_at += timedelta(seconds=begun / redrive.rate)
    if begun < wanted and not _startable(redrive).exists():
        _end(redrive, Redrive.State.DONE, now=now, reason=_rest_in_words(redrive))
        return begun
    if begun < wanted:  # others hold the rows at this moment
        redrive.next_at = now + LOOK_AGAIN
    redrive.save(update_fields=["started", "next_at"])
    return begun


def _wait_or_go_on(redrive: Redrive, now: datetime) -> None:
    """A careful stage has started its share: go on once all of that has ended."""
    if Execution.objects.filter(redrive=redrive, status__in=UNFINISHED).exists():
        redrive.next_at = now + LOOK_AGAIN
    else:
        redrive.stage += 1
        redrive.next_at = now
    redrive.save(update_fields=["stage", "next_at"])


def _earned(redrive: Redrive, now: datetime) -> int:
    """Return how many its rate allows by now; the next one may start at ``next_at``."""
    redrive.next_at = max(redrive.next_at, now - MOST_BEHIND)
    return 1 + int((now - redrive.next_at).total_seconds() * redrive.rate)


def _cause_is_back(redrive: Redrive) -> bool:
    same = Q(redrive=redrive, status=Status.FAILED, fingerprint=stored(redrive.fingerprint))
    return Execution.objects.filter(same).exists()


def _startable(redrive: Redrive) -> ExecutionQuerySet:
    kept = Q(job__paused_at__isnull=True, job__archived_at__isnull=True)
    return group_of(redrive).filter(kept).order_by("pk")


def _start(redrive: Redrive, number: int, now: datetime) -> int:
    """Start the work of up to ``number`` dead letters again, and resolve them."""
    rows = _startable(redrive).select_related("job__current__limit").lock_free(number)
    pairs = [(dead, _again(dead, redrive, now)) for dead in rows]
    Execution.objects.filter(pk__in=[dead.pk for dead, _ in pairs]).update(resolved_at=now)
    Execution.objects.bulk_create(again for _, again in pairs)
    ExecutionEvent.objects.bulk_create(
        event for dead, again in pairs for event in _events(dead, again, redrive, now)
    )
    if pairs:
        transaction.on_commit(bell.ring, robust=True)
    return len(pairs)


def _again(dead: Execution, redrive: Redrive, now: datetime) -> Execution:
    return Execution.of(
        dead.job,
        now=now,
        due_at=now,
        origin=Origin.REDRIVE,
        payload=dead.payload,
        redrive=redrive,
    )


def _events(
    dead: Execution, again: Execution, redrive: Redrive, now: datetime
) -> list[ExecutionEvent]:
    actor, known = redrive.created_by, {"redrive": str(redrive.pk)}
    asked = {"reason": f"redrive of {dead.pk}"} | known
    done = {"as": str(again.pk)} | known
    return [
        ExecutionEvent(execution=again, at=now, what="requested", actor=actor, detail=asked),
        ExecutionEvent(execution=dead, at=now, what="redriven", actor=actor, detail=done),
    ]


def _end(redrive: Redrive, state: Redrive.State, *, now: datetime, reason: str) -> None:
    redrive.state, redrive.reason, redrive.finished_at = state, reason[:200], now
    redrive.save(update_fields=["state", "reason", "finished_at", "started", "stage"])
    log.info("redrive.ended", redrive_id=str(redrive.pk), state=state.value, reason=reason)
    _tell(redrive, state.value, now)


def _tell(redrive: Redrive, what: str, now: datetime) -> None:
    body = {"fingerprint": redrive.fingerprint, "started": redrive.started, "total": redrive.total}
    body |= {"mode": redrive.mode, "reason": redrive.reason}
    outbox.tell(f"redrive.{what}", team=redrive.team_id, subject=redrive.pk, body=body, now=now)


def _rest_in_words(redrive: Redrive) -> str:
    words = {
        "job_archived": "of archived jobs",
        "job_paused": "of paused jobs",
        "waiting": "held by others",
    }
    rest = [f"{number} {words[why]}" for why, number in progress.left_over(redrive).items()]
    return f"Left over: {', '.join(rest)}." if rest else ""
