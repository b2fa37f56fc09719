"""Who is measured, by name."""

from __future__ import annotations

from benchmarks.contenders import bare, bullmq, celery, chronos, others

CONTENDERS = {
    one.name: one
    for one in (
        *(chronos.CHRONOS, chronos.CHRONOS_IO),
        *(celery.PLAIN, celery.RESULTS, celery.REUSE, celery.BEAT),
        *(bullmq.BULLMQ, bullmq.HISTORY),
        *(others.PROCRASTINATE, others.Q2, others.TASKS),
        *(bare.DRF, bare.PLAIN),
        *(others.HUEY, others.RQ, others.TASKIQ, others.APSCHEDULER),
    )
}
