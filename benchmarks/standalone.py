"""Importing this gives a measurement Django and a PostgreSQL; it comes before anything of Django.

The server is its own and gone at the end, unless ``DATABASE_URL`` names one.
"""

from __future__ import annotations

import os
import secrets

import django

from embedded.throwaway import ThrowAway

NOBODY = "redis://127.0.0.1:1/0"  # what needs Redis has to set REDIS_URL

os.environ.setdefault("CHRONOS_ENV", "development")
os.environ.setdefault("CHRONOS_DEBUG", "false")
os.environ.setdefault("CHRONOS_SECRET_KEY", secrets.token_hex(32))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chronos_project.settings")
os.environ.setdefault("REDIS_URL", NOBODY)
os.environ.setdefault("CHRONOS_DB_PATIENCE_SECONDS", "0")  # a million rows may take their time
if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = ThrowAway().postgres()
django.setup()
