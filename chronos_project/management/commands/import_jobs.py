"""Jobs by the million, from a file: one definition a line, as ``POST /jobs`` takes it."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Barrier
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from rest_framework.exceptions import APIException

from accounts.access import own_membership
from accounts.models import Team, User
from chronos_project.problem_details import failure_of_faults
from executions import clock
from jobs.bulk import AT_ONCE, Bulk, Cast
from jobs.intake import Intake, lines

BATCH = 1_000  # lines; the valid ones become jobs in one transaction
FRESH = timedelta(seconds=30)  # what was valid is taken as valid; the API allows a minute as well


@dataclass(slots=True)
class Batch:
    """Some lines: the bodies of the valid ones by their numbers, and what is wrong with others."""

    now: datetime
    bodies: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


class Command(BaseCommand):
    """A line that is refused stops none of the others. What is printed as created is stored."""

    help = (
        "Create jobs from FILE (- is standard input), one JSON object a line, as POST /jobs takes"
        " it. Prints a line of JSON for each that is refused (line; errors with pointer, code,"
        " detail) and one at the end (created, refused, seconds). Ends with 1 if any was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--as", dest="email", required=True, help="whose jobs they will be")
        parser.add_argument("--dry-run", action="store_true", help="only validate each line")
        parser.add_argument("--limit", type=int, help="read at most so many lines")

    def handle(self, *args: Any, **options: Any) -> None:
        actor = User.objects.filter(email=options["email"].lower()).first()
        membership = own_membership(actor) if actor else None
        if membership is None:
            raise CommandError(f"{options['email']} is nobody who has jobs.")
        bulk = None if options["dry_run"] else Bulk(membership.team, actor=actor)
        began, created, refused = time.monotonic(), 0, 0
        with _opened(options["file"]) as stream:
            numbered = islice(lines(stream), options["limit"])
            for batch in _stored(_batches(numbered, membership.team), bulk):
                created += len(batch.bodies)
                refused += len(batch.errors)
                for line, errors in sorted(batch.errors.items()):
                    self.stdout.write(json.dumps({"line": line, "errors": errors}))
        told = {"created": created if bulk else 0, "valid": created, "refused": refused}
        self.stdout.write(json.dumps(told | {"seconds": round(time.monotonic() - began, 3)}))
        if refused:
            sys.exit(1)


def _opened(name: str) -> Any:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise CommandError(f"{name}: {exc.strerror}") from None


def _batches(numbered: Iterator[tuple[int, bytes]], team: Team) -> Iterator[Batch]:
    intake = Intake(team, now=clock.now())
    while some := list(islice(numbered, BATCH)):
        batch = Batch(clock.now())
        if batch.now - intake.now > FRESH:
            intake = Intake(team, now=batch.now)
        for number, line in some:
            try:
                batch.bodies[number] = intake.read(line)
            except APIException as exc:
                batch.errors[number] = _errors(exc.detail)
        yield batch


def _stored(batches: Iterator[Batch], bulk: Bulk | None) -> Iterator[Batch]:
    """Yield each batch when it is stored; meanwhile the next ones are read and cast already."""
    if bulk is None:
        yield from batches
        return
    with ThreadPoolExecutor(AT_ONCE) as storing:
        being: deque[Future[Batch]] = deque()
        for batch in batches:
            cast = bulk.cast([*batch.bodies.values()], now=batch.now)
            being.append(storing.submit(_store, batch, cast, bulk))
            if len(being) > AT_ONCE:
                yield being.popleft().result()
        while being:
            yield being.popleft().result()
        end = Barrier(AT_ONCE)
        for _ in range(AT_ONCE):
            storing.submit(_close, end)


def _close(end: Barrier) -> None:
    end.wait()  # so that no thread closes twice and another never
    connection.close()  # the calling thread's own


def _store(batch: Batch, cast: Cast, bulk: Bulk) -> Batch:
    numbers = [*batch.bodies]
    for place, exc in bulk.store(cast, now=batch.now).items():
        del batch.bodies[numbers[place]]
        pointer = {"slug_taken": "/slug", "limit_unknown": "/policy/limit"}[exc.code]
        error = {"pointer": pointer, "code": exc.code, "detail": str(exc)}
        batch.errors[numbers[place]] = [error]
    return batch


def _errors(detail: Any) -> list[dict[str, Any]]:
    return [*failure_of_faults(detail).errors]
