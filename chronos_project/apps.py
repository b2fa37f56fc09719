"""The composition root as a Django app: system checks and commands that know every app."""

from __future__ import annotations

from django.apps import AppConfig


class ChronosProjectConfig(AppConfig):
    name = "chronos_project"
    verbose_name = "Chronos"
