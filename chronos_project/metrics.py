"""Prometheus metrics: a few cheap queries at each scrape, nothing kept in the process."""

from __future__ import annotations

import ipaddress
import secrets
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from prometheus_client import generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from chronos_project.health import AlwaysFirst
from executions import alive, clock, outbox, rollups, stats
from executions.models import AuditFinding, Execution
from executions.models.rollup import BOUNDS, EVERYBODY
from executions.standing import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from prometheus_client import Metric
    from rest_framework.request import Request


class ChronosCollector(Collector):
    """The state of the whole installation at ``now``."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("chronos", "This build.", {"version": settings.CHRONOS_VERSION})
        yield from self._queues()
        yield from self._ends()
        yield from self._ever()
        yield from self._outbox()
        yield from self._processes()

    def _queues(self) -> Iterable[Metric]:
        executions = GaugeMetricFamily(
            "chronos_queue_executions", "Unfinished executions.", labels=["queue", "state"]
        )
        oldest = GaugeMetricFamily(
            "chronos_queue_oldest_seconds",
            "For how long the oldest execution that has not started is due.",
            labels=["queue"],
        )
        paused = GaugeMetricFamily(
            "chronos_queue_paused", "1 when nothing is taken from the queue.", labels=["queue"]
        )
        for line in lines(self._now):
            executions.add_metric([line.name, "active"], line.active)
            executions.add_metric([line.name, "waiting"], line.waiting)
            executions.add_metric([line.name, "late"], line.late)
            due = line.oldest_due_at
            oldest.add_metric([line.name], (self._now - due).total_seconds() if due else 0)
            paused.add_metric([line.name], line.paused)
        return [executions, oldest, paused]

    def _ends(self) -> Iterable[Metric]:
        ended = stats.finished([EVERYBODY], now=self._now)
        day = GaugeMetricFamily(
            "chronos_executions_last_day",
            "Executions that ended in the last 24 hours, by how.",
            labels=["status"],
        )
        day.add_metric(["succeeded"], ended.completed)
        day.add_metric(["failed"], ended.failed)
        dead = stats.dead_letters(Execution.objects.all())
        yield day
        yield GaugeMetricFamily(
            "chronos_dead_letters",
            f"Failed and not resolved; at most {stats.MOST_DEAD} are counted.",
            value=dead,
        )
        yield GaugeMetricFamily(
            "chronos_audit_mismatches",
            "Slots without an execution, doubled ones, attempts that do not fit: must be 0.",
            value=AuditFinding.objects.count(),
        )

    def _ever(self) -> Iterable[Metric]:
        ever = rollups.ever()
        ends = CounterMetricFamily(
            "chronos_executions", "What ended, and attempts that did not succeed.", labels=["end"]
        )
        for name in ("succeeded", "failed", "skipped", "cancelled", "retried", "lost"):
            ends.add_metric([name], getattr(ever, name))
        yield ends
        yield _histogram(
            "chronos_execution_late_seconds",
            "How late the last attempts started.",
            (ever.late, ever.late_seconds),
        )
        yield _histogram(
            "chronos_execution_seconds",
            "How long the last attempts ran.",
            (ever.took, ever.took_seconds),
        )

    def _outbox(self) -> Iterable[Metric]:
        backlog = outbox.backlog()
        since = backlog.oldest_at
        yield GaugeMetricFamily(
            "chronos_outbox_events",
            f"Events on their way outside; at most {outbox.COUNTED} are counted.",
            value=backlog.waiting,
        )
        yield GaugeMetricFamily(
            "chronos_outbox_oldest_seconds",
            "For how long the oldest event has waited.",
            value=(self._now - since).total_seconds() if since else 0,
        )
        yield GaugeMetricFamily(
            "chronos_outbox_set_aside", "Events that cannot be delivered.", value=backlog.set_aside
        )

    def _processes(self) -> Iterable[Metric]:
        workers = GaugeMetricFamily("chronos_workers", "Workers that are alive.", labels=["fleet"])
        slots = GaugeMetricFamily(
            "chronos_worker_slots", "Executions that they can run at once.", labels=["fleet"]
        )
        for fleet in alive.fleets_in_numbers(self._now):
            workers.add_metric([fleet.name], fleet.workers)
            slots.add_metric([fleet.name], fleet.slots)
        yield GaugeMetricFamily(
            "chronos_beats", "Schedulers that are alive.", value=alive.beats(self._now)
        )
        yield workers
        yield slots


def _histogram(name: str, says: str, counted: tuple[Sequence[int], float]) -> Metric:
    classes, seconds = counted
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    numbers = list(accumulate(classes)) or [0] * len(bounds)
    buckets = list(zip(bounds, numbers, strict=True))
    return HistogramMetricFamily(name, says, buckets=buckets, sum_value=seconds)


class MetricsPermission(BasePermission):
    """Staff, and whoever knows the scrape token; in development also this machine itself.

    Behind a proxy everybody comes from this machine, so in production that alone opens nothing.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _knows_token(request) or _is_at_home(request) or _is_staff(request)


def _knows_token(request: Request) -> bool:
    token = settings.CHRONOS_METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return bool(token) and secrets.compare_digest(given.encode(), f"Bearer {token}".encode())


def _is_at_home(request: Request) -> bool:
    address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104  nobody
    return not settings.PRODUCTION and address.is_loopback


def _is_staff(request: Request) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)


class TextRenderer(BaseRenderer):
    """The body is text already; a problem stays JSON."""

    media_type = CONTENT_TYPE_PLAIN_0_0_4
    format = "txt"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        metrics: bytes = data if isinstance(data, bytes) else JSONRenderer().render(data)
        return metrics


class MetricsView(APIView):
    """What Prometheus scrapes."""

    permission_classes = [MetricsPermission]
    renderer_classes = [TextRenderer]
    content_negotiation_class = AlwaysFirst

    def perform_authentication(self, request: Request) -> None:
        """The scrape token is no user's."""

    @extend_schema(tags=["platform"], responses={(200, "text/plain"): str})
    def get(self, request: Request) -> Response:
        return Response(generate_latest(ChronosCollector(clock.now())))
