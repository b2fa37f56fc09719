"""What Chronos must reach, and whether it did: ratios to a peer in the same session, or bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Range, number, ratios
from benchmarks.lines import OURS, Key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.lines import Comparison


@dataclass(frozen=True, slots=True)
class Goal:
    """``figure`` is at most (or at least) ``bound``, or ``bound`` times that of ``peer``."""

    measure: str
    key: Key
    figure: str
    bound: float
    at_least: bool = False
    peer: str = ""
    peer_key: Key | None = None
    unit: str = ""

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {number(self.bound)}{' x ' if self.peer else self.unit}{self.peer}"


class Judgement(NamedTuple):
    """``measured`` is a ratio where the goal names a peer; ``session`` is when it was measured.

    ``disturbed`` says that others used the machine meanwhile, in every repetition.
    """

    goal: Goal
    ours: Range
    theirs: Range | None
    measured: Range
    reached: bool
    disturbed: bool
    session: str


S1, S2, S3, S6, API = (Key(name, "") for name in ("S1", "S2", "S3", "S6", "API"))
THOUSAND, MANY, MILLION = (
    Key("S4", f"{n:,} schedules".replace(",", " ")) for n in (1000, 100_000, 1_000_000)
)
INSTANT = Key("S4 instant", "")
BEST = Key("S6", "settings against loss")
HISTORIES = tuple(Key("S5", f"{n} 000 000 executions") for n in (1, 10))

GOALS = (
    Goal("S1 drain", S1, "drain_per_s", 1.0, at_least=True, peer="bullmq-history"),
    Goal("S1 drain", S1, "drain_per_s", 1.5, at_least=True, peer="celery"),
    Goal("S1 CPU for 1 000, all parts", S1, "cpu.sum", 1.0, unit=" s"),
    Goal("S2 commit to start, p50", S2, "latency.p50", 1.5, peer="celery"),
    Goal("S2 commit to start, p99", S2, "latency.p99", 2.0, peer="celery"),
    Goal("S3 each second, lateness p50", S3, "late.p50", 10, unit=" ms"),
    Goal("S3 each second, lateness p99", S3, "late.p99", 50, unit=" ms"),
    Goal("S3 200 on one instant, last start", S3, "burst.max", 150, unit=" ms"),
    *(
        goal
        for key in (THOUSAND, MANY, MILLION)
        for goal in (
            Goal(f"S4 {key.label}, CPU of the beat", key, "cpu_pct", 8, unit=" % of a core"),
            Goal(f"S4 {key.label}, lateness p99", key, "late.p99", 50, unit=" ms"),
            Goal(f"S4 {key.label}, memory of the beat", key, "rss_mb", 120, unit=" MiB"),
            Goal(f"S4 {key.label}, first start", key, "first_s", 2, unit=" s"),
            Goal(f"S4 {key.label}, lateness of one added", key, "added_late_s", 0.02, unit=" s"),
        )
    ),
    Goal("S4 CPU at 1 000 000 to 1 000", MILLION, "cpu_pct", 1.2, peer=OURS, peer_key=THOUSAND),
    Goal("S4 10 000 on one instant, all made", INSTANT, "fired_s", 3, unit=" s"),
    Goal("S4 10 000 on one instant, starts", INSTANT, "started_per_s", 0.9, at_least=True,
         peer=OURS, peer_key=S1),
    *(
        goal
        for key in HISTORIES
        for goal in (
            Goal(f"S5 {key.label}, statistics p95", key, "stats.p95", 50, unit=" ms"),
            Goal(f"S5 {key.label}, slowest list p95", key, "lists.p95", 150, unit=" ms"),
        )
    ),
    Goal("S6 lost", BEST, "lost", 0),
    Goal("S6 starts that SQL does not know", BEST, "unexplained", 0),
    Goal("S6 rows left running", BEST, "rows_left", 0),
    Goal("S6 begun again", BEST, "again_s", 10, unit=" s"),
    Goal("API executions/s", API, "per_s", 0.5, at_least=True, peer="drf"),
    Goal("API p50", API, "p50", 12, unit=" ms"),
)  # fmt: skip


def judge(comparisons: Mapping[Key, Comparison]) -> list[Judgement]:
    """Judge each goal for which there are figures."""
    judged = (_judge(goal, comparisons) for goal in GOALS)
    return [one for one in judged if one]


def _judge(goal: Goal, comparisons: Mapping[Key, Comparison]) -> Judgement | None:
    here = comparisons.get(goal.key)
    there = comparisons.get(goal.peer_key or goal.key)
    ours = here.series.get(OURS) if here else None
    values = ours.values(goal.figure) if ours else {}
    if not (here and ours and values):
        return None
    theirs = there.series.get(goal.peer) if there and goal.peer else None
    figure = FIGURE_OF_PEER.get(goal.figure, goal.figure) if goal.peer_key else goal.figure
    others = theirs.values(figure) if theirs else {}
    compared = ratios(values, others) if goal.peer else list(values.values())
    if not compared:
        return None
    measured = Range.of(compared)
    reached = measured.median >= goal.bound if goal.at_least else measured.median <= goal.bound
    own, peers = Range.of(list(values.values())), list(others.values())
    session = here.session["session"]
    beside = Range.of(peers) if peers else None
    return Judgement(goal, own, beside, measured, reached, ours.disturbed, session)


FIGURE_OF_PEER = {"started_per_s": "drain_per_s"}
"""What another scenario calls the same."""
