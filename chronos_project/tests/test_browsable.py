"""Forms of the browsable API can be sent as they are filled in."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.test import Client

from tests.factories import JobFactory, UserFactory

pytestmark = pytest.mark.django_db


def prefilled(page: str) -> dict[str, object]:
    """The JSON that the page's raw form holds."""
    area = re.search(r'<textarea[^>]*name="_content"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert area is not None
    body: dict[str, object] = json.loads(html.unescape(area[1]))
    return body


def test_the_prefilled_form_of_execute_is_accepted() -> None:
    ann = UserFactory.create()
    job = JobFactory.create(team=ann.personal_team)
    client = Client()
    client.force_login(ann)
    path = f"/api/v1/jobs/{job.pk}/execute"

    page = client.get(path, headers={"Accept": "text/html"})
    body = prefilled(page.content.decode())
    answer = client.post(path, body, content_type="application/json")

    assert answer.status_code == 202, answer.content


def test_the_prefilled_form_of_a_new_job_needs_only_a_name() -> None:
    client = Client()
    client.force_login(UserFactory.create())

    page = client.get("/api/v1/jobs", headers={"Accept": "text/html"})
    body = prefilled(page.content.decode()) | {"name": "From the form"}
    answer = client.post("/api/v1/jobs", body, content_type="application/json")

    assert answer.status_code == 201, answer.content


def test_descriptions_show_no_marks() -> None:
    client = Client()
    client.force_login(UserFactory.create())

    page = client.get("/api/v1", headers={"Accept": "text/html"}).content.decode()

    assert "``" not in page
    assert "<p>The resources of this version" in page
    assert "Django REST framework" not in page
    assert "&lt;p&gt;" not in page
