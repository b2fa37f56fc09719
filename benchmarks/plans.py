"""What is measured in which form: contenders, scenarios and sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.scenarios import latency, punctuality, throughput

if TYPE_CHECKING:
    from benchmarks.stand import Stand


class Run(NamedTuple):
    """One scenario with its sizes, as ``measure(stand, sizes)``; ``env`` is of every process."""

    scenario: str
    measure: Callable[[Stand, Any], dict[str, float]]
    sizes: Any
    env: Mapping[str, str] = {}


class Visit(NamedTuple):
    """Runs of one contender that share a stand."""

    contender: str
    runs: tuple[Run, ...]


class Form(NamedTuple):
    """A whole session: ``repetitions`` of all ``visits``, and how patient it is with noise."""

    name: str
    visits: tuple[Visit, ...]
    repetitions: int
    quiet_seconds: float
    again: int


# Jobs for S1 that take each contender some five seconds.
BACKLOG = {
    "chronos": 4000,
    "chronos-io": 4000,
    "celery": 5000,
    "celery-results": 1500,
    "celery-results-reuse": 2000,
    "bullmq": 20_000,
    "bullmq-history": 8000,
    "procrastinate": 3000,
    "django-q2": 4000,
    "django-tasks": 2000,
}
QUICK = ("chronos", "celery", "celery-results-reuse", "bullmq-history")


def _throughput(name: str, share: float = 1.0) -> Run:
    count = int(BACKLOG[name] * share)
    return Run("S1", throughput.measure, throughput.Sizes(count, count // 4))


def _latency(count: int, idle: float) -> Run:
    return Run("S2", latency.measure, latency.Sizes(count, idle))


def _punctuality(ahead: int, ticks: int) -> Run:
    return Run("S3", punctuality.measure, punctuality.Sizes(200, ahead, ticks))


def quick() -> Form:
    """In three minutes: the nearest peers, once, one stand for three scenarios."""
    visits = [
        Visit(name, (_throughput(name, 0.5), _latency(80, 1.0), _punctuality(4, 6)))
        for name in QUICK
    ]
    return Form("quick", tuple(visits), repetitions=1, quiet_seconds=0, again=0)


def full() -> Form:
    """Everything, three times, on a stand of its own each."""
    visits = [
        *(Visit(name, (_throughput(name),)) for name in BACKLOG),
        *(Visit(name, (_latency(200, 3.0),)) for name in BACKLOG if name != "chronos-io"),
        *(Visit(name, (_punctuality(6, 15),)) for name in ("chronos", "celery", "bullmq")),
    ]
    return Form("full", tuple(visits), repetitions=3, quiet_seconds=60, again=2)


def chosen(form: Form, scenarios: set[str], contenders: set[str]) -> Form:
    """Leave out what is not among ``scenarios`` and ``contenders``; an empty set is everything."""
    visits = []
    for visit in form.visits:
        runs = tuple(run for run in visit.runs if not scenarios or run.scenario in scenarios)
        if runs and (not contenders or visit.contender in contenders):
            visits.append(visit._replace(runs=runs))
    return form._replace(visits=tuple(visits))
