"""What is measured in which form: contenders, scenarios and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.scenarios import (
    api,
    history,
    instant,
    latency,
    punctuality,
    recovery,
    scale,
    scale_out,
    throughput,
)
from embedded.errors import StartError

if TYPE_CHECKING:
    from benchmarks.stand import Stand


FULL = "full"
MILLION = 1_000_000


class Run(NamedTuple):
    """One scenario with its sizes, as ``measure(stand, sizes)``.

    ``label`` tells apart what is measured with other sizes or settings; with ``best`` the contender
    has its settings against loss.
    """

    scenario: str
    measure: Callable[[Stand, Any], dict[str, float]]
    sizes: Any
    label: str = ""
    best: bool = False


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

LATENCY = (
    *("chronos", "celery", "celery-results-reuse", "bullmq", "bullmq-history"),
    *("procrastinate", "django-q2", "huey", "taskiq"),
)
PUNCTUAL = ("chronos", "celery", "celery-beat", "bullmq", "taskiq", "apscheduler", "huey")
SCALE = {
    1000: ("chronos", "celery-beat", "apscheduler", "bullmq"),
    10_000: ("chronos", "celery-beat", "bullmq"),
    100_000: ("chronos", "bullmq"),
    MILLION: ("chronos",),
}
FEW = 1000
FILL = {"chronos": 8000, "celery-beat": 4000, "apscheduler": 150, "bullmq": 2500}  # a second
LAYOUTS = ((1, 1), (2, 1), (4, 1), (4, 2), (4, 3))  # workers and beats
CAREFUL = ("chronos", "celery", "bullmq", "procrastinate", "taskiq")
CARELESS = ("chronos", "celery", "bullmq-history", "procrastinate", "django-q2", "huey", "rq")


def _throughput(name: str, share: float = 1.0) -> Run:
    count = int(BACKLOG[name] * share)
    return Run("S1", throughput.measure, throughput.Sizes(count, count // 4))


def _latency(count: int, idle: float) -> Run:
    return Run("S2", latency.measure, latency.Sizes(count, idle))


def _punctuality(ahead: int, ticks: int) -> Run:
    return Run("S3", punctuality.measure, punctuality.Sizes(200, ahead, ticks))


def _scale(name: str, count: int) -> Run:
    """Beat is watched within its first cycle of 20 s: it adds its start-up to each later one."""
    settle, window = (2, 6) if name == "celery-beat" and count <= FEW else (5, 15)
    sizes = scale.Sizes(count, settle, window, FILL[name])
    return Run("S4", scale.measure, sizes, label=f"{count:,} schedules".replace(",", " "))


def _instant() -> Run:
    return Run("S4 instant", instant.measure, instant.Sizes(10_000, FILL["chronos"]))


def _history(count: int) -> Run:
    sizes = history.Sizes(count, seconds=3.0, backlog=BACKLOG["chronos"])
    return Run("S5", history.measure, sizes, label=f"{count:,} executions".replace(",", " "))


def _recovery(*, best: bool) -> Run:
    sizes = recovery.Sizes(2000, patience=60)
    label = "settings against loss" if best else "defaults"
    return Run("S6", recovery.measure, sizes, label=label, best=best)


def _scale_out(workers: int, beats: int) -> Run:
    sizes = scale_out.Sizes(workers, 4, beats, backlog=800 * workers, milliseconds=20)
    label = f"{workers} worker{'s' * (workers > 1)}, {beats} beat{'s' * (beats > 1)}"
    return Run("S7", scale_out.measure, sizes, label=label)


def _api() -> Run:
    return Run("API", api.measure, api.Sizes(seconds=8.0, connections=8))


def quick() -> Form:
    """In three minutes: the nearest peers, once, one stand for three scenarios."""
    visits = [
        Visit(name, (_throughput(name, 0.5), _latency(80, 1.0), _punctuality(4, 6)))
        for name in QUICK
    ]
    return Form("quick", tuple(visits), repetitions=1, quiet_seconds=0, again=0)


def full(rows: int = MILLION) -> Form:
    """Everything, three times, on a stand of its own each; S5 with a history of ``rows``."""
    visits = [
        *(Visit(name, (_throughput(name),)) for name in BACKLOG),
        *(Visit(name, (_latency(200, 3.0),)) for name in LATENCY),
        *(Visit(name, (_punctuality(6, 15),)) for name in PUNCTUAL),
        *(Visit(name, (_scale(name, count),)) for count, names in SCALE.items() for name in names),
        Visit("chronos", (_instant(),)),
        Visit("chronos", (_history(rows),)),
        *(Visit(name, (_api(),)) for name in ("chronos", "drf", "django")),
        *(Visit("chronos", (_scale_out(workers, beats),)) for workers, beats in LAYOUTS),
        *(Visit(name, (_recovery(best=True),)) for name in CAREFUL),
        *(Visit(name, (_recovery(best=False),)) for name in CARELESS),
    ]
    return Form(FULL, tuple(visits), repetitions=3, quiet_seconds=60, again=2)


def chosen(form: Form, scenarios: set[str], contenders: set[str]) -> Form:
    """Leave out what is not among ``scenarios`` and ``contenders``; an empty set is everything.

    Raises ``StartError`` for names that the form does not have.
    """
    known = {run.scenario for visit in form.visits for run in visit.runs}
    known |= {visit.contender for visit in form.visits}
    if unknown := (scenarios | contenders) - known:
        there_are = ", ".join(sorted(known))
        raise StartError(f"The {form.name} form has no {', '.join(unknown)}: say {there_are}.")
    visits = []
    for visit in form.visits:
        runs = tuple(run for run in visit.runs if not scenarios or run.scenario in scenarios)
        if runs and (not contenders or visit.contender in contenders):
            visits.append(visit._replace(runs=runs))
    name = "chosen" if contenders else form.name
    return form._replace(name=name, visits=tuple(visits))
