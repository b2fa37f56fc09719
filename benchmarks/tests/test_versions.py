"""Versions of what is measured."""

from __future__ import annotations

from benchmarks import versions


def test_pins_are_read_with_and_without_extras() -> None:
    text = "# some words==no\ncelery[redis]==5.7.0\ndjango-q2==1.11.1\n--only-binary=x\n"

    assert versions.pins(text) == {"celery": "5.7.0", "django-q2": "1.11.1"}


def test_peers_of_all_environments_have_a_version() -> None:
    assert {"celery", "procrastinate", "django-tasks-db", "bullmq"} <= versions.versions().keys()
