"""Settings of the test run: the real ones, plus what only tests want."""

from __future__ import annotations

import os

os.environ.setdefault("CHRONOS_SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("CHRONOS_ENV", "development")
os.environ.setdefault("CHRONOS_APPS", "examples.newsletter")
os.environ.setdefault("CHRONOS_ADOPT_TASKS", "examples.newsletter.tasks.*")
os.environ.setdefault("CHRONOS_REDIS_PREFIX", "chronos-test:")

from chronos_project.settings import *  # noqa: F403  all of them

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed, not safety
DB_PATIENCE_SECONDS = 60.0  # of the tests themselves: their statements are large, machines shared
