"""Settings of the test run: the real ones, plus what only tests want."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("CHRONOS_SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("CHRONOS_ENV", "development")
os.environ.setdefault("CHRONOS_APPS", "examples.newsletter")
os.environ.setdefault("CHRONOS_ADOPT_TASKS", "examples.newsletter.tasks.*")
os.environ.setdefault("CHRONOS_REDIS_PREFIX", "chronos-test:")

from chronos_project.settings import *  # noqa: F403  all of them

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed, not safety
if "pytest" in sys.modules:  # and not in a process that a test started
    DB_PATIENCE_SECONDS = 60.0  # the statements of tests are large, and machines are shared
