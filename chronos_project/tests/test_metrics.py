"""Metrics: what Prometheus reads, and who else may."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from executions import clock, outbox, transitions
from executions.models import AuditFinding, Beat, OutboxEvent, Status, Worker
from executions.reports import Report
from tests.factories import NOON, ExecutionFactory, QueueFactory, UserFactory

pytestmark = pytest.mark.django_db


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fail_one(now: datetime) -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED)
    claimed = transitions.claim(execution.pk, worker="w", now=now, lease=timedelta(seconds=30))
    assert claimed is not None
    transitions.fail(claimed, now=now, report=Report())
    outbox.deliver(now, channels=())


def test_the_state_is_told_in_numbers(client: Client) -> None:
    now = clock.read()
    process = {"pid": 1, "version": "1", "started_at": now, "heartbeat_at": now}
    Beat.objects.create(name="b", **process)
    Worker.objects.create(name="w", fleet="io", slots=8, **process)
    QueueFactory.create(name="mail")
    ExecutionFactory.create(queue="mail", due_at=NOON.replace(year=2020))
    ExecutionFactory.create(queue="mail", status=Status.RUNNING)
    fail_one(now)
    AuditFinding.objects.create(at=now, what="slot_lost")
    OutboxEvent.objects.create(topic="job.paused", at=now - timedelta(seconds=60))
    OutboxEvent.objects.create(topic="job.paused", at=now, fault="too long")

    answer = client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = samples(answer.content.decode())
    assert found["chronos_queue_executions", "mail", "active"] == 1
    assert found["chronos_queue_executions", "mail", "late"] == 1
    assert found["chronos_queue_oldest_seconds", "mail"] > 0
    assert found["chronos_executions_last_day", "failed"] == 1
    assert found[("chronos_dead_letters",)] == found[("chronos_audit_mismatches",)] == 1
    assert found[("chronos_outbox_events",)] == found[("chronos_outbox_set_aside",)] == 1
    assert 60 <= found[("chronos_outbox_oldest_seconds",)] < 600
    assert found[("chronos_beats",)] == 1
    assert (found["chronos_workers", "io"], found["chronos_worker_slots", "io"]) == (1, 8)


def test_what_ended_is_told_for_all_time(client: Client) -> None:
    fail_one(clock.read())

    found = samples(client.get("/metrics").content.decode())

    assert found["chronos_executions_total", "failed"] == 1
    assert found["chronos_executions_total", "succeeded"] == 0
    assert found["chronos_execution_seconds_bucket", "+Inf"] == 1


def test_a_scrape_costs_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    clock.read()
    for queue in ["a", "b", "c"]:
        ExecutionFactory.create(queue=queue)

    with django_assert_num_queries(12):
        client.get("/actuator/prometheus")


def test_from_elsewhere_only_staff_may_read_them() -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")

    assert client.get("/metrics").status_code == 401
    client.force_login(UserFactory.create())
    assert client.get("/metrics").status_code == 403
    client.force_login(UserFactory.create(is_staff=True))
    assert client.get("/metrics").status_code == 200


def test_in_production_being_on_the_same_machine_opens_nothing(
    client: Client, settings: Settings
) -> None:
    settings.PRODUCTION = True

    answer = client.get("/metrics")

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_scrape_token_opens_them_and_only_the_right_one(
    client: Client, settings: Settings
) -> None:
    settings.PRODUCTION = True
    settings.CHRONOS_METRICS_TOKEN = "s3cret"

    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
