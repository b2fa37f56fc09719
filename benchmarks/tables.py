"""Which figures the page shows of each scenario, and what its plot draws."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A figure and its head in the table."""

    head: str
    figure: str


class Section(NamedTuple):
    """A scenario on the page; ``plot`` are the figures that are drawn."""

    scenario: str
    title: str
    text: str
    columns: tuple[Column, ...]
    plot: tuple[Column, ...]


CPU = tuple(
    Column(f"{part} s/1 000", f"cpu.{part}")
    for part in ("worker", "beat", "broker", "database", "client")
)
LATENCY = tuple(Column(f"{name} ms", f"latency.{name}") for name in ("p50", "p95", "p99", "max"))
DRAIN = Column("drain/s", "drain_per_s")
COST = Column("CPU s/1 000", "cpu.sum")

SECTIONS = (
    Section(
        "S1",
        "S1 Throughput",
        "Jobs that do nothing. A backlog is submitted to stopped workers; *drain* is from the first"
        " start to the last end, *settled* until SQL knows of every end, *live* submission (a call"
        " each) and work at once. Chronos submits its backlog in bulk, 1 000 rows a statement"
        " (*enqueue*); *one by one* is `run_now`. CPU seconds are of 1 000 jobs, from submission to"
        " the last row, without the submitting client. Memory is the peak of workers and beats.",
        (
            Column("enqueue/s", "enqueue_per_s"),
            Column("one by one/s", "enqueue_one_per_s"),
            DRAIN,
            Column("settled/s", "settled_per_s"),
            Column("live/s", "live_per_s"),
            Column("live, bulk/s", "live_bulk_per_s"),
            COST,
            *CPU,
            Column("RSS MiB", "rss_mb"),
            Column("PSS MiB", "pss_mb"),
        ),
        (DRAIN, COST),
    ),
    Section(
        "S2",
        "S2 Latency",
        "One job each 50 ms on an idle system, from before the submitting call, which commits, to"
        " the first line of the job.",
        (*LATENCY, Column("idle CPU %", "idle_pct")),
        (LATENCY[0], LATENCY[2]),
    ),
    Section(
        "S3",
        "S3 Punctuality",
        "200 jobs that are due on one instant: how late they start. Then a job that recurs each"
        " second: how far its gaps are from a second, its drift from tick to tick, and, where the"
        " platform names the slot, its lateness.",
        (
            Column("burst first ms", "burst.first"),
            Column("burst p50 ms", "burst.p50"),
            Column("burst p99 ms", "burst.p99"),
            Column("burst last ms", "burst.max"),
            Column("gap p50 ms", "gap.p50"),
            Column("gap p99 ms", "gap.p99"),
            Column("drift ms/tick", "drift"),
            Column("late p50 ms", "late.p50"),
            Column("late p99 ms", "late.p99"),
            Column("missed", "missed"),
        ),
        (Column("last of 200, ms late", "burst.max"), Column("gap error p99 ms", "gap.p99")),
    ),
    Section(
        "S4",
        "S4 Scale of schedules",
        "Schedules of which 50 are due each second, watched after the scheduler was started; then"
        " one is added that is due a second later. *Stall* is the longest time without any start"
        " after that. CPU is that of the scheduler, in per cent of one core; APScheduler and BullMQ"
        " run the jobs in it. Schedules were stored by the fastest way that each has; Chronos's by"
        " SQL.",
        (
            Column("first start s", "first_s"),
            Column("started/s", "started_per_s"),
            Column("late p50 ms", "late.p50"),
            Column("late p99 ms", "late.p99"),
            Column("CPU %", "cpu_pct"),
            Column("database CPU %", "cpu.database_pct"),
            Column("RSS MiB", "rss_mb"),
            Column("broker MiB", "broker_mb"),
            Column("stall s", "stall_s"),
            Column("added one late s", "added_late_s"),
            Column("adding ms", "add_ms"),
        ),
        (Column("CPU % of a core", "cpu_pct"), Column("late p99 ms", "late.p99")),
    ),
    Section(
        "S4 instant",
        "S4 Ten thousand on one instant",
        "10 000 schedules that are due on one and the same instant: when all of them are"
        " executions, when the first and the last one started.",
        (
            Column("all made s", "fired_s"),
            Column("first start ms", "first_ms"),
            Column("last start s", "last_s"),
            Column("started/s", "started_per_s"),
            Column("beat s/1 000", "cpu.beat"),
            Column("database s/1 000", "cpu.database"),
        ),
        (Column("all made s", "fired_s"), Column("started/s", "started_per_s")),
    ),
    Section(
        "S5",
        "S5 History at size",
        "The API over a long history, one request after the other.",
        (
            Column("executions", "rows"),
            Column("statistics p50 ms", "stats.p50"),
            Column("statistics p95 ms", "stats.p95"),
            Column("slowest list p50 ms", "lists.p50"),
            Column("slowest list p95 ms", "lists.p95"),
            Column("drain/s with it", "drain_per_s"),
            Column("MiB a million", "mb_per_million"),
        ),
        (Column("statistics p95 ms", "stats.p95"), Column("slowest list p95 ms", "lists.p95")),
    ),
    Section(
        "S6",
        "S6 Recovery",
        "`kill -9` of one of two workers, with all its children, in the middle of 2 000 jobs of"
        " 50 ms; it starts again a second later. *Best*: with the documented settings against loss"
        " (Chronos: a lease of 5 s). *Lost* had not ended when the wait was over; *unexplained* are"
        " starts that SQL does not know of.",
        (
            Column("running when killed", "cut"),
            Column("lost", "lost"),
            Column("ended twice", "ended_twice"),
            Column("unexplained", "unexplained"),
            Column("rows left running", "rows_left"),
            Column("begun again after s", "again_s"),
            Column("all done after s", "done_s"),
            Column("ideal s", "ideal_s"),
        ),
        (Column("lost", "lost"), Column("begun again after s", "again_s")),
    ),
    Section(
        "S7",
        "S7 Scale out",
        "A backlog of jobs that wait 20 ms each, on worker processes of four slots. The *ideal* is"
        " that every slot always has a job. All parts share the cores of this machine, so what many"
        " workers lack of it is mostly the processor.",
        (
            DRAIN,
            Column("ideal/s", "ideal_per_s"),
            Column("of the ideal %", "efficiency_pct"),
            COST,
            *CPU,
        ),
        (DRAIN, Column("of the ideal %", "efficiency_pct")),
    ),
    Section(
        "API",
        "API: start a job",
        "`POST /jobs/{id}/execute` behind uvicorn as `make up` starts it, beside one insert through"
        " Django REST framework and one through plain Django (no authentication, no middleware)"
        " behind the same server. 8 connections of a small client in Python on the same cores.",
        (
            Column("requests/s", "per_s"),
            Column("p50 ms", "p50"),
            Column("p95 ms", "p95"),
            Column("p99 ms", "p99"),
            Column("server CPU ms each", "cpu.web"),
            Column("database CPU ms each", "cpu.database"),
            Column("bulk executions/s", "bulk_per_s"),
        ),
        (Column("requests/s", "per_s"), Column("p50 ms", "p50")),
    ),
)
