"""Who is measured, by name."""

from __future__ import annotations

from benchmarks.contenders import bullmq, celery, chronos

CONTENDERS = {
    one.name: one
    for one in (
        chronos.CHRONOS,
        chronos.CHRONOS_IO,
        celery.PLAIN,
        celery.RESULTS,
        celery.REUSE,
        celery.BEAT,
        bullmq.BULLMQ,
        bullmq.HISTORY,
    )
}
