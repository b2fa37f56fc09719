"""Jobs from a file: what is valid is created, what is not is told line by line."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from chronos_project.management.commands import import_jobs
from jobs.models import Job, Schedule
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)  # it stores from a thread of its own

HOURLY = {"type": "cron", "cron": "0 * * * *"}


@pytest.fixture
def owner() -> User:
    person: User = UserFactory.create()
    return person


def run(path: Path, owner: User, *options: str) -> list[dict[str, Any]]:
    out = StringIO()
    try:
        call_command("import_jobs", str(path), "--as", owner.email, *options, stdout=out)
    except SystemExit as exc:
        out.write(json.dumps({"exit": exc.code}))
    return [json.loads(line) for line in out.getvalue().splitlines()]


def written(directory: Path, *bodies: Any) -> Path:
    path = directory / "jobs.ndjson"
    path.write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    return path


def test_each_line_becomes_a_job(
    tmp_path: Path, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_jobs, "BATCH", 2)
    bodies = [{"name": f"Job {n}", "schedule": HOURLY} for n in range(5)]

    (told,) = run(written(tmp_path, *bodies), owner)

    assert (told["created"], told["refused"]) == (5, 0)
    jobs = Job.objects.filter(team=owner.personal_team, created_by=owner)
    assert {job.slug for job in jobs} == {f"job-{n}" for n in range(5)}
    assert Schedule.objects.filter(next_fire_at__isnull=False).count() == 5


def test_a_line_that_is_refused_is_told_and_stops_no_other(tmp_path: Path, owner: User) -> None:
    bodies = [
        {"name": "a", "slug": "same"},
        {"name": "b", "schedule": {"type": "cron", "cronExpr": "nonsense"}},
        {"name": "c", "slug": "same"},
        {"name": "d"},
    ]

    *errors, told, ended = run(written(tmp_path, *bodies), owner)

    assert (told["created"], told["refused"], ended) == (2, 2, {"exit": 1})
    found = {one["line"]: (e["pointer"], e["code"]) for one in errors for e in one["errors"]}
    assert found == {
        2: ("/schedule/cronExpr", "schedule.cron_invalid"),
        3: ("/slug", "slug_taken"),
    }


def test_a_dry_run_creates_nothing(tmp_path: Path, owner: User) -> None:
    *_, told, _ = run(written(tmp_path, {"name": "a"}, {"nmae": "b"}), owner, "--dry-run")

    assert (told["created"], told["valid"], told["refused"]) == (0, 1, 1)
    assert not Job.objects.exists()


def test_a_limit_ends_the_reading(tmp_path: Path, owner: User) -> None:
    (told,) = run(written(tmp_path, *({"name": n} for n in "abc")), owner, "--limit", "2")

    assert told["created"] == 2


def test_what_cannot_be_read_or_belongs_to_nobody_is_said(tmp_path: Path, owner: User) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.ndjson"):
        run(tmp_path / "nowhere.ndjson", owner)
    with pytest.raises(CommandError, match=r"nobody@example\.org"):
        run(tmp_path / "x", User(email="nobody@example.org"))
