"""The functions as a Django app, so that workers find them."""

from __future__ import annotations

from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "benchmarks.apps.chronos"
    label = "bench"
