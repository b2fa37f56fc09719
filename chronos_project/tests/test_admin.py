"""Every page of the admin: it opens, costs little, asks no other host, and trusts no text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.staticfiles import finders
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult

from accounts.models import User
from accounts.theme import ChronosAdmin
from chronos_project.unfold import UNFOLD
from executions import clock
from executions.models import Beat, Status, Worker
from jobs.models import Limit
from tests import operators
from tests.factories import (
    PASSWORD,
    ExecutionFactory,
    MembershipFactory,
    QueueFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
MOST_QUERIES = 12
MODELS = list(admin.site._registry)
LISTS = sorted(
    f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry
)
ADDED_BY_HAND = [
    *("accounts_membership", "accounts_team", "accounts_user", "auth_group", "executions_queue"),
    *(
        "jobs_job",
        "jobs_limit",
        "django_celery_beat_clockedschedule",
        "django_celery_beat_crontabschedule",
    ),
    *("django_celery_beat_intervalschedule", "django_celery_beat_periodictask"),
    "django_celery_beat_solarschedule",
]
FOREIGN = re.compile(r"""(?:src|href|action|url\()\s*=?\s*["'(]?(?:https?:)?//[^"'\s)]+""")


def name_of(model: type[Model]) -> str:
    return f"{model._meta.app_label}_{model._meta.model_name}"


LISTS = sorted(map(name_of, MODELS))


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def fill(times: int) -> None:
    """Make ``times`` rows of everything that a list shows; users give them bad names."""
    now = clock.now()
    facts = {"pid": 1, "version": "1", "started_at": now, "heartbeat_at": now}
    for _ in range(times):
        number = PeriodicTask.objects.count()
        MembershipFactory.create(team__name=SCRIPT, user__name=SCRIPT)
        failed = ExecutionFactory.create(
            status=Status.FAILED, job__name=SCRIPT, reason="raised", message=SCRIPT
        )
        Limit.objects.create(team=failed.team, name=f"l{number}", by=SCRIPT, concurrency=1)
        QueueFactory.create(name=f"q{number}", description=SCRIPT, paused_reason=SCRIPT)
        Worker.objects.create(name=SCRIPT, slots=1, queues=[SCRIPT], **facts)
        Beat.objects.create(name=SCRIPT, **facts)
        TaskResult.objects.create(
            task_id=f"{failed.pk}-1",
            task_name="executions.run",
            periodic_task_name=SCRIPT,
            result=SCRIPT,
        )
        GroupResult.objects.create(group_id=str(failed.pk))
        every = IntervalSchedule.objects.create(every=number + 1, period="seconds")
        CrontabSchedule.objects.create(minute=str(number))
        ClockedSchedule.objects.create(clocked_time=now)
        SolarSchedule.objects.create(event="sunset", latitude=number, longitude=0)
        PeriodicTask.objects.create(name=f"{SCRIPT}{number}", task="t", interval=every)
        Group.objects.create(name=f"{SCRIPT}{number}")


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_pages_open_trust_no_text_and_ask_no_other_host(
    client: Client, boss: User, model: type[Model]
) -> None:
    fill(1)
    row = model._default_manager.order_by("-pk")[0]
    addresses = [
        reverse(f"admin:{name_of(model)}_changelist"),
        reverse(f"admin:{name_of(model)}_change", args=[row.pk]),
    ]

    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert SCRIPT not in response.content.decode()
        assert not FOREIGN.findall(response.content.decode())


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_a_list_costs_the_same_for_one_row_and_for_many(
    client: Client, boss: User, model: type[Model]
) -> None:
    address = reverse(f"admin:{name_of(model)}_changelist")
    fill(1)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    fill(2)

    with CaptureQueriesContext(connection) as many:
        client.get(address)

    assert len(many) <= len(few) <= MOST_QUERIES


@pytest.mark.parametrize("name", ADDED_BY_HAND)
def test_the_form_for_a_new_row_opens(client: Client, boss: User, name: str) -> None:
    response = client.get(reverse(f"admin:{name}_add"))

    assert response.status_code == 200
    assert not FOREIGN.findall(response.content.decode())


@pytest.mark.parametrize("name", sorted({*LISTS} - {*ADDED_BY_HAND}))
def test_what_the_engine_writes_is_not_added_by_hand(client: Client, boss: User, name: str) -> None:
    assert client.get(reverse(f"admin:{name}_add")).status_code == 403


@pytest.mark.parametrize("name", ["executions_execution", "jobs_job", "jobs_schedule"])
@pytest.mark.parametrize(
    "query",
    ["q=%5C%25_", "p=-1", "p=999999", "o=9.9", "nonsense=1", "state=x", "status__exact=%0A"],
)
def test_a_bad_query_is_no_fault_of_ours(client: Client, boss: User, name: str, query: str) -> None:
    response = client.get(f"{reverse(f'admin:{name}_changelist')}?{query}")

    assert response.status_code in {200, 302, 400}


def test_every_admin_class_is_ours() -> None:
    strangers = [a for a in admin.site._registry.values() if not isinstance(a, ChronosAdmin)]

    assert strangers == []


def test_the_sidebar_leads_to_every_list(client: Client, boss: User) -> None:
    html = client.get("/admin/").content.decode()

    for name in LISTS:
        assert f'href="{reverse(f"admin:{name}_changelist")}"' in html
    for title in ("Work", "Fleet", "People", "Platform", "Elsewhere"):
        assert title in [group["title"] for group in UNFOLD["SIDEBAR"]["navigation"]]


def test_the_sidebar_shows_only_what_one_may_see(client: Client) -> None:
    user = UserFactory.create(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)

    html = client.get("/admin/").content.decode()

    assert "/admin/jobs/job/" in html
    assert "/admin/accounts/user/" not in html


@pytest.mark.parametrize("path", ["chronos/console.css", "chronos/icon.svg"])
def test_our_own_style_is_there_and_asks_no_other_host(path: str) -> None:
    found: Any = finders.find(path)

    with open(found) as file:  # noqa: PTH123  a path that the finder made
        assert not re.search(r"url\(|@import", file.read())


def test_the_overview_has_a_verdict_numbers_and_the_newest_failures(
    client: Client, boss: User
) -> None:
    failed = ExecutionFactory.create(
        status=Status.FAILED, job__name="Import", reason="raised", message="no luck"
    )

    with CaptureQueriesContext(connection) as queries:
        html = client.get("/admin/").content.decode()

    assert "No scheduler is alive; nothing starts by itself." in html
    assert "<span>Dead letters</span><strong>1</strong>" in html
    assert f'href="/admin/executions/execution/{failed.pk}/change/">Import' in html
    assert "no luck" in html
    assert len(queries) <= MOST_QUERIES + 3


def test_the_overview_of_staff_is_about_their_own_teams(client: Client) -> None:
    membership = MembershipFactory.create(user__is_staff=True)
    membership.user.user_permissions.add(Permission.objects.get(codename="view_execution"))
    client.force_login(membership.user)
    ExecutionFactory.create(status=Status.FAILED, job__name="Theirs")
    ExecutionFactory.create(status=Status.FAILED, job__name="Ours", job__team=membership.team)

    html = client.get("/admin/").content.decode()

    assert ("Ours" in html, "Theirs" in html) == (True, False)
    assert "<span>Dead letters</span><strong>1</strong>" in html


def test_a_fresh_installation_is_told_what_to_do_first(client: Client, boss: User) -> None:
    assert "Write the first one" in client.get("/admin/").content.decode()


def test_a_result_leads_to_its_execution(client: Client, boss: User) -> None:
    fill(1)
    result = TaskResult.objects.get()

    html = client.get(
        f"/admin/django_celery_results/taskresult/{result.pk}/change/"
    ).content.decode()

    assert f"/admin/executions/execution/{result.task_id.removesuffix('-1')}/change/" in html


def test_a_periodic_task_is_switched_off_and_on(client: Client, boss: User) -> None:
    fill(1)
    task = PeriodicTask.objects.get()
    address = "/admin/django_celery_beat/periodictask/"

    for action, enabled in (("disable_tasks", False), ("enable_tasks", True)):
        client.post(address, {"action": action, "_selected_action": str(task.pk), "index": "0"})
        task.refresh_from_db()
        assert task.enabled is enabled


def test_signing_in_leads_to_the_overview() -> None:
    boss = UserFactory.create(is_staff=True)
    sent = {"username": boss.email, "password": PASSWORD}

    answer = Client().post("/admin/login/", sent)

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
