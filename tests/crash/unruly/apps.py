"""Registers the functions."""

from __future__ import annotations

from django.apps import AppConfig


class UnrulyConfig(AppConfig):
    name = "tests.crash.unruly"
    label = "unruly"

    def ready(self) -> None:
        from tests.crash.unruly import control, functions  # noqa: F401, PLC0415  registers them
