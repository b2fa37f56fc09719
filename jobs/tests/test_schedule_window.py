"""The window on schedules."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests import operators
from tests.factories import NOON, JobFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

SCHEDULES = "/admin/jobs/schedule/"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def test_the_page_of_a_schedule_names_its_next_slots(client: Client, boss: User) -> None:
    schedule = ScheduleFactory.create(type="cron", cron="0 3 * * *", timezone="Europe/Berlin")

    html = client.get(f"{SCHEDULES}{schedule.pk}/change/").content.decode()

    assert "At 03:00 every day" in html
    assert html.count("03:00:00 CE") == 5


def test_schedules_show_what_comes_next_first(client: Client, boss: User) -> None:
    for name, minute in (("Late", 30), ("Soon", 5)):
        job = JobFactory.create(name=name, schedule=False)
        ScheduleFactory.create(job=job, next_fire_at=NOON.replace(minute=minute))
    off = JobFactory.create(name="Off", schedule=False)
    ScheduleFactory.create(job=off, enabled=False, disabled_reason="paused")

    coming = client.get(SCHEDULES).content.decode()
    disabled = client.get(SCHEDULES, {"state": "disabled"}).content.decode()

    assert coming.index("Soon") < coming.index("Late")
    assert ("Off" in coming, ">Off<" in disabled) == (False, True)
    assert "paused" in disabled


def test_a_schedule_that_makes_no_sense_any_more_still_has_its_page(
    client: Client, boss: User
) -> None:
    schedule = ScheduleFactory.create(type="cron", cron="0 0 30 2 *", timezone="UTC")

    assert client.get(f"{SCHEDULES}{schedule.pk}/change/").status_code == 200
    assert client.get(SCHEDULES).status_code == 200


def test_schedules_are_not_edited(client: Client, boss: User) -> None:
    schedule = ScheduleFactory.create()

    assert client.get(f"{SCHEDULES}add/").status_code == 403
    assert client.post(f"{SCHEDULES}{schedule.pk}/change/", {}).status_code == 403
